"""From values to places and labels: round numbers of an axis, moments of a time axis.

Invariant: pure; ticks are in order, inside of what they are asked for, and no two labels of a
time axis touch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from flowscan.report.charts.lettering import width

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400
_WEEK: Final = 7 * _DAY
# 1970-01-05, from which weeks count.
_MONDAY: Final = 4 * _DAY
_SECONDS: Final = (
    *(n * _MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * _HOUR for n in (1, 2, 3, 6, 12)),
    _DAY,
    2 * _DAY,
    _WEEK,
)
_MONTH: Final = 28 * _DAY
"""The shortest."""

_MONTHS: Final = (1, 2, 3, 4, 6, 12, 24, 60, 120, 600, 1200)
_APART_PX: Final = 16
_UNITS: Final = ("", "k", "M", "G", "T", "P", "E")


# Part of a step by which values may exceed the last tick.
_OVER: Final = 0.3


@dataclass(frozen=True, slots=True)
class Axis:
    """Round numbers from 0 on; `top` is where the axis ends, which nothing exceeds."""

    ticks: tuple[int, ...]
    top: int

    @property
    def labels(self) -> list[str]:
        """What stands at each tick."""
        return [brief(t) for t in self.ticks]


def axis(most: int, steps: int) -> Axis:
    """The axis of whole numbers from 0 to `most`, in about so many steps; at least to 1."""
    raw = max(1.0, most / steps)
    power = 10 ** math.floor(math.log10(raw))
    # The nearest by ratio of 1, 2, 5 and 10: the bounds are their geometric means.
    times = next((n for n, bound in ((1, 2), (2, 10), (5, 50)) if (raw / power) ** 2 < bound), 10)
    step = int(power * times)
    last = max(step, most // step * step)
    # A little above the last tick is read without another one; more would leave a gap to read over.
    if most - last > _OVER * step:
        last += step
    return Axis(tuple(range(0, last + 1, step)), max(last, most))


def brief(number: int) -> str:
    """A number of an axis: `0`, `250`, `1.2k`, `10G`."""
    power = 0
    size = float(number)
    while size >= 1000 and power < len(_UNITS) - 1:
        size, power = size / 1000, power + 1
    return f"{size:.4g}{_UNITS[power]}"


def moments(begin: int, end: int, room: float) -> list[tuple[int, str]]:
    """Ticks of a time axis of `room` pixels, as many as have room: (epoch seconds, label); UTC."""
    for step in _SECONDS:
        form = _form(step, end - begin)
        if step / (end - begin) * room >= width(_say(begin, form)) + _APART_PX:
            base = _MONDAY if step == _WEEK else 0
            first = base + -(-(begin - base) // step) * step
            return [(t, _say(t, form)) for t in range(first, end + 1, step)]
    for months in _MONTHS:
        if months * _MONTH / (end - begin) * room >= width("May 0000") + _APART_PX:
            return [(t, _say(t, "%b %Y")) for t in _month_starts(begin, end, months)]
    return []


def _form(step: int, seconds: int) -> str:
    if step >= _DAY:
        return "%d %b"
    return "%H:%M" if seconds <= _DAY + _HOUR else "%d %b %H:%M"


def _say(seconds: int, form: str) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime(form)


def _month_starts(begin: int, end: int, every: int) -> Iterator[int]:
    """First moments of each so-manyth month, counted from year 0."""
    first = datetime.fromtimestamp(begin, UTC)
    month = -(-(first.year * 12 + first.month - 1) // every) * every
    while True:
        at = int(datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC).timestamp())
        if at > end:
            return
        if at >= begin:
            yield at
        month += every
