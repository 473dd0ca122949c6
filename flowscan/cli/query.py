"""`flowscan query`: a named query, a file, or SQL, on the lake or on Athena."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flowscan.cli.athena import (
    DatabaseOption,
    EngineName,
    EngineOption,
    ResultsOption,
    WorkgroupOption,
)
from flowscan.cli.options import LakeOption, OutputOption, SinceOption, UntilOption
from flowscan.cli.render import Format

if TYPE_CHECKING:
    from flowscan.lake import Lake
    from flowscan.queries import Query


def command(
    query: Annotated[
        str | None,
        typer.Argument(metavar="[NAME|FILE.sql|SQL|-]", help="What to run; - reads stdin."),
    ] = None,
    lake: LakeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", help="NAME=VALUE, may be repeated.")
    ] = None,
    format_: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.table,
    output: OutputOption = None,
    list_: Annotated[
        bool, typer.Option("--list", help="Show the named queries and their parameters.")
    ] = False,
    show: Annotated[bool, typer.Option("--show", help="Print the SQL instead.")] = False,
    engine: EngineOption = EngineName.duckdb,
    database: DatabaseOption = "flowscan",
    workgroup: WorkgroupOption = "primary",
    results: ResultsOption = None,
    memory: Annotated[str | None, typer.Option("--memory", help="Limit, such as 4GB.")] = None,
    timeout: Annotated[float | None, typer.Option("--timeout", help="Seconds.")] = None,
) -> None:
    """Run SQL in Athena's dialect: a query of the catalogue, a file, or the text itself.

    Example: flowscan query rejected-ports --param top=10 --since 7d
    """
    from flowscan.cli.options import moment
    from flowscan.cli.render import emit
    from flowscan.errors import UsageError

    if list_:
        emit(_catalogue(), format_, output, title="Queries")
        return
    if query is None:
        raise UsageError("name a query, a file or SQL", hint="--list shows the catalogue")
    values = parameters(param or [])
    window = {"since": moment(since), "until": moment(until)}
    chosen, sql = find(query)
    if show:
        typer.echo(sql if chosen is None else _inlined(chosen, values, window))
        return
    if engine is EngineName.athena:
        from flowscan.cli.athena import run_on_athena

        rows = run_on_athena(chosen, sql, values, window, database, workgroup, results)
    else:
        rows = _run(lake, chosen, sql, values, window, memory, timeout)
    emit(rows, format_, output, title=chosen.title if chosen else None)
    if not rows.num_rows and engine is not EngineName.athena:
        _why_nothing(lake, window)


def find(text: str) -> tuple[Query | None, str]:
    """The query of the catalogue or file that the argument names, or None and its SQL.

    Raises:
        QueryError: there is no such query or file.
    """
    import sys

    from flowscan import queries

    word = text.strip()
    if word == "-":
        return None, sys.stdin.read()
    if word.endswith(".sql") and (Path(word).exists() or len(word.split()) == 1):
        found = queries.read(Path(word))
        return found, found.sql
    if len(word.split()) == 1 and ";" not in word:
        found = queries.load(word)
        return found, found.sql
    return None, text


def parameters(given: list[str]) -> dict[str, object]:
    """Values of `--param NAME=VALUE` options.

    Raises:
        UsageError: one has no `=`.
    """
    from flowscan.errors import UsageError

    values: dict[str, object] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--param {text!r} has no =", hint="--param top=10")
        values[name.strip()] = value
    return values


def tell_due(lake: Lake, since: int | None, until: int | None) -> None:
    """Say on stderr that tables of traffic are derived first, where they are not current."""
    from flowscan import traffic

    days, flows = traffic.due(lake, since, until)
    if days:
        many = "1 day" if days == 1 else f"{days:,} days"
        typer.echo(f"traffic of {many} ({flows:,} flows) is derived first", err=True)


def _why_nothing(lake: str | None, window: dict[str, int | None]) -> None:
    """Say on stderr when the lake has nothing, or nothing in the window that was asked for."""
    from flowscan.cli.options import open_lake
    from flowscan.text import utc

    opened = open_lake(lake)
    held = opened.snapshot().files("flows")
    if not held:
        typer.echo("the lake has no flows yet: flowscan ingest ./logs", err=True)
    elif not opened.snapshot(window["since"], window["until"]).files("flows"):
        first = min((f.min_start for f in held if f.min_start is not None), default=None)
        last = max((f.max_start for f in held if f.max_start is not None), default=None)
        typer.echo(f"the lake has flows from {utc(first)} to {utc(last)}", err=True)


def _run(
    lake: str | None,
    chosen: Query | None,
    sql: str,
    values: dict[str, object],
    window: dict[str, int | None],
    memory: str | None,
    timeout: float | None,
) -> Any:
    from flowscan import traffic
    from flowscan.cli.options import open_lake

    opened = open_lake(lake)
    if traffic.names_traffic(sql):
        tell_due(opened, window["since"], window["until"])
    with traffic.asked(
        opened, sql, window["since"], window["until"], memory_limit=memory, timeout=timeout
    ) as engine:
        rows = engine.run(chosen, values) if chosen else engine.query(sql, values)
        for note in engine.notes:
            typer.echo(f"note: {note}", err=True)
        return rows


def _inlined(chosen: Query, values: dict[str, object], window: dict[str, int | None]) -> str:
    from flowscan import queries

    bounds = {k: v for k, v in window.items() if v is not None and k in chosen.params}
    return queries.inline(chosen, {**bounds, **values}).rstrip()


def _catalogue() -> Any:
    import pyarrow as pa

    from flowscan import queries

    rows = [
        {
            "name": query.id,
            "kind": query.kind,
            "title": query.title,
            "parameters": " ".join(
                f"{p.name}={p.default}"
                for p in query.params.values()
                if p.name not in ("since", "until")
            ),
        }
        for query in queries.catalogue()
    ]
    names = ("name", "kind", "title", "parameters")
    return pa.Table.from_pylist(rows, schema=pa.schema([(name, pa.string()) for name in names]))
