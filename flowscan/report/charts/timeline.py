"""The timeline: findings above, flows accepted and refused stacked, accepted bytes below.

Invariant: the three parts share one time axis; each step has one mark of bytes, also where there
were none, by which the page's script finds the step. The axis of flows is written for both series
and for each of them alone, since the legend of the page may leave one out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from flowscan.report.charts.canvas import SHAPES, Canvas
from flowscan.report.charts.lettering import widest, width
from flowscan.report.charts.scales import Axis, axis, moments
from flowscan.report.model import Bucket, FindingView, Report
from flowscan.text import human_bytes, human_count

MOST_MARKS: Final = 150
"""Findings that are marked; the list below the timeline has all."""

_LANE: Final = 17
_FLOWS: Final = 170
_BYTES: Final = 70
_GAP: Final = 14
_RIGHT: Final = 14
_TITLE: Final = 16
_AXIS: Final = 22
_EDGE: Final = 8
_MARK: Final = 6
"""How much a mark of a finding may reach out of the plot, towards the name of its lane."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """The common time axis: epoch seconds from `begin` to `end` on pixels `left` to `right`."""

    begin: int
    end: int
    left: float
    right: float

    def x(self, at: int) -> float:
        inside = min(max(at, self.begin), self.end)
        return self.left + (inside - self.begin) / (self.end - self.begin) * self.room

    @property
    def room(self) -> float:
        return self.right - self.left


@dataclass(frozen=True, slots=True)
class _Panel:
    """A part with an axis of its own, from pixel `top` down to `floor`."""

    top: float
    floor: float
    axis: Axis

    def y(self, value: int) -> float:
        return self.floor - (self.floor - self.top) * value / self.axis.top


def timeline(report: Report, wide: int) -> Canvas:
    """Flows per step, accepted and refused stacked, findings above; accepted bytes below."""
    buckets, step = report.timeline.buckets, report.timeline.step
    marked = [
        (at, f)
        for at, f in enumerate(report.findings)
        if f.status == "active" and f.label in SHAPES
    ][:MOST_MARKS]
    lanes = [s for s in SHAPES if any(f.label == s for _, f in marked)]
    axes = {
        "": axis(max(b.accepted + b.rejected for b in buckets), 4),
        "accepted": axis(max(b.accepted for b in buckets), 4),
        "refused": axis(max(b.rejected for b in buckets), 4),
    }
    volume = axis(max(b.bytes for b in buckets), 3)
    labels = [*volume.labels, *(label for a in axes.values() for label in a.labels)]
    left = max(_TITLE + widest(labels), widest(lanes) + _MARK) + _EDGE
    frame = _Frame(buckets[0].start, buckets[-1].start + step, left, wide - _RIGHT)
    chart = Canvas(wide)
    top = _EDGE if not lanes else _marks(chart, frame, marked, lanes)
    flows = _Panel(top, top + _FLOWS, axes[""])
    sizes = _Panel(flows.floor + _GAP, flows.floor + _GAP + _BYTES, volume)
    for name, one in axes.items():
        _scale(chart, frame, _Panel(flows.top, flows.floor, one), name, axes[""].top / one.top)
    _title(chart, flows, "records")
    _title(chart, sizes, "bytes")
    _ticks(chart, frame, sizes)
    _bars(chart, frame, flows, sizes, buckets, step)
    _time(chart, frame, sizes.floor)
    chart.height = sizes.floor + _AXIS
    return chart


def _marks(
    chart: Canvas, frame: _Frame, marked: Sequence[tuple[int, FindingView]], lanes: list[str]
) -> float:
    """Draw a lane per severity with its findings, at their first moments; tell where they end."""
    places = {label: (at + 0.5) * _LANE for at, label in enumerate(lanes)}
    for label, y in places.items():
        chart.line(frame.left, y, frame.right, y)
        chart.text(frame.left - _MARK - _EDGE / 2, y, label, "end")
    for at, found in marked:
        said = f"{found.label}: {found.title}, {_clock(found.first_seen)}"
        place = frame.x(found.first_seen), places[found.label]
        chart.shape(found.label, *place, said, f=at)
    return len(lanes) * _LANE + _GAP


def _scale(chart: Canvas, frame: _Frame, panel: _Panel, name: str, times: float) -> None:
    """Draw the axis of flows for both series, or, hidden, for one of them alone."""
    kind = "y-flows off" if name else "y-flows"
    chart.open(kind, alone=name, times=f"{times:.6g}", floor=panel.floor)
    _ticks(chart, frame, panel)
    chart.close()


def _ticks(chart: Canvas, frame: _Frame, panel: _Panel) -> None:
    """Draw the grid and the labels of an axis."""
    for value, label in zip(panel.axis.ticks, panel.axis.labels, strict=True):
        chart.line(frame.left, panel.y(value), frame.right, panel.y(value))
        chart.text(frame.left - _EDGE, panel.y(value), label, "end")


def _title(chart: Canvas, panel: _Panel, text: str) -> None:
    chart.text(_TITLE / 2, (panel.top + panel.floor) / 2, text, "middle", turn=-90)


def _bars(
    chart: Canvas,
    frame: _Frame,
    flows: _Panel,
    sizes: _Panel,
    buckets: Sequence[Bucket],
    step: int,
) -> None:
    thick = frame.room * step / (frame.end - frame.begin)
    thick -= min(1.0, thick / 8)
    for b in buckets:
        x, when = frame.x(b.start), _clock(b.start)
        floor, middle, roof = (flows.y(n) for n in (0, b.rejected, b.rejected + b.accepted))
        if b.rejected:
            said = f"{when}: {human_count(b.rejected)} refused"
            chart.rect(x, middle, thick, floor - middle, "refused", said, b=b.start, s="refused")
        if b.accepted:
            said = f"{when}: {human_count(b.accepted)} accepted"
            chart.rect(x, roof, thick, middle - roof, "accepted", said, b=b.start, s="accepted")
        y, said = sizes.y(b.bytes), f"{when}: {human_bytes(b.bytes)}"
        chart.rect(x, y, thick, sizes.floor - y, "bytes", said, b=b.start, s="bytes")


def _time(chart: Canvas, frame: _Frame, floor: float) -> None:
    """Write the moments below; one that would run into the one before, or out, is left away."""
    taken = 0.0
    for at, label in moments(frame.begin, frame.end, frame.room):
        x, half = frame.x(at), width(label) / 2
        begin = min(x - half, frame.right + _RIGHT - 2 * half)
        chart.line(x, floor, x, floor + 4)
        if begin >= taken:
            chart.text(begin + half, floor + 13, label, "middle")
            taken = begin + 2 * half + 8


def _clock(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%d %b %H:%M")
