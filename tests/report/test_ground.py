"""A ground that stands gives what a report made alone gives, for any period and version."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from test_report_traffic import DAY, HEAD, exchange, lake_of

import flowscan
from flowscan.lake import Lake
from flowscan.report import Options, build, render_json
from flowscan.report.ground import Window
from flowscan.report.model import Period
from flowscan.report.standing import Standing

HOUR = 3600
PERIODS = {
    "all": (None, None),
    "a day": (DAY, DAY + 24 * HOUR),
    "an hour": (DAY + 20 * HOUR, DAY + 21 * HOUR),
    "half days": (DAY + 11 * HOUR, DAY + 35 * HOUR),
    "before the lake": (DAY - 90 * HOUR, DAY - 80 * HOUR),
    "into the lake": (DAY - 90 * HOUR, DAY + 13 * HOUR),
    "after the lake": (DAY + 24 * 90 * HOUR, DAY + 24 * 91 * HOUR),
}


@pytest.fixture
def standing(lake: Lake) -> Iterator[Standing]:
    one = Standing(lake, Options())
    yield one
    one.close()


def same(one: Standing, lake: Lake, period: tuple[int | None, int | None]) -> None:
    stood = one.build(*period)
    alone = build(lake, *period, now=stood.made)
    assert render_json(stood) == render_json(alone)


def test_any_period_after_any_other(standing: Standing, lake: Lake) -> None:
    for period in (*PERIODS.values(), *reversed(PERIODS.values())):
        same(standing, lake, period)


def test_the_ground_of_all_serves_every_period_in_it(standing: Standing) -> None:
    standing.build(None, None)
    first = standing._engine
    for name in ("a day", "an hour", "half days", "before the lake"):
        standing.build(*PERIODS[name])
        assert standing._engine is first
    standing.close()
    standing.build(None, None)
    assert standing._engine is not first


def test_another_version_is_another_ground(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, *exchange("10.0.1.5", 443, "81.2.3.4", 40_000, DAY + 60))
    one = Standing(lake, Options())
    assert one.build(None, None).overview.totals.flows == 2
    more = "\n".join([HEAD, *exchange("10.0.1.5", 443, "81.2.3.5", 40_001, DAY + 5 * HOUR)])
    (tmp_path / "more.log").write_text(more + "\n")
    flowscan.ingest(str(tmp_path / "more.log"), tmp_path / "lake")
    assert one.build(None, None).overview.totals.flows == 4
    same(one, lake, (None, None))
    one.close()


def test_what_a_window_holds() -> None:
    held = Period(10 * 86_400, 20 * 86_400)
    whole = Window.of(Period(13 * 86_400, 20 * 86_400)).whole(held)
    assert whole.before == whole.period == Period(10 * 86_400, 20 * 86_400)
    for since, until, holds in (
        (13 * 86_400, 20 * 86_400, True),
        (12 * 86_400 + 5, 12 * 86_400 + 9, True),
        (86_400, 30 * 86_400, True),
        (86_400, 2 * 86_400, True),
    ):
        assert whole.holds(Window.of(Period(since, until)), held) is holds
    short = Window.of(Period(18 * 86_400, 19 * 86_400)).whole(held)
    assert not short.holds(Window.of(Period(18 * 86_400, 20 * 86_400)), held)
    assert not short.holds(Window.of(Period(17 * 86_400, 19 * 86_400)), held)


def endpoint(address: str, path: int, at: int, port: int) -> list[str]:
    base = "5 123456789012 eni-0aaaaaaaaaaaaaaa1"
    there, back = f"10.0.1.5 {address}", f"{address} 10.0.1.5"
    tail = f"{at} {at + 30} ACCEPT OK"
    return [
        f"{base} {there} {port} 443 6 9 {1000 * path} {tail} {there} egress {path}",
        f"{base} {back} 443 {port} 6 9 700 {tail} {back} ingress -",
    ]


@pytest.mark.parametrize("cut", [0, 6 * HOUR])
def test_a_pair_that_took_both_paths(tmp_path: Path, cut: int) -> None:
    """A day's contacts do not say the path; the part of it that volumes do is told apart."""
    lines = [
        line
        for i, path in enumerate((7, 8, 7))
        for line in endpoint("52.216.44.18", path, DAY + (7 + i) * HOUR, 40_000 + i)
    ] + endpoint("52.216.44.19", 7, DAY + 9 * HOUR, 41_000)
    # What lies around it makes the day one that is cut, or whole.
    lines += endpoint("93.184.216.34", 8, DAY - 3 * HOUR, 42_000)
    lines += endpoint("93.184.216.34", 8, DAY + 26 * HOUR, 43_000)
    head = f"{HEAD} pkt-srcaddr pkt-dstaddr flow-direction traffic-path"
    report = build(lake_of(tmp_path, *lines, head=head), DAY + cut, DAY + 24 * HOUR - cut)
    assert report.overview.bytes_out == 8_000
    links = {(x.source, x.destination): (x.flows, x.bytes) for x in report.links}
    assert links["10.0.1.5", "internet"] == (2, 8_000)
    assert links["10.0.1.5", "gateway endpoint"] == (6, 21_000)
    assert sorted(t.bytes for t in report.talkers if t.source == "10.0.1.5") == [7_000, 22_000]
