"""The first stage: what is new at every source.

Invariant: the window of a listing only ever saves work. It begins `overlap` before the start of
the source's last cycle without failures, so that late objects are seen and failed ones come
again; whether an object is new is decided by the ledger alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flowscan.batch.model import Context, StageResult
from flowscan.config import Settings, parse_duration, redact
from flowscan.errors import FlowscanError, SourceError, UsageError
from flowscan.ingest import IngestOptions, IngestResult, ingest
from flowscan.parse import parse_format
from flowscan.sources import SourceOptions, Window, open_source

__all__ = ["ingest_stage", "source_options"]

NAMED = 10  # objects named one by one in the summary


def ingest_stage(context: Context) -> StageResult:
    """Reads every source; one that cannot be listed does not keep the others from being read."""
    settings = context.settings.ingest
    if not settings.sources:
        return StageResult("nothing", message="no sources: name some in [ingest] sources")
    total = IngestResult()
    errors: list[str] = []
    for uri in settings.sources:
        if context.stop.is_set():
            break
        try:
            result = _read(context, uri)
        except (SourceError, UsageError) as error:
            errors.append(redact(str(error)))
            continue
        total.add(result)
        if not result.failed and not context.stop.is_set():
            context.memory.sources[uri] = context.now
    return _result(total, errors)


def _read(context: Context, uri: str) -> IngestResult:
    settings = context.settings.ingest
    source = open_source(uri, source_options(context.settings))
    options = IngestOptions(
        workers=settings.workers or IngestOptions().workers,
        window=Window(
            since=_since(context, uri),
            accounts=frozenset(settings.accounts),
            regions=frozenset(settings.regions),
        ),
        format=parse_format(settings.format) if settings.format else None,
        stop=context.stop,
    )
    return ingest(context.lake, [source], options)


def source_options(every: Settings) -> SourceOptions:
    """How the sources of the settings are reached."""
    settings, lake = every.ingest, every.lake.path
    return SourceOptions(
        exclude=(lake if "://" in lake else Path(lake).absolute(),),
        endpoint_url=settings.endpoint_url or None,
        profile=settings.profile or None,
        region_name=settings.region or None,
        role_arn=settings.role_arn or None,
        request_payer=settings.request_payer,
        concurrency=settings.concurrency,
    )


def _since(context: Context, uri: str) -> int | None:
    settings = context.settings.ingest
    last = context.memory.sources.get(uri)
    if uri.startswith("sqs://"):
        return None  # the queue itself remembers
    if last is not None:
        return max(0, last - settings.overlap)
    if settings.first == "all":
        return None
    try:
        return max(0, context.now - parse_duration(settings.first))
    except UsageError as error:
        raise FlowscanError(error.what, where="[ingest] first", hint="write 7d or all") from None


def _result(total: IngestResult, errors: list[str]) -> StageResult:
    figures: dict[str, Any] = {
        name: getattr(total, name)
        for name in ("sources", "already", "bytes", "records", "flows", "nodata", "skipdata")
    }
    figures |= {
        "rejects": total.rejects,
        "refused": len(total.refused),
        "failed": len(total.failed),
        "version": total.version,
        "stage_seconds": {k: round(v, 3) for k, v in total.seconds.items()},
    }
    for name, rows in (("refused", total.refused), ("failed", total.failed)):
        if rows:
            figures[f"{name}_first"] = [f"{u}: {r}" for u, r in rows[:NAMED]]
    if errors:
        figures["errors"] = errors
        return StageResult("failed" if not total.sources else "partial", figures, errors[0])
    if total.failed:
        return StageResult("partial", figures, "some objects could not be read; tried again")
    return StageResult("done" if total.sources or total.refused else "nothing", figures)
