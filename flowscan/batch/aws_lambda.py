"""The same cycle as an AWS Lambda function.

`handler` takes what arrives: SQS batches of S3 notifications (answered with the messages that
failed, so that only those come again), S3 events directly, via SNS or via EventBridge, and
EventBridge schedules, for which it does a whole cycle. Settings come from the environment:
FLOWSCAN_LAKE, FLOWSCAN_INGEST_SOURCES, and so on.
Invariant: a message is reported as done only when each of its objects is committed or refused.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from flowscan.batch.cycle import open_lake, run_cycle
from flowscan.batch.reading import source_options
from flowscan.config import Settings, load, redact
from flowscan.errors import FlowscanError, SourceError
from flowscan.ingest import IngestOptions, ingest
from flowscan.parse import parse_format
from flowscan.sources import SourceObject
from flowscan.sources.announced import AnnouncedSource, Buckets
from flowscan.sources.notices import BadNotice, parse_notice

__all__ = ["handler"]

log = logging.getLogger("flowscan.lambda")

RESERVE = 45  # seconds before the time limit at which nothing new is begun
Identities = set[tuple[str, str]]


def handler(event: Mapping[str, Any], context: Any = None) -> dict[str, Any]:
    """AWS Lambda's entry point.

    Returns `{"batchItemFailures": […]}` for SQS, else figures. Raises when a direct S3 event
    could not be ingested or a cycle failed, so that Lambda tries again or raises its alarm.
    """
    settings = load()
    with _deadline(context) as stop:
        records = event.get("Records")
        if isinstance(records, Sequence) and records and _is_sqs(records[0]):
            return _queue(settings, records, stop)
        if records is not None or event.get("source") == "aws.s3":
            return _announced(settings, event, stop)
        summary = run_cycle(settings, stop=stop, tell=log.info)
    line = summary.to_json()
    log.info("%s", line)
    if summary.status in ("failed", "partial"):
        raise FlowscanError(f"the cycle is {summary.status}: {line}"[:4000])
    return {"status": summary.status, "seconds": round(summary.seconds, 3)}


def _is_sqs(record: Any) -> bool:
    return isinstance(record, Mapping) and record.get("eventSource") == "aws:sqs"


@contextmanager
def _deadline(context: Any) -> Iterator[threading.Event]:
    """An event that is set shortly before Lambda would kill the function."""
    stop = threading.Event()
    if context is None:
        yield stop
        return
    left = context.get_remaining_time_in_millis() / 1000
    timer = threading.Timer(max(1.0, left - RESERVE), stop.set)
    timer.daemon = True
    timer.start()
    try:
        yield stop
    finally:
        timer.cancel()


def _queue(
    settings: Settings, records: Sequence[Mapping[str, Any]], stop: threading.Event
) -> dict[str, Any]:
    buckets = Buckets(source_options(settings))
    wanted: dict[str, Identities | None] = {}  # None: poison
    objects: dict[tuple[str, str], SourceObject] = {}
    for record in records:
        message = str(record["messageId"])
        try:
            found = [o for o in map(buckets.object, parse_notice(record["body"])) if o]
        except (BadNotice, SourceError) as reason:
            log.warning("message %s left: %s", message, redact(str(reason)))
            wanted[message] = None
            continue
        objects.update({(o.uri, o.etag): o for o in found})
        wanted[message] = {(o.uri, o.etag) for o in found}
    settled = _ingest(settings, list(objects.values()), buckets, stop)
    failed = [m for m, ids in wanted.items() if ids is None or not ids <= settled]
    log.info("%d of %d messages done", len(wanted) - len(failed), len(wanted))
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}


def _announced(
    settings: Settings, event: Mapping[str, Any], stop: threading.Event
) -> dict[str, Any]:
    buckets = Buckets(source_options(settings))
    objects = [o for o in map(buckets.object, parse_notice(event)) if o]
    settled = _ingest(settings, objects, buckets, stop)
    missing = [o.uri for o in objects if (o.uri, o.etag) not in settled]
    if missing:
        raise SourceError(f"{len(missing)} objects could not be read", where=missing[0])
    return {"objects": len(objects)}


def _ingest(
    settings: Settings, objects: list[SourceObject], buckets: Buckets, stop: threading.Event
) -> Identities:
    """Reads the objects; gives the identities that need not be read again."""
    if not objects:
        return set()
    source = AnnouncedSource(objects, buckets, settings.ingest.concurrency)
    options = IngestOptions(
        workers=settings.ingest.workers or IngestOptions().workers,
        format=parse_format(settings.ingest.format) if settings.ingest.format else None,
        stop=stop,
    )
    result = ingest(open_lake(settings), [source], options)
    for uri, reason in result.failed:
        log.warning("%s: %s", redact(uri), redact(reason))
    return source.settled
