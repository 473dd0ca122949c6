"""One cycle, from the lock to the summary.

Invariant: the lock is held from before the first stage until after the last; told to stop, a
cycle finishes the commit it is in and begins nothing new; every outcome, also an unforeseen
exception, ends in a summary.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace

from flowscan.batch.exporting import export_stage
from flowscan.batch.memory import Memory
from flowscan.batch.model import Context, StageResult, Summary
from flowscan.batch.notify import notify_stage
from flowscan.batch.output import publish
from flowscan.batch.reading import ingest_stage
from flowscan.batch.stages import (
    detect_stage,
    feeds_stage,
    match_stage,
    report_stage,
    traffic_stage,
    upkeep_stage,
)
from flowscan.config import Settings, redact
from flowscan.errors import ConfigError, FlowscanError, LakeBusy
from flowscan.lake import Lake, StoreOptions
from flowscan.lake.lock import hold

__all__ = ["open_lake", "run_cycle"]

log = logging.getLogger(__name__)

STAGES: dict[str, Callable[[Context], StageResult]] = {
    "ingest": ingest_stage,
    "traffic": traffic_stage,
    "feeds": feeds_stage,
    "match": match_stage,
    "detect": detect_stage,
    "report": report_stage,
    "export": export_stage,
    "notify": notify_stage,
    "upkeep": upkeep_stage,
}


def _ignore(line: str) -> None:
    log.info("%s", line)


def open_lake(settings: Settings) -> Lake:
    """The lake of the settings, created if there is none. Raises LakeError."""
    chosen = settings.lake
    options = StoreOptions(
        endpoint_url=chosen.endpoint_url or None,
        region_name=chosen.region or None,
        profile=chosen.profile or None,
        role_arn=chosen.role_arn or None,
    )
    return Lake.open(chosen.path, create=True, options=options)


def run_cycle(
    settings: Settings,
    *,
    stop: threading.Event | None = None,
    tell: Callable[[str], None] = _ignore,
    clock: Callable[[], float] = time.time,
) -> Summary:
    """Does one cycle.

    `stop`, once set, ends it after the commit under way; `tell` prints a line for notifications.
    Raises ConfigError for settings that no cycle can work with; everything else is in the summary.
    """
    stop = stop or threading.Event()
    unknown = [name for name in settings.run.stages if name not in STAGES]
    if unknown:
        raise ConfigError(
            f"unknown stage {unknown[0]!r}",
            where="[run] stages",
            hint=f"known: {', '.join(STAGES)}",
        )
    began = time.perf_counter()
    summary = Summary(settings.lake.path, int(clock()))
    try:
        lake = open_lake(settings)
        with hold(lake.store, settings.run.hold, clock) as lock:
            context = Context(lake, settings, Memory.recall(lake), int(clock()), stop, tell)
            _work(context, summary, lock.lost)
    except LakeBusy as error:
        summary.status, summary.message = "busy", redact(error.what)
    except ConfigError:
        raise
    except (FlowscanError, OSError) as error:
        summary.status, summary.message = "failed", redact(str(error))
    summary.seconds = time.perf_counter() - began
    _beat(settings, summary)
    return summary


def _work(context: Context, summary: Summary, lost: threading.Event) -> None:
    for name in context.settings.run.stages:
        if lost.is_set():
            # Somebody took this cycle for dead and does its work.
            summary.status, summary.message = "stopped", "the lock was taken over"
            return
        if context.stop.is_set():
            summary.stages[name] = StageResult("skipped")
            continue
        summary.stages[name] = _stage(name, context)
        context.memory.keep(context.lake)
    found = {stage.status for stage in summary.stages.values()}
    if context.stop.is_set():
        summary.status, summary.message = "stopped", "told to stop"
    elif "failed" in found:
        summary.status = "failed"
    elif "partial" in found:
        summary.status = "partial"


def _stage(name: str, context: Context) -> StageResult:
    began = time.perf_counter()
    try:
        result = STAGES[name](context)
    except ConfigError:
        raise
    except (FlowscanError, OSError) as error:
        result = StageResult("failed", message=redact(str(error)))
    except Exception as error:  # noqa: BLE001 - a defect in one stage must not silence the others
        log.warning("stage %s: %s", name, redact(repr(error)))
        log.debug("%s", redact("".join(traceback.format_exception(error))))
        result = StageResult("failed", message=redact(f"{type(error).__name__}: {error}"))
    return replace(result, seconds=time.perf_counter() - began)


def _beat(settings: Settings, summary: Summary) -> None:
    """Writes the summary for monitoring; a disk that is full must not hide the outcome."""
    if not settings.run.heartbeat or summary.status == "busy":
        return
    try:
        publish(settings.run.heartbeat, [f"{summary.to_json()}\n"])
    except FlowscanError as error:
        log.warning("heartbeat: %s", redact(str(error)))
