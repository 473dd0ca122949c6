"""`flowscan detect`: run the detections over what is new and show what they raise."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flowscan.cli.athena import (
    DatabaseOption,
    EngineName,
    EngineOption,
    ResultsOption,
    WorkgroupOption,
    engine_of,
)
from flowscan.cli.options import LakeOption, OutputOption, SinceOption, UntilOption

if TYPE_CHECKING:
    from flowscan.detect import Detection, DetectResult, Options
    from flowscan.findings import Finding
    from flowscan.findings.stored import Stored


class Severity(StrEnum):
    """Severities of findings, lowest first."""

    informational = "informational"
    low = "low"
    medium = "medium"
    high = "high"
    critical = "critical"


class Format(StrEnum):
    """Formats of findings on standard output."""

    table = "table"
    json = "json"
    ndjson = "ndjson"
    csv = "csv"


# Each chunk of days costs some seventy statements, whatever its size.
_ATHENA_ROWS = 2_000_000_000

FLOORS = {"informational": 0.0, "low": 1.0, "medium": 4.0, "high": 7.0, "critical": 9.0}


def command(
    lake: LakeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Only this detection; may be repeated.")
    ] = None,
    detections: Annotated[
        Path | None,
        typer.Option("--detections", help="Folder of your own detections (*.sql)."),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show evidence, SQL and what to do for each finding.")
    ] = False,
    list_: Annotated[
        bool, typer.Option("--list", help="List the detections and how they stand on this lake.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Evaluate days that have not changed, too.")
    ] = False,
    fail_on: Annotated[
        Severity | None,
        typer.Option("--fail-on", help="Exit with 1 if an active finding is this severe."),
    ] = None,
    format_: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.table,
    output: OutputOption = None,
    engine: EngineOption = EngineName.duckdb,
    database: DatabaseOption = "flowscan",
    workgroup: WorkgroupOption = "primary",
    results: ResultsOption = None,
) -> None:
    """Run the detections over the days that are new or have changed; keep and show the findings.

    Whole UTC days are evaluated, so running it hourly and once over all give the same findings.

    Example: flowscan detect --since 7d --explain
    """
    from flowscan.cli.options import moment, open_lake

    opened = open_lake(lake)
    options = _options(moment(since), moment(until), only, detections, again=again)
    if list_:
        _list(opened, options, format_, output)
        return
    import time
    from dataclasses import replace

    from flowscan.detect import catalogue, detect
    from flowscan.findings.stored import Choice, choose

    with engine_of(engine, opened, database, workgroup, results, shows=True) as opener:
        if opener is not None:
            options = replace(options, opener=opener, chunk_rows=_ATHENA_ROWS)
        result = detect(opened, options, now=int(time.time()))
    named = frozenset(only) if only else None
    window = (options.since or 0, options.until or 1 << 62)
    found = choose(opened, Choice("active", 0.0, named, *window))
    if not result.days and not opened.snapshot().files("flows"):
        typer.echo("the lake has no flows yet: flowscan ingest ./logs", err=True)
    else:
        _summary(result)
    show(found, format_, output)
    if explain and format_ is Format.table:
        known = {d.id: d for d in catalogue(options.folder)}
        for finding in found.findings():
            explain_one(finding, known.get(finding.detection))
    if fail_on and any(s >= FLOORS[fail_on] for s in found.table["severity"].to_pylist()):
        raise typer.Exit(1)


def _options(
    since: int | None,
    until: int | None,
    only: list[str] | None,
    folder: Path | None,
    *,
    again: bool,
) -> Options:
    from flowscan.config import load
    from flowscan.detect import Options
    from flowscan.errors import UsageError

    loaded = load()
    settings = loaded.detect
    if folder is None and settings.detections:
        folder = Path(settings.detections)
    if folder is not None and not folder.is_dir():
        raise UsageError("no such folder", where=str(folder))
    return Options(
        since=since,
        until=until,
        only=tuple(only or settings.only),
        skip=() if only else settings.skip,
        folder=folder,
        parameters=settings.parameters,
        trusted=settings.trusted,
        mmdb=loaded.enrich.mmdb,
        suppress=settings.suppress,
        again=again,
    )


def _summary(result: DetectResult) -> None:
    from collections import defaultdict

    days = f"{len(result.days)} days" if len(result.days) != 1 else "1 day"
    typer.echo(
        f"{len(result.ran)} detections over {days} that are new or have changed; "
        f"{len(result.findings)} findings are new or have changed",
        err=True,
    )
    for what, reasons in (
        ("with reduced confidence", result.reduced),
        ("could not run", result.skipped),
    ):
        grouped = defaultdict(list)
        for name, why in reasons.items():
            grouped[why].append(name)
        for why, names in grouped.items():
            typer.echo(f"{what}: {', '.join(names)} ({why})", err=True)
    for name, number in result.left_out.items():
        typer.echo(f"{name}: {number:,} less severe findings were left out", err=True)


def show(found: Stored, format_: Format, output: Path | None) -> None:
    """Write findings to stdout or a file: a table for people, or documents."""
    import sys

    from flowscan.cli import render

    if format_ is not Format.table:
        from flowscan.export import write

        if output is None:
            write(found.findings(), format_.value, sys.stdout)
        else:
            with output.open("w", encoding="utf-8") as stream:
                write(found.findings(), format_.value, stream)
        return
    if not found:
        typer.echo("no findings", err=True)
        return
    render.emit(_table(found.table), render.Format.table, output)


def _table(found: Any) -> Any:
    import pyarrow as pa

    from flowscan.findings import severity_label
    from flowscan.text import utc

    columns = {name: found[name].to_pylist() for name in ("id", "severity", "last_seen")}
    return pa.table(
        {
            "id": [id_[:10] for id_ in columns["id"]],
            "severity": [f"{s:.1f} {severity_label(s)}" for s in columns["severity"]],
            "detection": found["detection"],
            "resource": found["resource"],
            "what": found["description"],
            "sessions": found["count"],
            "last seen": [utc(seen) for seen in columns["last_seen"]],
        }
    )


def explain_one(finding: Finding, detection: Detection | None) -> None:
    """Print everything that is known of a finding, for people."""
    from flowscan.findings import severity_label
    from flowscan.report.findings import text_of
    from flowscan.text import human_bytes, plain, utc

    label = severity_label(finding.severity)
    typer.echo(f"\n{finding.id}  {finding.severity:.1f} {label}  {finding.type}")
    typer.echo(plain(f"  {finding.title}: {finding.description}"))
    typer.echo(plain(f"  {finding.resource_role.lower()}: {finding.resource}"))
    sessions = f"{finding.count:,} session{'s' if finding.count != 1 else ''}"
    span = f"{utc(finding.first_seen)} to {utc(finding.last_seen)}"
    size = human_bytes(finding.counts.bytes)
    typer.echo(f"  {sessions}, {finding.counts.packets:,} packets, {size}, {span}")
    if finding.status != "active":
        typer.echo(plain(f"  {finding.status}: {finding.status_reason or ''}"))
    if finding.confidence == "reduced":
        typer.echo("  confidence is reduced: the logs lack fields that this detection would use")
    for name, value in finding.evidence.items():
        if name not in ("what", "samples", "sql"):
            typer.echo(plain(f"  {name.replace('_', ' ')}: {text_of(name, value)}"))
    named = finding.actors[:10]
    typer.echo(f"  actors ({finding.actors_total:,}):")
    for actor in named:
        feed = f", listed by {actor.details['feed']}" if actor.details.get("feed") else ""
        typer.echo(plain(f"    {actor.address}: {actor.counts.flows:,} sessions{feed}"))
    if detection is not None:
        typer.echo(f"  could also be: {detection.false_positives}")
        typer.echo(f"  do: {detection.triage}")
        typer.echo(f"  ATT&CK: {', '.join(detection.attack)}")
    typer.echo(plain(f"  all rows: {finding.evidence.get('sql', '')}"))


def _list(opened: Any, options: Options, format_: Format, output: Path | None) -> None:
    import pyarrow as pa

    from flowscan.cli import render
    from flowscan.detect import catalogue
    from flowscan.detect.run import standings

    every = catalogue(options.folder, options.only, options.skip)
    columns = set(opened.snapshot().columns("flows"))
    feeds = opened.read("indicators").num_rows > 0
    _, reduced, skipped = standings(columns, every, has_feeds=feeds, has_geo=bool(options.mmdb))
    rows = [
        {
            "detection": d.id,
            "type": d.type,
            "severity": d.severity,
            "here": "cannot" if d.id in skipped else "reduced" if d.id in reduced else "runs",
            "why": skipped.get(d.id) or reduced.get(d.id) or "",
        }
        for d in every
    ]
    form = {"table": "table", "json": "json", "ndjson": "ndjson", "csv": "csv"}[format_.value]
    render.emit(pa.Table.from_pylist(rows), render.Format(form), output)
