"""The stages between reading and telling: feeds, match, detect, report, upkeep.

Invariant: each is one call of the library and a few figures; a stage without anything to work on
says so and is no failure.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from flowscan.batch.made import name_of, remember, stands
from flowscan.batch.model import Context, StageResult
from flowscan.batch.output import publish
from flowscan.batch.reading import source_options
from flowscan.config import parse_time
from flowscan.feeds.store import FeedStore

__all__ = [
    "detect_stage",
    "feeds_stage",
    "match_stage",
    "report_stage",
    "traffic_stage",
    "upkeep_stage",
]

_HOUR = 3600
_REPORTED = ("flows", "coverage", "rejects", "findings", "matches", "indicators")


def feeds_stage(context: Context) -> StageResult:
    """Fetches the feeds again that are due."""
    store = FeedStore(context.lake)
    enabled = [feed for feed in store.all() if feed.enabled]
    if not enabled:
        return StageResult("nothing", message="no feeds yet: flowscan feeds add tor-exit")
    refresh = context.settings.feeds.refresh
    due = [f.name for f in enabled if refresh and (f.checked or 0) + refresh <= context.now]
    if not due:
        return StageResult("nothing", {"feeds": len(enabled)})
    updates = store.update(due)
    figures: dict[str, int] = {"feeds": len(enabled)}
    figures |= Counter(str(u.outcome) for u in updates)
    failed = [f"{u.feed.name}: {u.message}" for u in updates if u.outcome == "failed"]
    return StageResult("partial" if failed else "done", figures, "; ".join(failed)[:500])


def traffic_stage(context: Context) -> StageResult:
    """Derives who called whom, of the days whose flows changed."""
    from flowscan.traffic import fold

    done = fold(context.lake)
    figures = {"days": len(done.days), "flows": done.flows}
    return StageResult("done" if done.days else "nothing", figures)


def match_stage(context: Context) -> StageResult:
    """Matches the feeds against the days that changed."""
    from flowscan.match import match

    if not any(feed.enabled for feed in FeedStore(context.lake).all()):
        return StageResult("nothing", message="no feeds")
    result = match(context.lake, incremental=True, now=context.now)
    figures = {"matches": result.rows.num_rows, "flows": result.stats.flows}
    return StageResult("done" if result.stats.days else "nothing", figures)


def detect_stage(context: Context) -> StageResult:
    """Runs the detections over the days that changed."""
    from flowscan.detect import Options, detect

    settings = context.settings.detect
    options = Options(
        only=settings.only,
        skip=settings.skip,
        folder=Path(settings.detections) if settings.detections else None,
        parameters=settings.parameters,
        trusted=settings.trusted,
        mmdb=context.settings.enrich.mmdb,
        suppress=settings.suppress,
    )
    if not context.lake.snapshot().files("flows"):
        return StageResult("nothing", message="no flows yet")
    result = detect(context.lake, options, now=context.now)
    figures = {
        "findings": len(result.findings),
        "days": len(result.days),
        "ran": len(result.ran),
        "reduced": len(result.reduced),
        "skipped": len(result.skipped),
    }
    return StageResult("done" if result.days else "nothing", figures)


def report_stage(context: Context) -> StageResult:
    """Writes the report, when something that it shows has changed.

    Its window begins at a full hour, so that it is not another one ten minutes later.
    """
    settings = context.settings.report
    if not settings.path:
        return StageResult("nothing", message="no report asked for: see [report]")
    snapshot = context.lake.snapshot()
    if not snapshot.files("flows"):
        return StageResult("nothing", message="no flows yet")
    since = parse_time(settings.since, datetime.fromtimestamp(context.now, UTC))
    since -= since % _HOUR
    name = name_of(snapshot, _REPORTED, settings, since)
    if stands(context, "report", settings.path, name):
        return StageResult("unchanged", {"path": settings.path})
    from flowscan.report import build, renderer

    built = build(context.lake, since, None, now=context.now)
    text = renderer(settings.format)(built)
    publish(settings.path, [text], source_options(context.settings))
    remember(context, "report", name)
    return StageResult("done", {"path": settings.path, "bytes": len(text)})


def upkeep_stage(context: Context) -> StageResult:
    """Compacts sealed dates, expires old flows, deletes what is no longer used; when due."""
    from flowscan.lake.compact import compact
    from flowscan.lake.expire import expire, purge

    settings = context.settings.upkeep
    if not settings.every or context.memory.upkeep + settings.every > context.now:
        return StageResult("nothing")
    figures: dict[str, int] = {}
    if settings.expire:
        removed = expire(context.lake, before=context.now - settings.expire)
        figures |= {"expired_files": removed.files, "expired_flows": removed.flows}
    if settings.compact:
        dates = before = after = 0
        for done in compact(context.lake, now=context.now):
            dates += 1
            before += done.files_before
            after += done.files_after
            if context.stop.is_set():
                return StageResult("partial", figures, "told to stop; goes on next time")
        figures |= {"compacted": dates, "files_before": before, "files_after": after}
    figures["purged_files"] = purge(context.lake, now=context.now).files
    context.memory.upkeep = context.now
    return StageResult("done", figures)
