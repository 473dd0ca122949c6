"""Flow logs of a CloudWatch log group, through FilterLogEvents.

Invariant: a log group is cut into slices whose content never changes, so that a slice can be an
object of the ledger. Events that came promptly belong to the quarter of an hour in which
CloudWatch took them in (`ingestionTime`, which never changes); those that came later than
`PROMPT` after their own time belong to a slice of stragglers of their own hour, listed a day
after. Every event is in exactly one slice.
"""

from __future__ import annotations

import logging
import re
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, quote

from flowscan.errors import FlowscanError, UsageError
from flowscan.sources.aws import client, explain
from flowscan.sources.model import Payload, SourceObject, SourceOptions, Window

__all__ = ["CloudWatchSource"]

log = logging.getLogger(__name__)

SLICE = 900  # seconds of ingestion time per slice
PROMPT = 1800  # an event that came at most so long after its own time is prompt
FUTURE = 7200  # clocks of event and ingestion may differ by so much
SETTLE = 120  # seconds after its end that a slice is taken as complete
HOUR, DAY = 3600, 86400
NAME = re.compile(r"[A-Za-z0-9_\-/.#]{1,512}", re.ASCII)


class CloudWatchSource:
    """`cloudwatch://LOG-GROUP[?stream-prefix=eni-]`."""

    concurrency = 2  # FilterLogEvents is limited to a few calls per second and account

    def __init__(
        self, uri: str, options: SourceOptions, *, clock: Callable[[], float] = time.time
    ) -> None:
        """Raises UsageError for a bad URI, SourceError without credentials."""
        self._group, self._prefix = _split(uri)
        self._options = options
        self._client = client("logs", options)
        self._region = str(self._client.meta.region_name)
        self._clock = clock
        self.format = self._describe_format()

    def _describe_format(self) -> tuple[str, ...] | None:
        from flowscan.parse import parse_format

        try:
            answer = client("ec2", self._options).describe_flow_logs(
                Filters=[{"Name": "log-group-name", "Values": [self._group]}]
            )
        except Exception as error:  # noqa: BLE001 - the permission is optional, whatever it says
            log.info("format of %s not known: %s", self._group, explain(error, None))
            return None
        formats = {f["LogFormat"] for f in answer.get("FlowLogs", ()) if f.get("LogFormat")}
        if len(formats) > 1:
            log.warning("%s holds flow logs of %d formats; use --format", self._group, len(formats))
        try:
            return parse_format(formats.pop()) if len(formats) == 1 else None
        except FlowscanError as error:
            log.warning("format of %s not understood: %s", self._group, error)
            return None

    def list(self, window: Window) -> Iterator[SourceObject]:
        """Complete slices of the window, oldest first. Raises SourceError."""
        if window.regions and self._region not in window.regions:
            return
        now = int(self._clock())
        since = self._created() if window.since is None else window.since
        until = now if window.until is None else min(now, window.until)
        start = since // HOUR * HOUR
        while start + HOUR + DAY + SETTLE <= now and start < until:
            yield self._object("late", start, HOUR)
            start += HOUR
        start = since // SLICE * SLICE
        while start + SLICE + SETTLE <= now and start < until + PROMPT:
            yield self._object("prompt", start, SLICE)
            start += SLICE

    def _object(self, kind: str, start: int, length: int) -> SourceObject:
        begin = datetime.fromtimestamp(start, UTC)
        prefix = f"stream-prefix={quote(self._prefix)}&" if self._prefix else ""
        uri = f"cloudwatch://{self._region}/{self._group}?{prefix}{kind}={begin:%Y-%m-%dT%H:%MZ}"
        return SourceObject(uri, 0, f"{kind}-{length}", start, None, self._region)

    def _created(self) -> int:
        answer = self._call("describe_log_groups", logGroupNamePrefix=self._group)
        for group in answer.get("logGroups", ()):
            if group["logGroupName"] == self._group:
                return int(group["creationTime"]) // 1000
        raise UsageError("no such log group", where=self._group)

    def read(self, obj: SourceObject) -> Payload:
        """Lines `time record` of a slice, gzip-compressed to keep waiting slices small."""
        kind, length = obj.etag.split("-")
        assert obj.time is not None
        return Payload(_gzip(self._lines(kind, obj.time, int(length))))

    def _lines(self, kind: str, start: int, length: int) -> Iterator[str]:
        end = start + length
        first, last = (start - PROMPT, end + FUTURE) if kind == "prompt" else (start, end)
        seen: set[str] = set()
        for event in self._events(first, last):
            at, taken = int(event["timestamp"]), int(event["ingestionTime"])
            if event["eventId"] in seen or (taken - at <= PROMPT * 1000) != (kind == "prompt"):
                continue
            if kind == "prompt" and not start * 1000 <= taken < end * 1000:
                continue
            seen.add(event["eventId"])
            moment = datetime.fromtimestamp(at / 1000, UTC)
            text = event["message"].replace("\n", " ")
            yield f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1000:03}Z {text}\n"

    def _events(self, first: int, last: int) -> Iterator[dict[str, Any]]:
        request: dict[str, Any] = {
            "logGroupName": self._group,
            "startTime": max(0, first * 1000),
            "endTime": last * 1000 - 1,  # CloudWatch includes the end
        }
        if self._prefix:
            request["logStreamNamePrefix"] = self._prefix
        while True:
            answer = self._call("filter_log_events", **request)
            yield from answer.get("events", ())
            token = answer.get("nextToken")
            if not token or token == request.get("nextToken"):
                return  # the service has been seen to repeat its last token for ever
            request["nextToken"] = token

    def _call(self, operation: str, **request: Any) -> dict[str, Any]:
        import botocore.exceptions

        try:
            return dict(getattr(self._client, operation)(**request))
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            raise explain(error, f"cloudwatch://{self._group}") from None

    def done(self, objects: Iterable[SourceObject]) -> None:
        """Events stay where they are."""

    def close(self) -> None:
        """Nothing is held open."""


def _split(uri: str) -> tuple[str, str]:
    group, _, query = uri.removeprefix("cloudwatch://").partition("?")
    options = parse_qs(query, keep_blank_values=True)
    unknown = set(options) - {"stream-prefix"}
    if unknown or not NAME.fullmatch(group):
        raise UsageError(
            f"unknown option {unknown.pop()!r}" if unknown else "not the name of a log group",
            where=uri,
            hint="write cloudwatch://LOG-GROUP?stream-prefix=eni-",
        )
    return group, options.get("stream-prefix", [""])[0]


def _gzip(lines: Iterator[str]) -> Iterator[bytes]:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    for line in lines:
        if packed := packer.compress(line.encode("utf-8", "replace")):
            yield packed
    yield packer.flush()
