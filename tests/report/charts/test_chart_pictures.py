"""The charts say what the report says: lengths, places, shades and words by the numbers."""

from __future__ import annotations

import dataclasses
from xml.etree import ElementTree as ET

import pytest

from flowscan.report import Report
from flowscan.report.charts import NARROW, WIDE, draw
from flowscan.report.charts.bars import countries, rejected_ports
from flowscan.report.charts.canvas import Canvas
from flowscan.report.charts.matrix import matrix
from flowscan.report.charts.rhythm import rhythm
from flowscan.report.charts.timeline import MOST_MARKS, timeline
from flowscan.report.model import Bucket, Country, HeatCell, Link, Timeline

BEGIN = 1_785_715_200
pytestmark = pytest.mark.parametrize("wide", [WIDE, NARROW])


def elements(chart: Canvas, tag: str) -> list[ET.Element]:
    return list(ET.fromstring(chart.svg("x", "wide")).iter(tag))


def number(element: ET.Element, name: str) -> float:
    return float(element.get(name) or 0)


def words(element: ET.Element) -> str:
    return element.findtext("title") or ""


def with_buckets(report: Report, *buckets: tuple[int, int, int]) -> Report:
    steps = tuple(Bucket(BEGIN + 3600 * at, *b) for at, b in enumerate(buckets))
    return dataclasses.replace(report, timeline=Timeline(3600, steps))


def series(chart: Canvas, name: str) -> list[ET.Element]:
    return [e for e in elements(chart, "rect") if e.get("data-s") == name]


def test_the_timeline_stacks_by_the_numbers(report: Report, wide: int) -> None:
    chart = timeline(with_buckets(report, (100, 50, 10), (0, 150, 0), (30, 0, 20)), wide)
    refused, accepted = series(chart, "refused"), series(chart, "accepted")
    assert [words(m).split(": ")[1] for m in refused] == ["50 refused", "150 refused"]
    assert [words(m).split(": ")[1] for m in accepted] == ["100 accepted", "30 accepted"]
    unit = number(refused[1], "height") / 150
    assert number(refused[0], "height") == pytest.approx(50 * unit, abs=0.05)
    assert number(accepted[0], "height") == pytest.approx(100 * unit, abs=0.05)
    foot = number(accepted[0], "y") + number(accepted[0], "height")
    assert foot == pytest.approx(number(refused[0], "y"), abs=0.05)
    assert len(series(chart, "bytes")) == 3, "also a step without bytes can be picked"
    assert [m.get("data-b") for m in series(chart, "bytes")] == [
        str(BEGIN + 3600 * at) for at in range(3)
    ]


def test_each_series_has_an_axis_for_when_it_is_alone(report: Report, wide: int) -> None:
    chart = timeline(with_buckets(report, (900, 30, 1), (400, 10, 1)), wide)
    axes = {g.get("data-alone"): g for g in elements(chart, "g") if "y-flows" in g.get("class", "")}
    assert list(axes) == ["", "accepted", "refused"]
    assert ["off" in g.get("class", "") for g in axes.values()] == [False, True, True]
    alone = axes["refused"]
    tallest = max(number(m, "height") for m in series(chart, "refused"))
    assert [t.text for t in alone.iter("text")] == ["0", "10", "20", "30"]
    assert tallest * number(alone, "data-times") == pytest.approx(170, rel=0.01)


def test_marks_of_findings_stand_in_lanes(report: Report, wide: int) -> None:
    first = report.findings[0]
    hidden = dataclasses.replace(first, status="suppressed")
    chart = timeline(dataclasses.replace(report, findings=(hidden, *report.findings)), wide)
    marks = [e for e in elements(chart, "path") if e.get("data-f")]
    assert [m.get("data-f") for m in marks] == ["1", "2", "3", "4", "5"]
    assert [m.get("class") for m in marks] == [f.label for f in report.findings]
    assert words(marks[0]).startswith(f"{first.label}: {first.title}, ")
    many = dataclasses.replace(report, findings=(first,) * 400)
    found = [e for e in elements(timeline(many, wide), "path") if e.get("data-f")]
    assert len(found) == MOST_MARKS


def test_bars_are_as_long_as_their_numbers(report: Report, wide: int) -> None:
    chart = rejected_ports(report, wide)
    bars = elements(chart, "rect")
    ports = report.rejected_ports[:15]
    assert len(bars) == len(ports)
    unit = number(bars[0], "width") / ports[0].flows
    for bar, port in zip(bars, ports, strict=True):
        assert number(bar, "width") == pytest.approx(max(1, port.flows * unit), abs=0.1)
        assert f"{port.flows:,} refused flows from {port.sources:,} sources" in words(bar)
    texts = [t.text or "" for t in elements(chart, "text")]
    assert f"{ports[0].flows:,} from {ports[0].sources:,}" in texts
    assert number(bars[0], "x") + number(bars[0], "width") < wide


def test_long_names_leave_room_for_bars(report: Report, wide: int) -> None:
    found = (Country("W" * 300, 1, 10**12, 0, 10**15), Country("Utopia", 1, 1, 0, 1))
    chart = countries(dataclasses.replace(report, countries=found), wide)
    long, short = elements(chart, "rect")
    assert number(long, "width") >= wide / 4
    assert number(short, "width") == 1
    assert words(long).startswith("W" * 300), "what a mark says is whole"


def test_shades_of_the_week_go_by_the_flows(report: Report, wide: int) -> None:
    heat = (HeatCell(0, 8, 1, 1000, 10), HeatCell(0, 9, 1, 0, 0), HeatCell(6, 23, 1, 500, 0))
    chart = rhythm(dataclasses.replace(report, heat=heat), wide)
    full, none, half = elements(chart, "rect")
    assert [full.get("opacity"), none.get("opacity")] == [None, "0.07"]
    assert number(half, "opacity") == pytest.approx(0.535, abs=0.01)
    assert words(full) == "Mon 08:00: 1,000 flows an hour, 10 of them refused"
    assert number(half, "x") + number(half, "width") <= wide
    days = [t.text for t in elements(chart, "text") if t.get("text-anchor") == "end"]
    assert days == ["Mon", "Sun"]


def test_cells_of_the_matrix_say_and_shade_their_bytes(report: Report, wide: int) -> None:
    links = (Link("a", "b", 5, 3_600_000_000, 1), Link("b", "a", 2, 0, 2))
    chart = matrix(dataclasses.replace(report, groups=("a", "b"), links=links), wide)
    big, refused = elements(chart, "rect")
    assert (big.get("opacity"), refused.get("opacity")) == ("0.6", "0.06")
    assert words(big) == "a to b: 3.6 GB in 5 flows, 1 refused"
    texts = [t.text for t in elements(chart, "text")]
    assert texts == ["to", "from", "a", "a", "b", "b", "3.6 GB", "refused"]
    assert number(big, "x") > number(refused, "x")
    assert number(big, "y") < number(refused, "y")


@pytest.mark.parametrize("count", [1, 4, 9, 12, 20])
def test_names_of_columns_turn_where_they_have_no_room(
    report: Report, count: int, wide: int
) -> None:
    groups = tuple(f"2600:1f18:1234:{n:x}::1" for n in range(count))
    links = tuple(Link(a, groups[0], 1, 10**9, 0) for a in groups)
    chart = matrix(dataclasses.replace(report, groups=groups, links=links), wide)
    cells = elements(chart, "rect")
    assert len(cells) == count
    assert all(number(c, "width") > 0 and number(c, "x") < wide for c in cells)
    assert chart.height > 40 * count


def test_nothing_at_all_is_drawn_too(report: Report, wide: int) -> None:
    quiet = dataclasses.replace(
        with_buckets(report, (0, 0, 0)), heat=(), groups=(), links=(), findings=()
    )
    for chart in (timeline, matrix, rhythm):
        assert ET.fromstring(chart(quiet, wide).svg("x", "wide")) is not None


def test_one_svg_for_wide_and_one_for_narrow(report: Report, wide: int) -> None:
    kind = "wide" if wide == WIDE else "narrow"
    for name, both in draw(report).items():
        assert both.count(f'class="chart {kind}"') == 1, name
        assert f'width="{wide}"' in both
