"""`flowscan init`: a commented flowscan.toml."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    path: Annotated[Path, typer.Argument(help="File to write; - for standard output.")] = Path(
        "flowscan.toml"
    ),
    source: Annotated[
        list[str] | None, typer.Option("--source", help="A source of flow logs to put into it.")
    ] = None,
    lake: Annotated[str | None, typer.Option("--lake", help="The lake to put into it.")] = None,
) -> None:
    """Write a flowscan.toml that explains every setting; an existing file is left alone.

    Example: flowscan init --source s3://my-logs/AWSLogs/ && flowscan run
    """
    from flowscan.config.template import template
    from flowscan.errors import UsageError

    text = template(sources=tuple(source or ()), lake=lake)
    if str(path) == "-":
        typer.echo(text, nl=False)
        return
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError("exists already", where=str(path), hint="name another file") from None
    typer.echo(f"wrote {path}; edit it, then: flowscan run")
