"""CloudWatch Logs: exported lines, the console's CSV, subscription and API events.

Invariant: the record is the message, untouched; the event's timestamp only serves records that
have no time of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np

from flowscan.parse.header import column_name, split
from flowscan.parse.items import Item, Json, Message, Payload, Record, seconds
from flowscan.parse.model import Data, Times
from flowscan.parse.text import TextFeed, whole_lines
from flowscan.schema import field_for

_ISO = rb"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d{1,9})?Z?"
EXPORTED = re.compile(rb"(?m)^[ \t]*" + _ISO + rb"[ \t]+")
"""Start of a line of an export task: the event's time, then the message."""
_CONSOLE = re.compile(rb'(?m)^[ \t]*"?(?:(\d{9,13})|' + _ISO + rb')"?[ \t]*,[ \t]*"?')
_CONSOLE_END = re.compile(rb'(?m)"[ \t]*(\r?)$')
_CONSOLE_HEADER = re.compile(rb'(?mi)^[ \t]*"?@?timestamp"?[ \t]*,[ \t]*"?@?message"?[ \t]*\r?$')


def is_console_header(line: bytes) -> bool:
    """Header of the CSV that the console and Logs Insights download."""
    return _CONSOLE_HEADER.fullmatch(line.strip(b" \t\r\n")) is not None


def exported(text: bytes) -> bytes:
    """Messages of exported lines."""
    return EXPORTED.sub(b"", text)


def console(text: bytes) -> bytes:
    """Messages of the console's CSV; header lines become blank."""
    text = _CONSOLE.sub(b"", _CONSOLE_HEADER.sub(b"", text))
    return _CONSOLE_END.sub(rb"\1", text) if b'"' in text else text


def stream(chunks: Iterable[Data], feed: TextFeed, *, csv: bool) -> Iterator[None]:
    """Feed exported lines, or the console's CSV; yields after each block."""
    strip, pattern = (console, _CONSOLE) if csv else (exported, EXPORTED)
    for block in whole_lines(chunks, feed.options.max_line):
        times: Times = feed.options.default_time
        if not {"start", "end"} & set(feed.plan.columns):
            times = _times(block, pattern, times)
        feed.lines(strip(block), times)
        yield


def _times(block: bytes, pattern: re.Pattern[bytes], default: Any) -> Times:
    lines = block.split(b"\n")
    otherwise = -1 if default is None else default
    times = (_time(pattern.match(line), otherwise) for line in lines)
    return np.fromiter(times, np.int64, len(lines))


def _time(found: re.Match[bytes] | None, otherwise: int) -> int:
    if found is None:
        return otherwise
    *number, day, clock = found.groups()
    if number and number[0]:
        return seconds(int(number[0])) or otherwise
    try:
        moment = datetime.fromisoformat(f"{day.decode()}T{clock.decode()}").replace(tzinfo=UTC)
    except ValueError:
        return otherwise
    return int(moment.timestamp())


def items(document: Json) -> Iterator[Item] | None:
    """What a JSON document of CloudWatch holds; None when it is none.

    Subscription envelopes (control messages hold nothing), answers of FilterLogEvents and
    GetLogEvents, events of Lambda (`awslogs`) and of Kinesis (`Records`).
    """
    if document.get("messageType") == "CONTROL_MESSAGE":
        return iter(())
    for key in ("logEvents", "events"):
        events = document.get(key)
        if _all_have(events, "message") or (events == [] and key == "events"):
            return _messages(events)
    packed = document.get("awslogs")
    if isinstance(packed, dict) and isinstance(packed.get("data"), str):
        return iter((Payload(packed["data"], None),))
    records = document.get("Records")
    if _all_have(records, "kinesis"):
        return _kinesis(records)
    return None


def _all_have(events: object, key: str) -> bool:
    return (
        isinstance(events, list)
        and bool(events)
        and all(isinstance(e, dict) and key in e for e in events)
    )


def _messages(events: Any) -> Iterator[Item]:
    for event in events:
        time = seconds(event.get("timestamp"))
        fields, message = event.get("extractedFields"), event["message"]
        if isinstance(fields, dict) and _are_fields(fields, message):
            yield Record(fields, time)
        else:
            yield Message(message if isinstance(message, str) else "", time)


def _are_fields(fields: Json, message: object) -> bool:
    """True when a filter pattern named all tokens of the message by AWS's field names."""
    names = {column_name(str(k)) for k in fields}
    return (
        len(names) == len(fields) > 1
        and all(field_for(n) for n in names)
        and isinstance(message, str)
        and len(split(message.encode("utf-8", "replace"), b" ")) == len(fields)
    )


def _kinesis(records: Any) -> Iterator[Item]:
    for record in records:
        inner = record["kinesis"]
        inner = inner if isinstance(inner, dict) else {}
        time = seconds(inner.get("approximateArrivalTimestamp"))
        yield Payload(str(inner.get("data", "")), time)
