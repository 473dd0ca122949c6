"""`flowscan report`: the report of a period in a terminal, as a page, or as data."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    from flowscan.report import Report


MmdbOption = Annotated[
    list[Path] | None,
    typer.Option("--mmdb", help="MMDB files with country or AS; adds to flowscan.toml."),
]


class Format(StrEnum):
    """Formats of a report."""

    terminal = "terminal"
    html = "html"
    json = "json"
    csv = "csv"
    markdown = "markdown"


class Severity(StrEnum):
    """Severities of findings, lowest first."""

    informational = "informational"
    low = "low"
    medium = "medium"
    high = "high"
    critical = "critical"


_SUFFIXES = {
    ".html": Format.html,
    ".htm": Format.html,
    ".json": Format.json,
    ".csv": Format.csv,
    ".md": Format.markdown,
}


def command(
    lake: LakeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    format_: Annotated[
        Format | None,
        typer.Option("--format", help="Default: by the name of --output, else terminal."),
    ] = None,
    output: OutputOption = None,
    fail_on: Annotated[
        Severity | None,
        typer.Option("--fail-on", help="Exit with 1 if an active finding is this severe."),
    ] = None,
    mmdb: MmdbOption = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Serve the page on 127.0.0.1 instead.")
    ] = False,
    engine: EngineOption = EngineName.duckdb,
    database: DatabaseOption = "flowscan",
    workgroup: WorkgroupOption = "primary",
    results: ResultsOption = None,
) -> None:
    """Report what happened: verdict, findings, refused ports, exposure, traffic, coverage.

    Without --since it covers all of the lake, at most the last seven days of it.

    Example: flowscan report --since 24h -o report.html --fail-on high
    """
    from flowscan.cli.options import moment, open_lake

    if watch:
        from flowscan.cli.serve import command as serve

        serve(lake=lake, mmdb=mmdb)
        return
    from flowscan.cli.render import progress
    from flowscan.config import load
    from flowscan.enrich import Geo
    from flowscan.report import Options, build

    chosen = format_ or _SUFFIXES.get(output.suffix.lower() if output else "", Format.terminal)
    paths = [*(mmdb or ()), *load().enrich.mmdb]
    opened = open_lake(lake)
    with (
        Geo(paths) as geo,
        engine_of(engine, opened, database, workgroup, results) as opener,
        progress("reading the lake") as say,
    ):
        options = Options(geo=geo, opener=opener)
        report = build(opened, moment(since), moment(until), options=options)
        say("drawing")
        text = _render(report, chosen, to_file=output is not None)
    if output is None:
        typer.echo(text, nl=False)
    else:
        _write(output, text)
        typer.echo(f"wrote {output}", err=True)
    if fail_on is not None and _at_least(report, fail_on):
        raise typer.Exit(1)


def _render(report: Report, chosen: Format, *, to_file: bool) -> str:
    from flowscan.report import render_terminal, renderer

    if chosen is Format.terminal:
        width, color = (100, False) if to_file else _screen()
        return render_terminal(report, width=width, color=color)
    return renderer(chosen.value)(report)


def _screen() -> tuple[int, bool]:
    """Width of the terminal, and whether it shows colours; a pipe gets 100 columns and none."""
    from flowscan.cli.render import console

    out = console()
    return (out.width if out.is_terminal else 100), bool(out.is_terminal and out.color_system)


def _write(path: Path, text: str) -> None:
    """Write a file that only its owner reads: flow data tells much about a network."""
    # An existing file keeps its mode: the reader chose it.
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
        stream.write(text)


def _at_least(report: Report, floor: Severity) -> bool:
    order = list(Severity)
    wanted = order[order.index(floor) :]
    return any(report.severities.get(severity.value, 0) for severity in wanted)
