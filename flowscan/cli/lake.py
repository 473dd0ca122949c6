"""`flowscan lake`: look at the lake, check it, keep it in shape, open it with other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flowscan.cli.options import LakeOption, OutputOption
from flowscan.cli.render import Format

if TYPE_CHECKING:
    import pyarrow as pa

    from flowscan.lake import Lake
    from flowscan.lake.status import Status
    from flowscan.lake.upgrade import Plan

app = typer.Typer(help="Look at the lake, check it, keep it in shape.", no_args_is_help=True)

FormatOption = Annotated[Format, typer.Option("--format", help="Output format.")]


@app.command("status")
def status_command(
    lake: LakeOption = None,
    format_: FormatOption = Format.table,
    output: OutputOption = None,
) -> None:
    """Show dates, flows, bytes, sources, rejects and coverage.

    Example: flowscan lake status --format json
    """
    from flowscan.cli.options import open_lake
    from flowscan.cli.render import emit
    from flowscan.lake.status import status

    opened = open_lake(lake)
    found = status(opened)
    if format_ is Format.json:
        _emit_json(found, output)
        return
    if found.dates or format_ is not Format.table or output is not None:
        emit(_dates(found), format_, output)
    if not found.dates:
        typer.echo("no flows yet: flowscan ingest ./logs, or s3://BUCKET/AWSLogs/", err=True)
    if format_ is Format.table and output is None:
        from flowscan import traffic

        for line in _summary(found, traffic.due(opened)[1]):
            typer.echo(line)


def _emit_json(found: Status, output: Path | None) -> None:
    """Everything as one object; the other formats are rows, one a date."""
    import json
    from dataclasses import asdict

    text = json.dumps(asdict(found), indent=2)
    if output is None:
        typer.echo(text)
    else:
        output.write_text(text + "\n", encoding="utf-8")


def _dates(found: Status) -> pa.Table:
    import pyarrow as pa

    from flowscan.cli.render import utc

    names = ("date", "files", "flows", "bytes", "first_start", "last_start")
    rows = [
        (d.date, d.files, d.flows, d.bytes, d.first and utc(d.first), d.last and utc(d.last))
        for d in found.dates
    ]
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    kinds = [pa.string(), pa.int64(), pa.int64(), pa.int64(), pa.string(), pa.string()]
    arrays = [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
    return pa.Table.from_arrays(arrays, names=list(names))


def _summary(found: Status, due: int) -> list[str]:
    """The lake in lines; the traffic of `due` flows has not been derived yet."""
    from flowscan.cli.render import human_bytes, plain

    totals = found.totals
    records = (
        f"records   {totals.records:,} = {totals.flows:,} flows + {totals.nodata:,} NODATA"
        f" + {totals.skipdata:,} SKIPDATA + {totals.rejects:,} rejects"
    )
    unknown = f", {found.unattributed:,} unattributed" if found.unattributed else ""
    flows, derived = sum(d.bytes for d in found.dates), found.traffic_bytes
    about = f"version {found.version}, format {found.format}, {human_bytes(found.bytes)}"
    waiting = f", {due:,} are due" if due else ""
    lines = [
        "",
        f"lake      {plain(found.where)}, {about}",
        f"flows     {found.flows:,} in {human_bytes(flows)}, {len(found.dates):,} dates{unknown}",
        f"traffic   derived from {found.flows - due:,} flows in {human_bytes(derived)}{waiting}",
        f"sources   {totals.sources:,} ({human_bytes(totals.size)}), {totals.refused:,} refused",
        records,
    ]
    if found.expired:
        lines.append(f"expired   {found.expired:,} flows")
    lines += [f"{table:<9} {rows:,} rows" for table, rows in found.tables.items()]
    if found.unpublished:
        lines.append(
            f"waiting   {found.unpublished:,} commits are not yet published;"
            " the next ingest does it, or flowscan lake verify --repair"
        )
    return lines


@app.command("upgrade")
def upgrade_command(
    lake: LakeOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Bring a lake that an older flowscan made to the present format.

    Says first what it needs; no flow is read or written again. An upgrade that was interrupted
    is finished by another one. Example: flowscan lake upgrade --lake s3://bucket/lake
    """
    import sys

    from flowscan.cli.options import open_lake
    from flowscan.cli.progress import counting
    from flowscan.cli.render import plain
    from flowscan.lake import upgrade

    opened = open_lake(lake)
    before = upgrade.plan(opened)
    if not before.needed:
        typer.echo(f"the lake is of format {before.format}, there is nothing to do")
        return
    for line in _intended(before):
        typer.echo(plain(line))
    if not yes and sys.stdin.isatty() and sys.stdout.isatty():
        typer.confirm("upgrade?", abort=True)
    with counting("commits read", before.commits) as told:
        upgrade.upgrade(opened, told)
    typer.echo(f"the lake is of format {opened.format}")


def _intended(before: Plan) -> list[str]:
    from flowscan.cli.render import human_bytes
    from flowscan.lake import layout

    kept = f"{before.files:,} files ({human_bytes(before.bytes)}) with {before.flows:,} flows"
    reads = f"reads the ledger's {before.commits:,} commits"
    return [
        f"format {before.format} → {layout.FORMAT}",
        f"{reads}; writes another one, a checkpoint and the marker",
        f"{kept} stay as they are; these flows have no source_id",
        "flowscan 0.1 cannot read the lake any more; where it runs, it stops at its next commit",
    ]


@app.command("verify")
def verify_command(
    lake: LakeOption = None,
    full: Annotated[
        bool,
        typer.Option(
            "--full", help="Read every page of every file, and derive traffic again to compare."
        ),
    ] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="First repair what can be without loss.")
    ] = False,
) -> None:
    """Check the ledger against the files; say what is wrong and what to do.

    Exit code 3 when something is wrong. Example: flowscan lake verify --full
    """
    from flowscan.cli.options import open_lake
    from flowscan.cli.render import plain
    from flowscan.lake import verify as check

    opened = open_lake(lake)
    if repair:
        for line in check.repair(opened):
            typer.echo(plain(f"repaired: {line}"))
    problems = check.verify(opened, full=full)
    for problem in problems:
        word = "note" if problem.harmless else "wrong"
        typer.echo(plain(f"{word}: {problem.path}: {problem.what} ({problem.fix})"))
    wrong = sum(not problem.harmless for problem in problems)
    wrong += _verify_traffic(opened) if full and not wrong else 0
    if wrong:
        typer.echo(f"{wrong:,} problems", err=True)
        raise typer.Exit(3)
    typer.echo("the lake is sound")


def _verify_traffic(lake: Lake) -> int:
    from flowscan.text import utc
    from flowscan.traffic import differences

    wrong = 0
    for one in differences(lake.snapshot()):
        wrong += 1
        typer.echo(
            f"wrong: {one.table} of {utc(one.day)[:10]}: {one.missing:,} rows missing, "
            f"{one.strange:,} that the flows do not give (flowscan lake rebuild)"
        )
    return wrong


@app.command("rebuild")
def rebuild_command(lake: LakeOption = None) -> None:
    """Derive the tables of traffic (sessions, contacts, volumes …) of all days again.

    Seldom needed: days whose flows have changed are derived without being asked.

    Example: flowscan lake rebuild
    """
    from flowscan.cli.ingest import fold_lake
    from flowscan.cli.options import open_lake

    fold_lake(open_lake(lake), again=True)


@app.command("compact")
def compact_command(lake: LakeOption = None) -> None:
    """Rewrite the small files of dates that are over into few large sorted ones.

    The old files are deleted a day later, so that running queries finish.

    Example: flowscan lake compact
    """
    import time

    from flowscan.cli.options import open_lake
    from flowscan.cli.render import human_bytes
    from flowscan.lake.compact import compact
    from flowscan.lake.expire import purge

    opened, now = open_lake(lake), int(time.time())
    count = 0
    for done in compact(opened, now=now):
        count += 1
        typer.echo(
            f"{done.table} {done.date or ''}: {done.files_before:,} files"
            f" ({human_bytes(done.bytes_before)}) → {done.files_after:,}"
            f" ({human_bytes(done.bytes_after)}), {done.rows:,} rows"
        )
    if not count:
        typer.echo("nothing to compact")
    deleted = purge(opened, now=now)
    if deleted.files:
        typer.echo(f"deleted {deleted.files:,} old files ({human_bytes(deleted.bytes)})")


@app.command("expire")
def expire_command(
    older_than: Annotated[
        str, typer.Option("--older-than", help="An age such as 90d, or a date: 2026-05-01.")
    ],
    lake: LakeOption = None,
    grace: Annotated[
        str, typer.Option(help="How long queries that run may still read the files.")
    ] = "24h",
) -> None:
    """Take flows of dates that ended before a time out of the lake.

    Their bytes are deleted once the grace is over, by a later `expire` or `compact`. Sources
    stay known, so an ingest does not bring the flows back.

    Example: flowscan lake expire --older-than 90d
    """
    import time
    from datetime import UTC, datetime

    from flowscan.cli.options import open_lake
    from flowscan.cli.render import human_bytes
    from flowscan.config import parse_time
    from flowscan.lake.expire import expire, purge

    now = datetime.fromtimestamp(int(time.time()), UTC)
    before = parse_time(older_than, now)
    wait = int(now.timestamp()) - parse_time(grace, now)
    opened = open_lake(lake)
    gone = expire(opened, before=before)
    typer.echo(f"took out {gone.files:,} files, {gone.flows:,} flows, {human_bytes(gone.bytes)}")
    deleted = purge(opened, now=now.timestamp(), grace=wait)
    typer.echo(f"deleted {deleted.files:,} files, {human_bytes(deleted.bytes)}")


@app.command("duckdb")
def duckdb_command(
    file: Annotated[Path, typer.Argument(help="Database file to write.")],
    lake: LakeOption = None,
) -> None:
    """Write a DuckDB database whose views read the lake, for other tools.

    Example: flowscan lake duckdb flows.duckdb && duckdb flows.duckdb
    """
    from flowscan.cli.options import open_lake
    from flowscan.engine import write_database
    from flowscan.errors import LakeError
    from flowscan.traffic import fold

    opened = open_lake(lake)
    try:
        fold(opened)
    except LakeError as error:
        typer.echo(f"the tables of traffic stay as they were kept: {error}", err=True)
    write_database(opened.snapshot(), file)
    typer.echo(f"wrote {file}")
