"""One line → one record, in plain Python: the slow and exact path for irregular lines.

Invariant: this is the meaning of a line as `model` states it; the vectorised path only takes
lines on which it provably agrees.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

from flowscan.parse.header import header_columns, is_header, split
from flowscan.parse.model import MILLISECONDS, Data, Plan
from flowscan.schema import ADDRESS_COLUMNS, BY_NAME

Value: TypeAlias = str | int | None
Kind: TypeAlias = Literal["flow", "nodata", "skipdata", "reject", "none", "header"]

_ODD = bytes(set(range(256)) - set(range(0x20, 0x7F)) - {9})
LIMITS = {"srcport": 65_535, "dstport": 65_535, "protocol": 255}
ACTIONS = ("ACCEPT", "REJECT")
_KINDS: dict[Value, Kind] = {"NODATA": "nodata", "SKIPDATA": "skipdata"}
STATUSES = ("OK", "NODATA", "SKIPDATA")
TRAFFIC = ("srcaddr", "dstaddr", "packets", "bytes")


class Line(NamedTuple):
    """What a line is: its values in the order of `Plan.flow_columns`, or the reason of a reject.

    `none` is a blank line, a comment or the plan's own header; `header` another format's.
    """

    kind: Kind
    values: list[Value]
    reason: str = ""


def limit(column: str) -> int | None:
    """Largest value of an integer column, None where the column holds text."""
    field = BY_NAME.get(column)
    if field is None or field.type == "string":
        return None
    return LIMITS.get(column, 2**31 - 1 if field.type == "int32" else 2**63 - 1)


def is_address(text: str) -> bool:
    """True for a strict dotted quad or an IPv6 address without scope."""
    try:
        ipaddress.IPv6Address(text) if ":" in text else ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return "%" not in text


def _address(token: str) -> Value:
    if not is_address(token):
        raise ValueError
    return token


def _one_of(names: tuple[str, ...]) -> Callable[[str], Value]:
    def check(token: str) -> Value:
        if token not in names:
            raise ValueError
        return token

    return check


def _integer(highest: int) -> Callable[[str], Value]:
    def check(token: str) -> Value:
        # int() also takes signs, underscores and other alphabets' digits; the bytes are ASCII here
        if not token.isdigit() or len(token) > 19 or int(token) > highest:
            raise ValueError
        return int(token)

    return check


def _time(token: str) -> Value:
    value = _integer(2**63 - 1)(token)
    assert isinstance(value, int)
    if value >= MILLISECONDS:
        value //= 1000
    if value >= MILLISECONDS:
        raise ValueError
    return value


def checker(column: str) -> Callable[[str], Value]:
    """Conversion of a token of the column; it raises ValueError for a bad one."""
    if column in ("start", "end"):
        return _time
    highest = limit(column)
    if highest is not None:
        return _integer(highest)
    if column in ADDRESS_COLUMNS:
        return _address
    if column == "action":
        return _one_of(ACTIONS)
    return _one_of(STATUSES) if column == "log_status" else str


class LineParser:
    """Parses single lines of one plan."""

    def __init__(self, plan: Plan, max_line: int) -> None:
        self.plan = plan
        self.max_line = max_line
        self._checks = [(name, checker(name)) for name in plan.columns]
        names = plan.flow_columns
        self._start, self._end = names.index("start"), names.index("end")
        self._status = names.index("log_status") if "log_status" in names else None
        self._traffic = [names.index(n) for n in TRAFFIC if n in names]

    def parse(self, raw: Data, time: int | None) -> Line:
        """Parse one line (with or without its LF); `time` is used where it has none."""
        text = bytes(raw)
        text = text.removesuffix(b"\n").removesuffix(b"\r")
        if len(text) > self.max_line:
            return Line("reject", [], "line too long")
        text = text.strip(b" \t")
        if not text or text.startswith(b"#"):
            return Line("none", [])
        if len(text.translate(None, _ODD)) != len(text):
            return Line("reject", [], "not printable ASCII")
        tokens = split(text, self.plan.delimiter)
        if is_header(tokens, single=len(self.plan.columns) == 1):
            return Line("none" if header_columns(tokens) == self.plan.columns else "header", [])
        if len(tokens) != len(self.plan.columns):
            few = len(tokens) < len(self.plan.columns)
            return Line("reject", [], "too few fields" if few else "too many fields")
        return self._record([t.decode("ascii") for t in tokens], time)

    def _record(self, tokens: list[str], time: int | None) -> Line:
        values: list[Value] = []
        for token, (column, check) in zip(tokens, self._checks, strict=True):
            try:
                values.append(None if token in ("-", "") else check(token))
            except ValueError:
                return Line("reject", [], f"bad {column}")
        return self.judge(values, time)

    def judge(self, values: list[Value], time: int | None) -> Line:
        """Fill in the time of typed values and tell flow from coverage."""
        values += [None] * (len(self.plan.flow_columns) - len(values))
        start, end = values[self._start], values[self._end]
        start = end if start is None else start
        start = time if start is None else start
        end = start if end is None else end
        if not isinstance(start, int) or not isinstance(end, int):
            return Line("reject", [], "no time")
        if end < start:
            return Line("reject", [], "end before start")
        values[self._start], values[self._end] = start, end
        return Line(self._kind(values), values)

    def _kind(self, values: list[Value]) -> Kind:
        if self._status is not None:
            status = values[self._status]
            return (
                "nodata" if status == "NODATA" else "skipdata" if status == "SKIPDATA" else "flow"
            )
        idle = self._traffic and all(values[i] is None for i in self._traffic)
        return "nodata" if idle else "flow"
