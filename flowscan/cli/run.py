"""`flowscan run`: the scheduled cycle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from flowscan.batch import Summary


def command(
    config: Annotated[
        Path | None,
        typer.Option("--config", help="Settings; default: FLOWSCAN_CONFIG, ./flowscan.toml."),
    ] = None,
    lake: Annotated[
        str | None, typer.Option("--lake", help="Another lake than that of the settings.")
    ] = None,
    every: Annotated[
        str | None, typer.Option("--every", help="Go on for ever, a cycle every 10m, 1h …")
    ] = None,
) -> None:
    """Do one cycle: ingest what is new, match, detect, report, export, notify, upkeep.

    Prints one line of JSON per cycle. Exit codes: 0 done (or nothing to do), 2 wrong settings,
    3 something failed (the line says what; the next cycle tries again), 75 another cycle holds
    the lake.

    Example: flowscan run --config /etc/flowscan/flowscan.toml --every 10m
    """
    from dataclasses import replace

    from flowscan.batch import keep_running, run_cycle
    from flowscan.batch.schedule import stop_on_signal
    from flowscan.config import Settings, load, parse_duration

    def settings() -> Settings:
        loaded = load(config)
        return replace(loaded, lake=replace(loaded.lake, path=lake)) if lake else loaded

    with stop_on_signal() as stop:
        if every:
            summary = keep_running(settings, parse_duration(every), stop, _show, typer.echo)
        else:
            summary = run_cycle(settings(), stop=stop, tell=typer.echo)
            _show(summary)
    if summary.exit_code:
        raise typer.Exit(summary.exit_code)


def _show(summary: Summary) -> None:
    typer.echo(summary.to_json())
