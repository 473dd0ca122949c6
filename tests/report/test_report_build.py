"""The report says what is in the lake."""

from __future__ import annotations

import pytest

from flowscan.engine import Engine
from flowscan.lake import Lake
from flowscan.report import Options, Report, build

DAY = 1_785_715_200
NOON = DAY + 36 * 3600


def test_the_period_is_the_lake(report: Report) -> None:
    period = report.overview.period
    assert (period.since, period.until) == (DAY, NOON)
    assert report.overview.previous is None


def test_totals_are_those_of_the_lake(lake: Lake, report: Report) -> None:
    totals = lake.state().totals
    assert report.overview.totals.flows == totals.flows == report.quality.flows
    assert totals.records == totals.flows + totals.nodata + totals.skipdata + totals.rejects
    with Engine(lake.snapshot()) as engine:
        rows = engine.query(
            "SELECT count(*) FILTER (WHERE action = 'REJECT') AS rejected,"
            " sum(bytes) FILTER (WHERE action = 'ACCEPT') AS bytes FROM flows"
        ).to_pylist()
        once = engine.query("SELECT sum(bytes_out + bytes_in) AS bytes FROM sessions").to_pylist()
    assert report.overview.totals.rejected == rows[0]["rejected"]
    assert report.overview.totals.bytes == once[0]["bytes"]
    assert report.overview.totals.bytes < rows[0]["bytes"], "two interfaces recorded some of it"
    assert sum(x.bytes for x in report.links) == report.overview.totals.bytes
    assert sum(b.bytes for b in report.timeline.buckets) == report.overview.totals.bytes
    assert sum(c.bytes for c in report.coverage) == report.overview.totals.bytes


def test_timeline_has_all_flows_and_no_gap(report: Report) -> None:
    line = report.timeline
    assert sum(b.accepted + b.rejected for b in line.buckets) == report.overview.totals.flows
    assert {b.start - a.start for a, b in zip(line.buckets, line.buckets[1:], strict=False)} == {
        line.step
    }
    assert len(line.buckets) <= 110


def test_port_312_leads(report: Report) -> None:
    first = report.rejected_ports[0]
    assert (first.protocol, first.port) == (6, 312)
    assert first.sources > 260
    assert first.targets == 2


def test_who_knocks(report: Report) -> None:
    by_address = {s.address: s for s in report.rejected_sources}
    assert by_address["22.41.7.130"].ports > 350
    assert by_address["22.118.64.9"].accepted > 300


def test_exposure_names_ssh_first(report: Report) -> None:
    first = report.exposure[0]
    assert (first.address, first.port, first.sensitive, first.sources) == (
        "10.20.1.20",
        22,
        True,
        2,
    )
    reached = {(e.address, e.port) for e in report.exposure}
    assert reached == {
        ("10.20.1.20", 22),
        ("10.20.1.10", 443),
        ("10.20.1.10", 80),
        ("2600:1f18:22ba:8c00::a", 443),
    }
    assert report.probed > 3000


def test_matrix_counts_traffic_between_interfaces_once(report: Report) -> None:
    links = {(x.source, x.destination): x for x in report.links}
    copied = links["10.20.2.30", "10.20.1.20"].bytes
    assert 2_600_000_000 < copied < 2_700_000_000
    assert links["10.20.1.20", "internet"].bytes > 2_700_000_000
    assert set(report.groups) == {
        "10.20.1.10",
        "10.20.1.20",
        "10.20.2.30",
        "other private",
        "gateway endpoint",
        "internet",
    }


def test_addresses_go_by_their_published_names(report: Report) -> None:
    assert all(t.source_label == "" for t in report.talkers if t.source.startswith("10."))


def test_coverage(report: Report) -> None:
    lost = {c.label: c.skipdata for c in report.coverage}
    assert lost == {"10.20.1.10": 5, "10.20.1.20": 0, "10.20.2.30": 1}
    assert report.quality.rejects == 5
    assert sum(n for _, n in report.quality.reasons) == 5


def test_verdict(report: Report) -> None:
    assert report.verdict == "22.118.64.9 got into 10.20.1.20."
    assert report.detail == "What ssh-brute-force-success is about."
    assert report.verdict_level == "critical"
    assert "1 critical, 2 high and 2 lesser findings" in report.tally
    assert "1 listed address got through" in report.tally


def test_matches_that_got_through_come_first(report: Report) -> None:
    assert [(m.accepted, m.refused) for m in report.matches] == [(2, 0), (0, 2)]


def test_change_against_the_period_before(lake: Lake) -> None:
    half = build(lake, DAY + 24 * 3600, NOON, now=NOON)
    before = build(lake, DAY + 12 * 3600, DAY + 24 * 3600, now=NOON)
    assert half.overview.previous is not None
    assert half.overview.previous == before.overview.totals


def test_no_comparison_with_a_period_that_is_half_there(lake: Lake) -> None:
    assert build(lake, DAY + 12 * 3600, NOON, now=NOON).overview.previous is None


def test_findings_of_another_period_are_left_out(lake: Lake) -> None:
    assert build(lake, DAY, DAY + 3600, now=NOON).findings == ()


def test_findings_are_bounded_and_counted(lake: Lake) -> None:
    small = build(lake, now=NOON, options=Options(findings=2))
    assert len(small.findings) == 2
    assert small.left.findings == 3
    assert sum(small.severities.values()) == 5


def test_without_detections_it_says_so(bare_lake: Lake) -> None:
    report = build(bare_lake, now=NOON)
    assert report.verdict == "No detection has run yet."
    assert report.feeds == 0


def test_the_same_lake_gives_the_same_report(lake: Lake, report: Report) -> None:
    assert build(lake, now=NOON) == report


@pytest.mark.parametrize("window", [(None, None), (DAY, NOON), (0, 10)])
def test_an_empty_lake_is_no_error(empty_lake: Lake, window: tuple[int | None, int | None]) -> None:
    report = build(empty_lake, *window, now=NOON)
    assert report.is_empty
    assert report.verdict_level == "unknown"
