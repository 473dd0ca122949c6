"""Objects announced by an SQS queue.

Invariant: a message is deleted only when every object it announces is committed or refused; a
message that cannot be understood is reported and left to the queue's redrive policy. Objects
have the same identity as listed ones, so a queue and a listing of the same bucket can be mixed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from flowscan.errors import SourceError, UsageError
from flowscan.sources.announced import Buckets
from flowscan.sources.aws import client, explain
from flowscan.sources.keys import parse_key, wanted
from flowscan.sources.model import Payload, SourceObject, SourceOptions, Window
from flowscan.sources.notices import BadNotice, parse_notice
from flowscan.sources.s3 import split_uri

__all__ = ["SqsSource"]

log = logging.getLogger(__name__)

BATCH = 10  # SQS's own limit per call
MOST = 10_000  # messages taken by one listing; the next one takes the others
HIDDEN = 900  # seconds that a taken message stays invisible to others


@dataclass(slots=True)
class _Message:
    handle: str
    waiting: set[tuple[str, str]] = field(default_factory=set)


Handles: TypeAlias = list[str]  # `list` is a method inside the class


class SqsSource:
    """`sqs://https://sqs.REGION.amazonaws.com/ACCOUNT/QUEUE` (the https:// may be left out)."""

    format: tuple[str, ...] | None = None

    def __init__(self, uri: str, options: SourceOptions) -> None:
        """Raises UsageError for a bad URL, SourceError without credentials."""
        self._url, reach = _queue(uri, options)
        self.concurrency = options.concurrency
        self._client = client("sqs", reach)
        self._lock = threading.Lock()
        self._buckets = Buckets(options)
        self._messages: dict[tuple[str, str], list[_Message]] = {}
        self.poison: Handles = []
        """Ids of messages that could not be understood, with the reason."""

    def list(self, window: Window) -> Iterator[SourceObject]:
        """Takes messages until the queue is empty and gives their objects.

        Messages about objects outside the window are left. Raises SourceError.
        """
        taken = 0
        while taken < MOST and (messages := self._receive()):
            taken += len(messages)
            nothing: Handles = []
            for message in messages:
                objects = self._objects(message, window)
                if objects is not None:
                    yield from objects
                    if not objects:
                        nothing.append(message["ReceiptHandle"])
            self._delete(nothing)

    def _receive(self) -> Sequence[dict[str, Any]]:
        answer = self._call(
            "receive_message",
            MaxNumberOfMessages=BATCH,
            WaitTimeSeconds=1,  # a long poll asks every server: nothing means empty
            VisibilityTimeout=HIDDEN,
        )
        return tuple(answer.get("Messages", ()))

    def _objects(self, message: dict[str, Any], window: Window) -> Sequence[SourceObject] | None:
        """Objects of a message; none of them if it may be deleted, None if it is left."""
        try:
            notices = parse_notice(message["Body"])
            found = [o for o in map(self._buckets.object, notices) if o]
        except BadNotice as reason:
            self._poison(message, str(reason))
            return None
        if not found:
            return ()
        inside = [o for o in found if wanted(o.uri, parse_key(split_uri(o.uri)[1]), window)]
        if not inside:
            return None
        taken = _Message(message["ReceiptHandle"], {(o.uri, o.etag) for o in found})
        with self._lock:
            for one in inside:
                self._messages.setdefault((one.uri, one.etag), []).append(taken)
        return inside

    def _poison(self, message: dict[str, Any], reason: str) -> None:
        self.poison.append(f"{message.get('MessageId', '?')}: {reason}")
        log.warning("queue message %s left: %s", message.get("MessageId", "?"), reason)

    def read(self, obj: SourceObject) -> Payload:
        """The bytes of the version that the message announced."""
        return self._buckets.read(obj)

    def done(self, objects: Iterable[SourceObject]) -> None:
        """Deletes the messages whose objects are all committed now."""
        finished: Handles = []
        with self._lock:
            for obj in objects:
                identity = (obj.uri, obj.etag)
                for message in self._messages.pop(identity, ()):
                    message.waiting.discard(identity)
                    if not message.waiting:
                        finished.append(message.handle)
        self._delete(finished)

    def _delete(self, handles: Sequence[str]) -> None:
        for start in range(0, len(handles), BATCH):
            entries = [
                {"Id": str(i), "ReceiptHandle": handle}
                for i, handle in enumerate(handles[start : start + BATCH])
            ]
            try:
                self._call("delete_message_batch", Entries=entries)
            except SourceError as error:
                # It comes again, and the ledger knows its objects.
                log.warning("queue messages could not be deleted: %s", error)

    def _call(self, operation: str, **request: Any) -> dict[str, Any]:
        import botocore.exceptions

        try:
            answer = getattr(self._client, operation)(QueueUrl=self._url, **request)
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            raise explain(error, self._url) from None
        return dict(answer)

    def close(self) -> None:
        """Messages not yet acknowledged become visible again after their time."""


def _queue(uri: str, options: SourceOptions) -> tuple[str, SourceOptions]:
    rest = uri.removeprefix("sqs://")
    url = rest if rest.startswith(("https://", "http://")) else f"https://{rest}"
    parts = urlsplit(url)
    if not parts.hostname or parts.path.strip("/").count("/") != 1:
        raise UsageError(
            "not the URL of a queue",
            where=uri,
            hint="write sqs://https://sqs.REGION.amazonaws.com/ACCOUNT/QUEUE",
        )
    labels = parts.hostname.split(".")
    if parts.hostname.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        region = labels[1] if labels[0] == "sqs" else options.region_name
        return url, replace(options, region_name=region, endpoint_url=None)
    return url, replace(options, endpoint_url=f"{parts.scheme}://{parts.netloc}")
