"""What envelopes hold: messages, payloads and records, before they are lines.

Invariant: plain values; nothing here decodes or judges.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from flowscan.parse.model import MILLISECONDS

Json: TypeAlias = dict[str, Any]


class Message(NamedTuple):
    """Text of one or more lines, and the time of its event (epoch s) if it has one."""

    text: str
    time: int | None


class Payload(NamedTuple):
    """Base64 of something: compressed or not, JSON or lines."""

    data: str
    time: int | None


class Record(NamedTuple):
    """A record as JSON: field names → values."""

    fields: Json
    time: int | None


Item: TypeAlias = Message | Payload | Record


def seconds(value: object) -> int | None:
    """Epoch seconds of a JSON timestamp in seconds or milliseconds; None when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 0 <= value < MILLISECONDS * 1000:
        return None
    return int(value // 1000 if value >= MILLISECONDS else value)
