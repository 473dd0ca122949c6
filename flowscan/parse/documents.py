"""JSON objects, one or many, with or without anything between them → lines for the text feed.

Invariant: bounded: one document at a time is in memory, base64 and compression inside documents
count against the same limits, and nothing nests deeper than a few layers.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import json
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from flowscan.errors import RejectedObject
from flowscan.parse import cloudwatch, firehose
from flowscan.parse.decompress import Meter, plain
from flowscan.parse.header import column_name, columns_of, headerless_plan, plan_of
from flowscan.parse.items import Item, Json, Message, Payload, Record
from flowscan.parse.model import MAX_REJECT_TEXT, Data, ParseOptions, Plan, reject_text
from flowscan.parse.shapes import check
from flowscan.parse.sink import Sink
from flowscan.parse.text import TextFeed

_LAYERS = 6
_PENDING = 20_000
_FIRST = 1_000
_SPACE = " \t\r\n,\ufeff"


class Broken(str):
    """A stretch of text that is no JSON, up to its line end."""

    __slots__ = ()


def documents(chunks: Iterable[Data], limit: int) -> Iterator[object]:
    """Decode concatenated JSON values; elements of top-level arrays come one by one.

    Yields `Broken` for a line that is no JSON. A document may be `limit` characters long.

    Raises:
        RejectedObject: an array at top level does not end.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    scan = json.JSONDecoder().raw_decode
    source = _pieces(chunks)
    text, at, depth, more, wanted = "", 0, 0, True, 0
    while True:
        while at < len(text) and text[at] in _SPACE:
            at += 1
        if at < len(text) and text[at] in "[]":
            depth += 1 if text[at] == "[" else -1
            at += 1
            continue
        if at < len(text) and (len(text) - at >= wanted or not more):
            try:
                value, at = scan(text, at)
            except (ValueError, RecursionError):
                # not all here, or no JSON at all: look again when there is twice as much
                wanted = 2 * (len(text) - at)
                if not more or len(text) - at > limit:
                    end = text.find("\n", at)
                    end = end if end >= 0 else len(text)
                    yield Broken(text[at:end])
                    at, wanted = end, 0
                    continue
            else:
                wanted = 0
                yield value
                continue
        if not more:
            break
        chunk = next(source, None)
        more = chunk is not None
        text, at = text[at:] + decoder.decode(bytes(chunk or b""), not more), 0
    if depth > 0:
        raise RejectedObject("JSON ends within an array")


def _pieces(chunks: Iterable[Data], size: int = 4 << 20) -> Iterator[bytes]:
    for chunk in chunks:
        view = memoryview(chunk)
        for at in range(0, view.nbytes, size):
            yield bytes(view[at : at + size])


def _kind(document: Json) -> str:
    """Name of the envelope that a document is."""
    for key, name in _KINDS.items():
        if key in document:
            return name
    return "json-records"


_KINDS = {
    "messageType": "cloudwatch-subscription",
    "logEvents": "cloudwatch-events",
    "events": "cloudwatch-events",
    "awslogs": "lambda-event",
    "Records": "kinesis-event",
    "records": "firehose-event",
    "message": "firehose",
}


class Collector:
    """Turns the documents of one object into lines and feeds them, many at a time."""

    def __init__(self, options: ParseOptions, sink: Sink, meter: Meter) -> None:
        self.options = options
        self.meter = meter
        self.sink = sink
        self.feed = TextFeed(headerless_plan(b"", options.format), options, sink)
        self._plan: Plan | None = None  # of pending records; None for messages
        self._lines: list[bytes] = []
        self._times: list[int] = []
        self._plans: dict[tuple[str, ...], Plan | None] = {}
        self._started = False
        self._unknown = 0
        self.known = 0

    def stream(self, chunks: Iterable[Data]) -> Iterator[None]:
        """Take all documents of the object; yields now and then.

        Raises:
            RejectedObject: it holds no flow-log record.
        """
        for document in documents(chunks, self.options.max_json):
            self._take(document, None, _LAYERS)
            if len(self._lines) >= _PENDING:
                self._flush()
                yield
            if self._unknown > _FIRST and not self.known:
                break
        self._flush()
        if not self.known:
            raise RejectedObject("not a flow log: JSON that holds no flow-log records")
        yield

    def packed(self, chunks: Iterable[Data]) -> Iterator[None]:
        """Take lines of base64, each starting a new payload where it looks like gzip.

        Raises:
            RejectedObject: as for `stream`.
        """
        self.sink.shape = "cloudwatch-base64"
        text = bytearray()
        for chunk in chunks:
            text += chunk
            if len(text) > self.options.max_json:
                raise RejectedObject(f"base64 of more than {self.options.max_json} bytes")
        for part in text.replace(b"\r", b"").replace(b"\n", b"").split(b"H4sI")[1:]:
            data = (b"H4sI" + part).strip().decode("latin-1")
            self._put_payload(Payload(data, None), None, _LAYERS)
        self._flush()
        yield

    def _take(self, document: object, time: int | None, depth: int) -> None:
        if isinstance(document, Broken):
            self._reject("broken JSON", document)
        elif isinstance(document, str):
            self._put_text(document.encode("utf-8", "replace"), time, depth)
        elif isinstance(document, dict):
            found = cloudwatch.items(document)
            found = firehose.items(document) if found is None else found
            if found is None:
                self._reject("JSON of another kind", _shown(document))
                return
            self.known += 1
            if self.sink.shape == "json":
                self.sink.shape = _kind(document)
            for item in found:
                self._put(item, time, depth)
        elif isinstance(document, list):
            for element in document:
                self._take(element, time, depth)
        else:
            self._reject("JSON of another kind", _shown(document))

    def _put(self, item: Item, time: int | None, depth: int) -> None:
        time = time if item.time is None else item.time
        if isinstance(item, Message):
            self._put_lines(item.text.encode("utf-8", "replace"), time)
        elif isinstance(item, Record):
            self._put_record(item.fields, time)
        else:
            self._put_payload(item, time, depth)

    def _put_payload(self, item: Payload, time: int | None, depth: int) -> None:
        try:
            raw = base64.b64decode(item.data, validate=True)
        except (binascii.Error, ValueError):
            self._reject("broken base64", item.data)
            return
        pieces, size = [], 0
        for piece in plain(iter((raw,)), self.meter.inner()):
            pieces.append(piece)
            size += len(piece)
            if size > self.options.max_json:
                raise RejectedObject(f"an event expands to more than {self.options.max_json} bytes")
        self._put_text(b"".join(pieces), time, depth)

    def _put_text(self, text: bytes, time: int | None, depth: int) -> None:
        """Text within an envelope: JSON again, or lines."""
        if not text.lstrip().startswith((b"{", b"[")):
            self._put_lines(text, time)
        elif depth == 0:
            self._reject(
                "JSON nested too deeply", text[:MAX_REJECT_TEXT].decode("utf-8", "replace")
            )
        else:
            for document in documents((text,), self.options.max_json):
                self._take(document, time, depth - 1)

    def _put_lines(self, text: bytes, time: int | None) -> None:
        self.known += 1
        for line in text.split(b"\n"):
            if line.strip():
                self._pend(None, line, time)

    def _put_record(self, fields: Json, time: int | None) -> None:
        names = tuple(fields)
        if names not in self._plans:
            self._plans[names] = _plan(names)
        plan = self._plans[names]
        if plan is None:
            self._reject("field names clash", _shown(fields))
            return
        tokens = []
        for column, value in zip(plan.columns, fields.values(), strict=True):
            token = _token(value)
            if token is None:
                self._reject(f"bad {column}", _shown(fields))
                return
            tokens.append(token)
        line = ",".join(tokens).encode("utf-8", "replace")
        if not line or line.startswith(b"#"):
            self._reject(f"bad {plan.columns[0]}", _shown(fields))
            return
        self._pend(plan, line, time)

    def _pend(self, plan: Plan | None, line: bytes, time: int | None) -> None:
        if plan != self._plan:
            self._flush()
            self._plan = plan
        self._lines.append(line)
        self._times.append(-1 if time is None else time)

    def _reject(self, reason: str, text: str) -> None:
        shown = reject_text(text[:MAX_REJECT_TEXT].encode("utf-8", "replace"))
        self.sink.reject(self.feed.line + len(self._lines), reason, shown)
        self._unknown += 1
        self._lines.append(b"#")  # it keeps the numbers of the lines behind it right
        self._times.append(-1)

    def _flush(self) -> None:
        lines, self._lines = self._lines, []
        times = np.array(self._times, np.int64)
        self._times = []
        if not lines:
            return
        if self.options.default_time is not None:
            times[times < 0] = self.options.default_time
        if self._plan is None and not self._started:
            self._start([line for line in lines if not line.startswith(b"#")])
        self.feed.lines(b"\n".join(lines) + b"\n", times, self._plan)

    def _start(self, lines: list[bytes]) -> None:
        """Choose the plan of the messages by the first of them."""
        if not lines:
            return
        first = lines[0].strip()
        self.feed.plan = plan_of(first) or headerless_plan(first, self.options.format)
        check(lines, self.feed.plan, self.options)
        self._started = True


def _shown(document: object) -> str:
    return json.dumps(document)


def _plan(names: tuple[str, ...]) -> Plan | None:
    try:
        return Plan(columns_of(column_name(n) for n in names), b",")
    except ValueError:
        return None


def _token(value: Any) -> str | None:
    """A JSON value as a token of a comma plan; None when it cannot be one."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else None
    if isinstance(value, int):
        return str(value) if abs(value) < 2**64 else None
    if not isinstance(value, str) or value != value.strip() or any(c in value for c in ',"\r\n'):
        return None
    return value
