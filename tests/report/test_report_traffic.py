"""What the report makes of traffic: exposure, periods, endpoints. Its figures: tests/traffic."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import flowscan
from flowscan.lake import Lake
from flowscan.report import (
    Options,
    build,
    render_html,
    render_json,
    render_markdown,
    render_terminal,
)

CASES = Path(
    os.environ.get("FLOWSCAN_CASES", Path(__file__).parents[2].parent / "shared" / "cases")
)
DAY = 1_785_715_200
HEAD = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes"
    " start end action log-status"
)


def lake_of(folder: Path, *lines: str, head: str = HEAD) -> Lake:
    (folder / "flows.log").write_text("\n".join([head, *lines]) + "\n")
    flowscan.ingest(str(folder / "flows.log"), folder / "lake")
    return Lake.open(folder / "lake")


def exchange(
    ours: str,
    port: int,
    theirs: str,
    their_port: int,
    at: int,
    *,
    asked: int = 900,
    answered: int = 5000,
    packets: int = 10,
) -> list[str]:
    """A call of a stranger at a port of ours, both directions as our interface recorded them."""
    head, tail = f"2 123456789012 eni-{ours.replace('.', '-')}", f"{at} {at + 20} ACCEPT OK"
    lines = [f"{head} {theirs} {ours} {their_port} {port} 6 {packets} {asked} {tail}"]
    if answered:
        lines.append(f"{head} {ours} {theirs} {port} {their_port} 6 {packets} {answered} {tail}")
    return lines  # fmt: skip


def test_a_nat_gateway_says_what_it_processed(tmp_path: Path) -> None:
    path = CASES / "traffic" / "nat_three_legs.log.gz"
    if not path.exists():
        pytest.skip(f"no {path}")
    flowscan.ingest(str(path), tmp_path / "lake")
    report = build(Lake.open(tmp_path / "lake"))
    nat = next(c for c in report.coverage if c.nat)
    assert (nat.label, nat.bytes) == ("10.0.9.9", 0)
    assert nat.processed == report.overview.totals.bytes
    assert [c.processed for c in report.coverage if not c.nat] == [None]
    for text in (render_terminal(report), render_markdown(report), render_html(report)):
        assert "NAT gateway, processed 10.1 GB" in text


def test_exposure_is_what_answered(tmp_path: Path) -> None:
    """Most first, sensitive ports before; probes that nobody answered are a number apart."""
    lines = []
    for i in range(5):
        lines += exchange("10.0.1.5", 8080, f"81.2.3.{i}", 40_000 + i, DAY + 600 + i)
    for i in range(3):
        lines += exchange("10.0.1.6", 22, f"81.2.3.{i}", 41_000 + i, DAY + 600 + i)
        lines += exchange(
            "10.0.1.6", 3306, f"81.2.4.{i}", 42_000 + i, DAY + 600 + i,
            asked=40, answered=0, packets=1,
        )  # fmt: skip
    report = build(lake_of(tmp_path, *lines))
    assert [(e.address, e.port, e.sources, e.connections) for e in report.exposure] == [
        ("10.0.1.6", 22, 3, 3),
        ("10.0.1.5", 8080, 5, 5),
    ]
    assert report.exposure[1].bytes == 5 * 900
    assert report.probed == 3
    for text in (render_terminal(report), render_markdown(report)):
        assert "3 connections from outside got no answer" in text
    assert "3 connections of public addresses" in render_html(report)


def test_a_period_is_of_whole_hours(tmp_path: Path) -> None:
    """Bytes are kept by the hour: the period is rounded out, and every format says so."""
    lines = [
        line
        for hour in range(1, 6)
        for line in exchange("10.0.1.5", 443, "81.2.3.4", 40_000 + hour, DAY + hour * 3600 + 600)
    ]
    lake = lake_of(tmp_path, *lines)
    report = build(lake, DAY + 2 * 3600 + 900, DAY + 4 * 3600)
    period = report.overview.period
    assert (period.since, period.until) == (DAY + 2 * 3600, DAY + 4 * 3600)
    assert report.overview.totals.flows == 4
    assert report.overview.totals.bytes == 2 * 5_900
    assert report.exposure[0].connections == 2
    asked = json.loads(render_json(report))["overview"]["asked"]
    assert asked["since"] == "2026-08-03T02:15:00Z"
    assert "asked for" in render_html(report)
    for text in (render_terminal(report), render_markdown(report)):
        assert "whole hours" in text
    whole = build(lake, DAY + 2 * 3600, DAY + 4 * 3600)
    assert whole.overview.asked is None
    assert "whole hours" not in render_terminal(whole) + render_html(whole)


@pytest.mark.parametrize("since", [0, 6 * 3600, 30 * 3600])
@pytest.mark.parametrize("until", [31 * 3600, 48 * 3600, 60 * 3600])
def test_parts_of_days_are_answered_exactly(tmp_path: Path, since: int, until: int) -> None:
    """contacts are by day: what a period covers in part comes from sessions."""
    times = range(3 * 3600, 60 * 3600, 3 * 3600)
    lines = [
        line
        for i, at in enumerate(times)
        for line in exchange("10.0.1.5", 443, f"81.2.3.{i}", 40_000 + i, DAY + at)
    ]
    report = build(lake_of(tmp_path, *lines), DAY + since, DAY + until)
    inside = sum(since <= at < until for at in times)
    assert [(e.sources, e.connections) for e in report.exposure] == [(inside, inside)]
    assert report.overview.totals.bytes == inside * 5_900


def test_a_gateway_endpoint_is_not_the_internet(tmp_path: Path) -> None:
    tail = f"{DAY + 60} {DAY + 90} ACCEPT OK"
    head = f"{HEAD} pkt-srcaddr pkt-dstaddr flow-direction traffic-path"
    base = "5 123456789012 eni-0aaaaaaaaaaaaaaa1"
    lines = []
    for address, path, size in (("52.216.44.18", 7, 40_000), ("93.184.216.34", 8, 1_000)):
        there, back = f"10.0.1.5 {address}", f"{address} 10.0.1.5"
        lines += [
            f"{base} {there} 4{path}000 443 6 9 {size} {tail} {there} egress {path}",
            f"{base} {back} 443 4{path}000 6 9 700 {tail} {back} ingress -",
        ]
    report = build(lake_of(tmp_path, *lines, head=head))
    assert (report.overview.bytes_out, report.overview.bytes_in) == (1_000, 700)
    links = {(x.source, x.destination): x.bytes for x in report.links}
    assert links["10.0.1.5", "gateway endpoint"] == 40_000
    assert links["10.0.1.5", "internet"] == 1_000


def test_top_lists_do_not_depend_on_their_length(tmp_path: Path) -> None:
    lines = [
        line
        for i in range(40)
        for line in exchange(
            f"10.0.1.{i}", 443, "81.2.3.4", 40_000 + i, DAY + i, answered=1_000 + i
        )
    ]
    lake = lake_of(tmp_path, *lines)
    few, all_ = build(lake, options=Options(top=3)), build(lake, options=Options(top=500))
    assert few.talkers == all_.talkers[:3]
    assert few.left.exposure == len(all_.exposure) - 3
