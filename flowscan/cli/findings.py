"""`flowscan findings`: list, show, archive, suppress, reopen and export what was found."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flowscan.cli.detect import FLOORS, Format, Severity, explain_one, show
from flowscan.cli.options import LakeOption, OutputOption, SinceOption, UntilOption

if TYPE_CHECKING:
    from flowscan.findings import Finding, Status
    from flowscan.findings.stored import Stored

app = typer.Typer(no_args_is_help=True, help="What the detections found.")


class Shown(StrEnum):
    """Which findings are listed, by status."""

    active = "active"
    archived = "archived"
    suppressed = "suppressed"
    all = "all"


class ExportFormat(StrEnum):
    """Forms for other systems."""

    guardduty = "guardduty"
    ocsf = "ocsf"
    asff = "asff"
    ecs = "ecs"
    cef = "cef"
    ndjson = "ndjson"
    json = "json"
    csv = "csv"


StatusOption = Annotated[Shown, typer.Option("--status", help="Which findings.")]
SeverityOption = Annotated[
    Severity, typer.Option("--severity", help="Findings of this severity and above.")
]
DetectionOption = Annotated[
    list[str] | None,
    typer.Option("--detection", help="Findings of this detection only; may be repeated."),
]
Ids = Annotated[list[str], typer.Argument(help="Ids, or unique beginnings of them.")]
Reason = Annotated[str | None, typer.Option("--reason", help="Why; kept with the finding.")]


def _chosen(
    lake: str | None,
    status: Shown,
    severity: Severity,
    detections: list[str] | None,
    since: str | None = None,
    until: str | None = None,
) -> Stored:
    from flowscan.cli.options import moment, open_lake
    from flowscan.findings.stored import Choice, choose

    choice = Choice(
        status=None if status is Shown.all else status.value,
        severity=FLOORS[severity],
        since=moment(since) or 0,
        until=moment(until) or 1 << 62,
    )
    opened = open_lake(lake)
    if not detections:
        return choose(opened, choice)
    named = frozenset(detections)
    # The catalogue knows the ones without findings, and what a wrong name may have meant.
    if unknown := named - set(opened.read("findings", ["detection"])["detection"].to_pylist()):
        from flowscan.detect import catalogue

        catalogue(only=tuple(sorted(unknown)))
    return choose(opened, replace(choice, detections=named))


@app.command("list")
def list_(
    lake: LakeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    status: StatusOption = Shown.active,
    severity: SeverityOption = Severity.informational,
    detection: DetectionOption = None,
    format_: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.table,
    output: OutputOption = None,
) -> None:
    """List findings, the most severe and latest first.

    Example: flowscan findings list --since 7d --severity medium
    """
    show(_chosen(lake, status, severity, detection, since, until), format_, output)


@app.command("show")
def show_one(
    ids: Ids,
    lake: LakeOption = None,
    format_: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.table,
) -> None:
    """Show all that is known of findings: evidence, actors, SQL, what to do.

    Example: flowscan findings show 6c4e17
    """
    from flowscan.cli.options import open_lake
    from flowscan.detect import catalogue, store
    from flowscan.findings.stored import choose

    every = choose(open_lake(lake))
    known = every.table["id"].to_pylist()
    found = every.take([known.index(store.pick(known, text)) for text in ids])
    if format_ is not Format.table:
        show(found, format_, None)
        return
    detections = {d.id: d for d in catalogue()}
    for finding in found.findings():
        explain_one(finding, detections.get(finding.detection))


@app.command("archive")
def archive(ids: Ids, lake: LakeOption = None, reason: Reason = None) -> None:
    """Put findings aside; one with new activity comes back.

    Example: flowscan findings archive 6c4e17 --reason "our own scanner"
    """
    _set(lake, ids, "archived", reason)


@app.command("suppress")
def suppress(
    ids: Ids,
    reason: Annotated[str, typer.Option("--reason", help="Why this is expected here.")],
    lake: LakeOption = None,
) -> None:
    """Silence findings for good. Rules with conditions and an expiry stand in flowscan.toml.

    Example: flowscan findings suppress 6c4e17 --reason "off-site backup"
    """
    _set(lake, ids, "suppressed", reason)


@app.command("reopen")
def reopen(ids: Ids, lake: LakeOption = None) -> None:
    """Make archived or suppressed findings active again.

    Example: flowscan findings reopen 6c4e17
    """
    _set(lake, ids, "active", None)


def _set(lake: str | None, ids: list[str], status: Status, reason: str | None) -> None:
    import time

    from flowscan.cli.options import open_lake
    from flowscan.detect import store

    changed = store.set_status(open_lake(lake), ids, status, reason, int(time.time()))
    for finding in changed:
        typer.echo(f"{finding.id[:10]} {finding.detection}: {status}")


@app.command("export")
def export(
    form: Annotated[ExportFormat, typer.Option("--format", help="Form.")] = ExportFormat.ocsf,
    lake: LakeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    status: StatusOption = Shown.active,
    severity: SeverityOption = Severity.informational,
    detection: DetectionOption = None,
    output: OutputOption = None,
    send: Annotated[
        bool,
        typer.Option("--send", help="With asff: import into Security Hub, 100 at a time."),
    ] = False,
) -> None:
    """Write findings for another system, one document a line.

    Example: flowscan findings export --format asff --severity medium --send
    """
    from flowscan.errors import UsageError
    from flowscan.export import write

    found = _chosen(lake, status, severity, detection, since, until)
    if send:
        if form is not ExportFormat.asff:
            raise UsageError("--send goes with --format asff")
        _send(found.findings())
        return
    if not found:
        typer.echo("no findings", err=True)
    if output is None:
        write(found.findings(), form.value, sys.stdout)
        return
    _to_file(found.findings(), form, output)


def _to_file(found: Iterable[Finding], form: ExportFormat, output: Path) -> None:
    from flowscan.export import write

    with output.open("w", encoding="utf-8") as stream:
        number = write(found, form.value, stream)
    typer.echo(f"{number} findings → {output}", err=True)


def _send(found: Iterable[Finding]) -> None:
    from flowscan.export.asff import send as to_security_hub

    taken, refused = to_security_hub(found)
    typer.echo(f"{taken} findings imported", err=True)
    for line in refused:
        typer.echo(line, err=True)
    if refused:
        raise typer.Exit(3)
