"""Bars with a name before and numbers behind each: refused ports, countries.

Invariant: the longest bar and its numbers end inside of the chart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flowscan.net.services import port_label
from flowscan.report.charts.canvas import Canvas
from flowscan.report.charts.lettering import fit, widest, width
from flowscan.report.model import Report
from flowscan.text import human_bytes, human_count

MOST_BARS: Final = 15

_ROW: Final = 22
_BAR: Final = 15
_GAP: Final = 6


@dataclass(frozen=True, slots=True)
class _Bar:
    name: str
    value: int
    numbers: str
    said: str


def rejected_ports(report: Report, wide: int) -> Canvas:
    """Refused flows by port, most first."""
    rows = [
        _Bar(
            name := port_label(p.port, p.protocol),
            p.flows,
            f"{human_count(p.flows)} from {human_count(p.sources)}",
            f"{name}: {human_count(p.flows)} refused flows from {human_count(p.sources)} sources",
        )
        for p in report.rejected_ports[:MOST_BARS]
    ]
    return _bars(rows, "refused", wide)


def countries(report: Report, wide: int) -> Canvas:
    """Flows by country, most first."""
    rows = [
        _Bar(
            c.name,
            c.flows,
            f"{human_count(c.flows)}, {human_bytes(c.bytes)}",
            f"{c.name}: {human_count(c.flows)} flows, {human_bytes(c.bytes)}",
        )
        for c in report.countries[:MOST_BARS]
    ]
    return _bars(rows, "accepted", wide)


def _bars(rows: list[_Bar], kind: str, wide: int) -> Canvas:
    # At least a quarter is left for the bars.
    room = min(wide * 0.4, wide * 0.75 - widest([r.numbers for r in rows]) - 2 * _GAP)
    names = [fit(r.name, room) for r in rows]
    left = widest(names) + _GAP
    # Pixels of one flow, so that each bar and the numbers behind it end inside.
    scale = min((wide - left - width(r.numbers) - _GAP) / max(1, r.value) for r in rows)
    chart = Canvas(wide, _ROW * len(rows))
    for at, (name, row) in enumerate(zip(names, rows, strict=True)):
        y, size = (at + 0.5) * _ROW, max(1.0, scale * row.value)
        chart.text(left - _GAP, y, name, "end")
        chart.rect(left, y - _BAR / 2, size, _BAR, kind, row.said, corner=2)
        chart.text(left + size + _GAP, y, row.numbers)
    return chart
