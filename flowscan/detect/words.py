"""The sentence of a finding: numbers of its row put into words for people.

A summary is a format string over the columns of a row: `{bytes_out:bytes}` says 2.7 GB,
`{seconds:duration}` 4 h 28 min, `{flows:times}` once, `{hosts:host|hosts}` 254 hosts, `{n:count}`
1,278. Invariant: only the sentence is rounded; the evidence keeps the numbers as they are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from string import Formatter
from typing import Any, Final

from flowscan.text import human_bytes, human_count, human_duration

_NAME: Final = re.compile(r"[a-z_][a-z0-9_]*")


def _times(number: float) -> str:
    return {1: "once", 2: "twice"}.get(int(number), f"{human_count(int(number))} times")


def _duration(seconds: float) -> str:
    # Below ten seconds the rounding would be felt: a beacon of 2.5 s is none of 2 s.
    return human_duration(round(seconds)) if seconds >= 10 else f"{_number(seconds)} s"


UNITS: Final[Mapping[str, Callable[[float], str]]] = {
    "bytes": human_bytes,
    "count": lambda number: human_count(round(number)),
    "duration": _duration,
    "times": _times,
}


def sentence(template: str, values: Mapping[str, object], *, actors: int = 1) -> str:
    """Fill a summary in; `{actors}` is how many there are, `{others}` the remark about the rest.

    Raises:
        KeyError, ValueError: the template names no column of the row, or no unit.
    """
    rest = actors - 1
    others = f" (and {human_count(rest)} other{'s' if rest > 1 else ''})" if rest > 0 else ""
    return _Words().vformat(template, (), {**values, "actors": actors, "others": others})


def problems(template: str) -> list[str]:
    """What is wrong with a summary, before any row is there."""
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        return [f"summary: {error}"]
    found = []
    for _, name, unit, conversion in parts:
        if name is None:
            continue
        if not _NAME.fullmatch(name) or conversion:
            found.append(f"summary: {{{name}}} is no column")
        if unit and unit not in UNITS and unit.count("|") != 1:
            found.append(f"summary: {unit!r} is none of {', '.join(UNITS)}, one|many")
    return found


class _Words(Formatter):
    """Formats fields by the units above; a text, a list or nothing has no unit."""

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> Any:
        # A name is a column and nothing else: no attributes, no items.
        return kwargs[field_name], field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        number = float(value) if isinstance(value, Decimal) else value
        if isinstance(number, bool) or not isinstance(number, int | float):
            return _text(value)
        if not math.isfinite(number):
            return "unknown"
        if "|" in format_spec:
            one, many = format_spec.split("|", 1)
            return f"{human_count(round(number))} {one if number == 1 else many}"
        return UNITS[format_spec](number) if format_spec else _number(number)


def _number(number: float) -> str:
    # Whole numbers stay plain: they may be ports.
    return f"{number:,.2f}".rstrip("0").rstrip(".") if isinstance(number, float) else str(number)


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value[:10])) + (" and more" if len(value) > 10 else "")
    return "unknown" if value is None else str(value)
