"""`flowscan athena`: DDL, set-up, queries and what they cost on Amazon Athena."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flowscan.cli.options import OutputOption, SinceOption, UntilOption
from flowscan.cli.render import Format

if TYPE_CHECKING:
    from flowscan.engine.athena import Athena, Progress, Target
    from flowscan.engine.athena_work import OnAthena
    from flowscan.lake import Lake
    from flowscan.queries import Query

app = typer.Typer(
    help="Use the lake, or raw logs, from Amazon Athena.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class EngineName(StrEnum):
    """Where the SQL runs."""

    duckdb = "duckdb"
    athena = "athena"


EngineOption = Annotated[
    EngineName, typer.Option("--engine", help="DuckDB on this machine, or Amazon Athena.")
]
DatabaseOption = Annotated[str, typer.Option("--database", help="Athena database.")]
WorkgroupOption = Annotated[str, typer.Option("--workgroup", help="Athena workgroup.")]
ResultsOption = Annotated[
    str | None, typer.Option("--results", help="s3:// prefix for results; default: workgroup's.")
]
LocationArgument = Annotated[str, typer.Argument(help="s3:// prefix of the lake.")]
FirstDayOption = Annotated[
    str | None, typer.Option("--first-day", help="First date that holds flows, YYYY-MM-DD.")
]


@app.command("ddl")
def ddl(
    location: Annotated[str, typer.Argument(help="s3:// prefix of the lake, or above AWSLogs/.")],
    database: DatabaseOption = "flowscan",
    first_day: FirstDayOption = None,
    raw: Annotated[
        str | None, typer.Option("--raw", help="text or parquet: logs as AWS delivers them.")
    ] = None,
    table: Annotated[str, typer.Option("--table", help="Name of the raw table.")] = "raw_flow_logs",
    account: Annotated[list[str] | None, typer.Option("--account", help="Account id.")] = None,
    region: Annotated[list[str] | None, typer.Option("--region", help="Region.")] = None,
    derive: Annotated[
        bool,
        typer.Option("--derive", help="Make the tables of traffic there: the lake keeps none."),
    ] = False,
    log_format: Annotated[
        str | None, typer.Option("--log-format", help="The flow log's format, if not default.")
    ] = None,
) -> None:
    """Print the DDL; nothing is created.

    Example: flowscan athena ddl s3://bucket/lake
    """
    from flowscan import schema
    from flowscan.engine import athena_ddl
    from flowscan.errors import UsageError

    if raw is None:
        for statement in athena_ddl.lake(location, database, first_day, kept=not derive):
            typer.echo(statement.sql + ";\n")
        return
    if raw not in ("text", "parquet"):
        raise UsageError(f"--raw {raw!r} is neither text nor parquet")
    columns = schema.DEFAULT_FORMAT
    if log_format is not None:
        from flowscan.parse import parse_format

        columns = parse_format(log_format)
    statement = athena_ddl.raw(
        location,
        database,
        table,
        parquet=raw == "parquet",
        regions=region or [],
        accounts=account or [],
        columns=columns,
    )
    typer.echo(statement.sql + ";")


@app.command("setup")
def setup(
    location: LocationArgument,
    database: DatabaseOption = "flowscan",
    workgroup: WorkgroupOption = "primary",
    results: ResultsOption = None,
    first_day: FirstDayOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be made.")] = False,
) -> None:
    """Create workgroup, database, tables and views; run again at any time.

    Example: flowscan athena setup s3://bucket/lake --results s3://bucket/athena/
    """
    from flowscan.engine import athena, athena_ddl

    if dry_run:
        names = [f"{s.kind} {s.name}" for s in athena_ddl.lake(location, database, first_day)]
        typer.echo("\n".join([f"workgroup {workgroup}", f"database {database}", *names]))
        return
    target = athena.Target(database, workgroup, results)
    runner, client = _athena(target)
    for name in athena.setup(runner, client, target, location, first_day):
        typer.echo(name)


@app.command("query")
def query(
    text: Annotated[str, typer.Argument(metavar="NAME|FILE.sql|SQL", help="What to run.")],
    database: DatabaseOption = "flowscan",
    workgroup: WorkgroupOption = "primary",
    results: ResultsOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", help="NAME=VALUE, may be repeated.")
    ] = None,
    format_: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.table,
    output: OutputOption = None,
) -> None:
    """Run a query on Athena: the same as `flowscan query --engine athena`.

    Example: flowscan athena query rejected-ports --since 7d
    """
    from flowscan.cli.options import moment
    from flowscan.cli.query import find, parameters
    from flowscan.cli.render import emit

    chosen, sql = find(text)
    window = {"since": moment(since), "until": moment(until)}
    values = parameters(param or [])
    rows = run_on_athena(chosen, sql, values, window, database, workgroup, results)
    emit(rows, format_, output, title=chosen.title if chosen else None)


@app.command("cost")
def cost(
    scanned: Annotated[
        str, typer.Argument(metavar="BYTES|LAKE", help="Bytes, or a lake: a scan of all its flows.")
    ],
) -> None:
    """Say what a scan costs at list price.

    Example: flowscan athena cost s3://bucket/lake
    """
    from flowscan.cli.options import open_lake
    from flowscan.cli.render import human_bytes
    from flowscan.engine import athena

    if scanned.isdecimal():
        size = int(scanned)
    else:
        size = sum(entry.bytes for entry in open_lake(scanned).snapshot().files("flows"))
    typer.echo(f"{human_bytes(size)} scanned: at most ${athena.cost(size):.4f} a query")


def run_on_athena(
    chosen: Query | None,
    sql: str,
    values: dict[str, object],
    window: dict[str, int | None],
    database: str,
    workgroup: str,
    results: str | None,
) -> Any:
    """Run on Athena with progress on stderr; gives the rows.

    Raises:
        EngineError: Athena refused it, or it failed.
    """
    from flowscan.cli.render import human_bytes
    from flowscan.engine import athena

    runner, _ = _athena(athena.Target(database, workgroup, results))
    if chosen is None:
        answer = runner.query(sql, window["since"], window["until"])
    else:
        answer = runner.run(
            chosen, {**{k: v for k, v in window.items() if v is not None}, **values}
        )
    typer.echo(
        f"Athena {answer.execution}: {human_bytes(answer.scanned)} scanned in "
        f"{answer.seconds:.1f} s, ${answer.cost:.4f}",
        err=True,
    )
    return answer.rows


@contextmanager
def engine_of(
    name: EngineName,
    lake: Lake,
    database: str,
    workgroup: str,
    results: str | None,
    *,
    shows: bool = False,
) -> Iterator[OnAthena | None]:
    """The engine for `detect` and `report`: None for DuckDB. Says at the end what Athena cost.

    `shows`: tell on a terminal how each statement goes.

    Raises:
        UsageError: the lake is not on S3, or there is no fit place for results.
    """
    if name is EngineName.duckdb:
        yield None
        return
    import signal

    from flowscan.cli.options import store_options
    from flowscan.cli.render import human_bytes
    from flowscan.engine import athena
    from flowscan.engine.athena_work import OnAthena
    from flowscan.errors import UsageError
    from flowscan.lake.s3_store import open_s3

    root = lake.store.where
    if not root.startswith("s3://"):
        raise UsageError("Athena reads a lake on S3 only", where=root)
    target = athena.Target(database, workgroup, results)
    _, client = _athena(target)
    place = athena.results(client, target)
    if f"{place}/".startswith(f"{root}/"):
        raise UsageError("results would lie in the lake", where=place, hint="--results s3://…")
    on = OnAthena(client, target, open_s3(place, store_options()), root)
    on.progress = _line if shows else None
    # So that the tables of the run are dropped when a scheduler stops it, too.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield on
    finally:
        signal.signal(signal.SIGTERM, before)
        if shows:
            _line(None)
        typer.echo(
            f"Athena: {on.spent.statements} statements, {human_bytes(on.spent.scanned)} scanned, "
            f"${on.spent.cost:.4f}",
            err=True,
        )


def _athena(target: Target) -> tuple[Athena, Any]:
    import boto3

    from flowscan.engine.athena import Athena
    from flowscan.errors import UsageError

    session = boto3.session.Session()
    if session.region_name is None:
        raise UsageError("no AWS region is set", hint="set AWS_REGION or use a profile with one")
    client = session.client("athena")
    return Athena(client, target, progress=_shown), client


def _shown(state: Progress) -> None:
    _line(state)
    if state.state in ("SUCCEEDED", "FAILED", "CANCELLED"):
        _line(None, end=True)


def _line(state: Progress | None, *, end: bool = False) -> None:
    """Show on a terminal's line how a query goes; None clears the line, or ends it."""
    import sys

    from flowscan.cli.render import human_bytes

    if not sys.stderr.isatty():
        return
    text = "" if end else "\r\x1b[2K"
    if state is not None:
        text += (
            f"Athena: {state.state.lower()}, {human_bytes(state.scanned)} scanned, "
            f"{state.seconds:.0f} s"
        )
    typer.echo(text, nl=end, err=True)
