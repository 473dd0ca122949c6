"""The talk matrix: a cell with its number for each pair of groups that exchanged something.

Invariant: bytes span many powers of ten, so shades go by the logarithm and every cell that has
room says its number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

from flowscan.report.charts.canvas import FONT, Canvas
from flowscan.report.charts.lettering import fit, widest, width
from flowscan.report.model import Link, Report
from flowscan.text import human_bytes, human_count

_DOWN: Final = 40
_NAME: Final = 112
_TITLE: Final = 18
_GAP: Final = 6
_APART: Final = 3
_SHADES: Final = (0.06, 0.6)
_LINEAR: Final = 1e6
"""Bytes below which shades are about linear."""

_SLOPE: Final = math.sqrt(0.5)


def matrix(report: Report, wide: int) -> Canvas:
    """Who sent how many bytes to whom: a cell per pair of groups."""
    names = {group: fit(group, _NAME) for group in report.groups}
    labels = list(names.values())
    left = _TITLE + widest(labels) + _GAP
    side, turn = _columns(labels, wide - left)
    high = {0: FONT, -45: (widest(labels) + FONT) * _SLOPE, -90: widest(labels)}[turn]
    top = _TITLE + high + _GAP
    chart = Canvas(wide, top + _DOWN * len(labels))
    chart.text(left + side * len(labels) / 2, _TITLE / 2, "to", "middle")
    chart.text(_TITLE / 2, top + _DOWN * len(labels) / 2, "from", "middle", turn=-90)
    for at, name in enumerate(labels):
        chart.text(left - _GAP, top + at * _DOWN + (_DOWN - _APART) / 2, name, "end")
        x, y = left + at * side + (side - _APART) / 2, top - _GAP
        if turn:
            chart.text(x, y, name, turn=turn)
        else:
            chart.text(x, y - FONT / 2, name, "middle")
    _cells(chart, report.links, list(names), (left, top), side)
    return chart


def _cells(
    chart: Canvas, links: Sequence[Link], order: list[str], begin: tuple[float, float], side: float
) -> None:
    """Draw what was exchanged; the numbers of all cells are written alike, or of none."""
    most = max((x.bytes for x in links), default=0)
    whole, (faint, strong) = math.log1p(most / _LINEAR) or 1, _SHADES
    write, size = _writing(links, side)
    for link in links:
        x = begin[0] + order.index(link.destination) * side
        y = begin[1] + order.index(link.source) * _DOWN
        opacity = faint + (strong - faint) * math.log1p(link.bytes / _LINEAR) / whole
        said = (
            f"{link.source} to {link.destination}: {human_bytes(link.bytes)} in "
            f"{human_count(link.flows)} flows, {human_count(link.rejected)} refused"
        )
        wide, high = side - _APART, _DOWN - _APART
        chart.rect(x, y, wide, high, "bytes", said, corner=4, opacity=opacity)
        if write:
            chart.text(x + wide / 2, y + high / 2, write(link), "middle", size=size, kind="ink")


def _writing(links: Sequence[Link], side: float) -> tuple[Callable[[Link], str] | None, float]:
    """How numbers are written that all fit into their cells, and their size; None: not at all."""
    for write, size in ((_long, 12.0), (_tight, 10.0), (_tight, 9.0)):
        if widest([write(x) for x in links], size) <= side - _APART - 2:
            return write, size
    return None, FONT


def _columns(labels: list[str], room: float) -> tuple[float, int]:
    """Width of a column, and how its name is turned: not at all, a half, or upright."""
    side = room / max(1, len(labels))
    if widest(labels) + 4 <= side:
        return side, 0
    # A slanting name reaches out to the right of its column, the last ones of the chart.
    slanting = min(
        (room - width(name) * _SLOPE - _APART) / (at + 0.5) for at, name in enumerate(labels)
    )
    slanting = min(side, slanting)
    return (slanting, -45) if slanting > FONT / _SLOPE + 4 else (side, -90)


def _long(link: Link) -> str:
    return human_bytes(link.bytes) if link.bytes else "refused"


def _tight(link: Link) -> str:
    """A byte size in four characters: `2.7G`, `40M`."""
    if not link.bytes:
        return "–"
    number, unit = human_bytes(link.bytes).split()
    short = number if len(number) <= 3 else f"{float(number):.0f}"
    return short + unit.removesuffix("B")
