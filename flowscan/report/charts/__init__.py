"""The charts of the HTML report: SVG of our own, drawn where the report is made.

Each chart is drawn twice, for a wide screen and for a phone; the page's style shows one of them.
Invariants: every mark says its numbers in words; no chart tells by colour alone what its shape,
position or text does not; all text goes through `canvas`, which escapes it; colours are classes
of the page's style, so that a chart follows light, dark and print.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from markupsafe import Markup

from flowscan.report.charts.bars import countries, rejected_ports
from flowscan.report.charts.canvas import Canvas
from flowscan.report.charts.matrix import matrix
from flowscan.report.charts.rhythm import rhythm
from flowscan.report.charts.timeline import timeline
from flowscan.report.model import Report

__all__ = ["NARROW", "WIDE", "draw"]

WIDE: Final = 1034
NARROW: Final = 330
"""Widths in pixels: the room that the page has on a desk, and on a phone of 390 pixels."""


def draw(report: Report) -> dict[str, Markup]:
    """Each chart by its name, the wide and the narrow drawing of it one after the other."""
    if report.is_empty:
        return {}
    wanted: dict[str, tuple[Callable[[Report, int], Canvas], str]] = {
        "timeline": (timeline, "Accepted and refused flows, findings and bytes over time"),
        "matrix": (matrix, "Bytes that each group sent to each other"),
        "rhythm": (rhythm, "Mean flows per hour of the week"),
    }
    if report.rejected_ports:
        wanted["rejected"] = (rejected_ports, "Refused flows by port")
    if report.countries:
        wanted["countries"] = (countries, "Flows by country")
    return {
        name: chart(report, WIDE).svg(label, "wide") + chart(report, NARROW).svg(label, "narrow")
        for name, (chart, label) in wanted.items()
    }
