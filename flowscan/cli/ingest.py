"""`flowscan ingest`: read flow logs into the lake, exactly once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flowscan.cli.options import LakeOption, SinceOption, UntilOption, open_lake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowscan.ingest import IngestOptions, IngestResult
    from flowscan.lake import Lake
    from flowscan.sources import Source, SourceOptions


class Engine(StrEnum):
    """Where the parsing happens."""

    local = "local"
    spark = "spark"


SHOWN = 20
"""Refused and failed objects named one by one before "and N more"."""


def command(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="Files, folders, globs, - for standard input, s3://bucket/prefix, "
            "cloudwatch://log-group or sqs://queue-url.",
            show_default=False,
        ),
    ],
    lake: LakeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format", help="Columns of text without a header, as AWS writes them: '${version} …'."
        ),
    ] = None,
    account: Annotated[list[str] | None, typer.Option(help="Only these accounts.")] = None,
    region: Annotated[list[str] | None, typer.Option(help="Only these regions.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Threads; default: all cores.")] = None,
    engine: Annotated[
        Engine, typer.Option(help="Where to parse: in this process, or on Spark's executors.")
    ] = Engine.local,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be read.")] = False,
    traffic: Annotated[
        bool,
        typer.Option(
            "--traffic/--no-traffic",
            help="Derive who called whom right away, or leave it to the first question.",
        ),
    ] = True,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 3 if any record was rejected.")
    ] = False,
    endpoint_url: Annotated[str | None, typer.Option(help="S3 endpoint other than AWS's.")] = None,
    profile: Annotated[str | None, typer.Option(help="AWS profile.")] = None,
    region_name: Annotated[str | None, typer.Option(help="AWS region of the bucket.")] = None,
    role_arn: Annotated[str | None, typer.Option(help="Role to assume for reading.")] = None,
    request_payer: Annotated[
        bool, typer.Option("--request-payer", help="Pay for the requests.")
    ] = False,
) -> None:
    """Read flow logs into the lake. What is in the lake already is not read again.

    Example: flowscan ingest ./logs s3://my-logs/AWSLogs/ --since 7d
    """
    from flowscan.config import keep_freed_memory

    keep_freed_memory()
    from flowscan.cli.options import lake_path, window
    from flowscan.ingest import IngestOptions
    from flowscan.parse import parse_format
    from flowscan.sources import SourceOptions, open_source

    where = lake_path(lake)
    reach = SourceOptions(
        exclude=(where if "://" in where else Path(where).absolute(),),
        endpoint_url=endpoint_url,
        profile=profile,
        region_name=region_name,
        role_arn=role_arn,
        request_payer=request_payer,
    )
    options = IngestOptions(
        window=window(since, until, account, region),
        format=parse_format(format_) if format_ else None,
        workers=workers or IngestOptions().workers,
    )
    if dry_run:
        _show_plan(where, [open_source(uri, reach) for uri in sources], options)
        return
    if engine is Engine.spark:
        result = _ingest_on_spark(where, sources, reach, options)
    else:
        result = _ingest(where, [open_source(uri, reach) for uri in sources], options)
    _show_result(result, where)
    if traffic and result.flows:
        _fold_after(where)
    trouble = result.failed or (not result.sources and not result.already and result.refused)
    if trouble or (strict and (result.rejects or result.refused)):
        raise typer.Exit(3)


def _ingest(where: str, opened: list[Source], options: IngestOptions) -> IngestResult:
    from flowscan.cli.progress import ingest_progress
    from flowscan.ingest import ingest

    try:
        with ingest_progress() as progress:
            return ingest(open_lake(where, create=True), opened, options, progress)
    except KeyboardInterrupt:
        typer.echo("stopped: what was read is in the lake; the same command goes on", err=True)
        raise


def _fold_after(where: str) -> None:
    """Fold what was ingested; the flows are in the lake whatever comes of it."""
    from flowscan.errors import EngineError

    try:
        fold_lake(open_lake(where))
    except EngineError as error:
        typer.echo(f"{error}; the flows are in the lake: flowscan lake rebuild", err=True)


def fold_lake(lake: Lake, *, again: bool = False) -> None:
    """Bring the kept tables of traffic up to date, with progress on a terminal.

    `again` derives what is current as well, and says which of it was left to another writer.
    """
    from flowscan.cli.render import progress
    from flowscan.traffic import fold
    from flowscan.traffic.days import all_of

    wanted = all_of(lake.snapshot()).keys() if again else ()
    with progress("traffic: who called whom") as say:
        done = fold(
            lake,
            again=again,
            progress=lambda n, of: say(f"traffic: {n:,} of {of:,} flows"),
        )
    if done.days:
        typer.echo(f"traffic of {_days(len(done.days))} derived from {done.flows:,} flows")
    left = len(set(wanted) - set(done.days))
    if left:
        typer.echo(
            f"traffic of {_days(left)} is not derived again: another writer changed it meanwhile",
            err=True,
        )
    elif again and not done.days:
        typer.echo("no flows yet: flowscan ingest ./logs", err=True)


def _days(count: int) -> str:
    return f"{count:,} day" if count == 1 else f"{count:,} days"


def _ingest_on_spark(
    where: str, sources: list[str], reach: SourceOptions, options: IngestOptions
) -> IngestResult:
    from flowscan.errors import ConfigError

    try:
        import pyspark  # noqa: F401
    except ImportError:
        raise ConfigError(
            "PySpark is not installed", hint="pip install 'flowscan[spark]'"
        ) from None
    from flowscan.ingest.spark import ingest_spark

    return ingest_spark(open_lake(where, create=True), where, sources, reach, options)


def _show_plan(where: str, opened: list[Source], options: IngestOptions) -> None:
    from flowscan.cli.render import human_bytes, plain
    from flowscan.errors import LakeError
    from flowscan.ingest import dry_run

    try:
        lake = open_lake(where)
    except LakeError:
        lake = None
    new = known = size = 0
    for planned in dry_run(lake, opened, options):
        if planned.known:
            known += 1
            continue
        new += 1
        size += planned.object.size
        typer.echo(f"{planned.object.size}\t{plain(planned.object.uri)}")
    typer.echo(
        f"would read {new:,} objects, {human_bytes(size)}; {known:,} are in the lake", err=True
    )


def _summary(result: IngestResult, where: str) -> Iterator[str]:
    from flowscan.cli.render import human_bytes

    seconds = result.seconds.get("total", 0.0)
    rate = f", {result.records / seconds:,.0f} records/s" if seconds and result.records else ""
    if result.sources:
        yield (
            f"read {result.sources:,} objects, {human_bytes(result.bytes)}, "
            f"{result.records:,} records in {seconds:.1f} s{rate}"
        )
        yield (
            f"{result.flows:,} flows, {result.nodata:,} NODATA, {result.skipdata:,} SKIPDATA, "
            f"{result.rejects:,} rejects → {where} (version {result.version})"
        )
    if result.already:
        yield f"{result.already:,} objects were in the lake already: nothing added for them"
    if not result.sources and not result.already and not result.refused and not result.failed:
        yield "nothing to read: no object found"
    if result.rejects:
        yield "see what was rejected and why: flowscan rejects"


def _show_result(result: IngestResult, where: str) -> None:
    from flowscan.cli.render import plain

    for line in _summary(result, where):
        typer.echo(plain(line))
    for title, rows in (("refused", result.refused), ("failed", result.failed)):
        for uri, reason in rows[:SHOWN]:
            typer.echo(plain(f"{title}: {uri}: {reason}"), err=True)
        if len(rows) > SHOWN:
            typer.echo(f"… and {len(rows) - SHOWN:,} more {title}", err=True)
