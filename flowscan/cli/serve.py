"""`flowscan serve`: the report of a live lake in a browser, with a period picker and drill-down."""

from __future__ import annotations

from typing import Annotated

import typer

from flowscan.cli.options import LakeOption


def command(
    lake: LakeOption = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; any but loopback asks for a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 picks a free one.")] = 8312,
) -> None:
    """Serve the report over the lake as it is now; stop with Ctrl-C.

    Example: flowscan serve --port 8080
    """
    from flowscan.cli.options import open_lake
    from flowscan.report.serve import ReportServer

    with ReportServer(open_lake(lake), host, port) as server:
        typer.echo(f"flowscan report on {server.url}")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            typer.echo("stopped", err=True)
