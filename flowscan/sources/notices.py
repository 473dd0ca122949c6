"""What a queue message says about new S3 objects. Pure.

Invariant: a message is either understood as a whole, or it is poison: a `BadNotice` that says
why. Shapes: S3 notifications, direct or wrapped by SNS, and EventBridge events of S3.
Source: S3 User Guide, "Event message structure" and "EventBridge event message structure".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

__all__ = ["BadNotice", "Notice", "parse_notice"]

MAX_NESTING = 3


class BadNotice(ValueError):  # noqa: N818 - the name of the thing
    """The message is no notification about S3 objects."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One object that was created; size and etag are None where the event does not tell."""

    bucket: str
    key: str
    size: int | None
    etag: str | None


def parse_notice(body: str | Mapping[str, Any], depth: int = 0) -> list[Notice]:
    """The objects that a message announces; none for a test event or a removal.

    Raises:
        BadNotice: it is no such message.
    """
    event = _as_object(body)
    if "Records" in event:
        records = event["Records"]
        if not isinstance(records, list):
            raise BadNotice("Records is no list")
        found = [_record(r, depth) for r in records]
        return [notice for notices in found for notice in notices]
    if event.get("Event") == "s3:TestEvent":
        return []
    if event.get("Type") == "Notification" and "Message" in event:
        return _nested(event["Message"], depth)
    if event.get("source") == "aws.s3" and isinstance(event.get("detail"), Mapping):
        if event.get("detail-type") != "Object Created":
            return []
        detail = event["detail"]
        return [_notice(detail.get("bucket"), detail.get("object"), "etag", encoded=False)]
    raise BadNotice("neither an S3 notification nor an S3 event of EventBridge")


def _as_object(body: str | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            raise BadNotice("no JSON") from None
    if not isinstance(body, Mapping):
        raise BadNotice("no JSON object")
    return body


def _nested(message: Any, depth: int) -> list[Notice]:
    if depth >= MAX_NESTING or not isinstance(message, str | Mapping):
        raise BadNotice("no message in the envelope")
    return parse_notice(message, depth + 1)


def _record(record: Any, depth: int) -> list[Notice]:
    if not isinstance(record, Mapping):
        raise BadNotice("a record is no object")
    if isinstance(record.get("Sns"), Mapping):  # Lambda's event of an SNS subscription
        return _nested(record["Sns"].get("Message"), depth)
    name = record.get("eventName")
    if not isinstance(record.get("s3"), Mapping) or not isinstance(name, str):
        raise BadNotice("a record is not about S3")
    if not name.removeprefix("s3:").startswith("ObjectCreated:"):
        return []
    s3 = record["s3"]
    return [_notice(s3.get("bucket"), s3.get("object"), "eTag", encoded=True)]


def _notice(bucket: Any, item: Any, etag_name: str, *, encoded: bool) -> Notice:
    if not isinstance(bucket, Mapping) or not isinstance(item, Mapping):
        raise BadNotice("no bucket or object in the event")
    name, key = bucket.get("name"), item.get("key")
    if not isinstance(name, str) or not isinstance(key, str) or not name or not key:
        raise BadNotice("no bucket or key in the event")
    size, etag = item.get("size"), item.get(etag_name)
    return Notice(
        name,
        unquote_plus(key) if encoded else key,
        size if isinstance(size, int) and size >= 0 else None,
        etag.strip('"') if isinstance(etag, str) and etag else None,
    )
