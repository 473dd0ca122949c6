"""The rhythm of the week: a cell per weekday and hour, the stronger the more flows.

Invariant: days that were not observed have no row, hours that were not observed no cell.
"""

from __future__ import annotations

from typing import Final

from flowscan.report.charts.canvas import Canvas
from flowscan.report.charts.lettering import widest, width
from flowscan.report.model import Report
from flowscan.text import human_count

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_FAINTEST: Final = 0.07
_GAP: Final = 8
_AXIS: Final = 20
_PART: Final = 0.92
"""How much of its place a cell takes, the rest being the gap to the next."""


def rhythm(report: Report, wide: int) -> Canvas:
    """Mean flows per hour of the week, days that were observed only."""
    days = sorted({c.weekday for c in report.heat})
    left = widest(list(WEEKDAYS)) + _GAP
    across = (wide - left) / 24
    down = max(22.0, min(34.0, across))
    most = max((c.flows for c in report.heat), default=0) or 1
    chart = Canvas(wide, down * max(1, len(days)) + _AXIS)
    for row, day in enumerate(days):
        chart.text(left - _GAP, (row + _PART / 2) * down, WEEKDAYS[day], "end")
    for c in report.heat:
        said = (
            f"{WEEKDAYS[c.weekday]} {c.hour:02d}:00: {human_count(c.flows)} flows an hour, "
            f"{human_count(c.rejected)} of them refused"
        )
        chart.rect(
            left + c.hour * across,
            days.index(c.weekday) * down,
            across * _PART,
            down * _PART,
            "accepted",
            said,
            corner=3,
            opacity=_FAINTEST + (1 - _FAINTEST) * c.flows / most,
        )
    every = next(n for n in (2, 3, 6) if n == 6 or n * across > width("00") + 24)
    for hour in range(0, 24, every):
        middle = left + (hour + _PART / 2) * across
        chart.text(middle, chart.height - _AXIS / 2, f"{hour:02d}", "middle")
    return chart
