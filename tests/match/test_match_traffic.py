"""Matches and look-ups of traffic that is easy to misread: who called, bytes once, whose leg."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from test_lookup import cli
from test_matcher import BAD, DAY, T0, US, flow, lake, listed, put  # noqa: F401 - a fixture

from flowscan.lake import Lake
from flowscan.lake.compact import compact
from flowscan.lake.expire import expire
from flowscan.lookup import lookup
from flowscan.match import match

S3, STRANGER = "52.216.10.10", "82.141.245.237"


def rows_of(lake: Lake, **options: Any) -> list[dict[str, Any]]:  # noqa: F811
    return match(lake, now=T0, **options).rows.to_pylist()


def low_client_ports() -> list[dict[str, Any]]:
    rows = []
    for i in range(5):
        at = {"start": T0 + 60 * i, "end": T0 + 60 * i + 20}
        rows.append(flow(US, BAD, srcport=5001 + i, dstport=8443, packets=12, bytes=1500, **at))
        rows.append(flow(BAD, US, srcport=8443, dstport=5001 + i, bytes=6500, **at))
    return rows


def scan_from_one_port() -> list[dict[str, Any]]:
    rows = []
    for i in range(200):
        sizes = {"packets": 1, "bytes": 40, "start": T0 + 5 * i, "end": T0 + 5 * i}
        rows.append(flow(STRANGER, "10.30.1.6", srcport=1254, dstport=5900 + i, **sizes))
        rows.append(flow("10.30.1.6", STRANGER, srcport=5900 + i, dstport=1254, **sizes))
    return rows


def nat_three_legs() -> list[dict[str, Any]]:
    ours, gateway = "10.0.1.5", "10.0.9.9"
    rows = []
    for i in range(10):
        at = {"start": T0 + 600 * i, "end": T0 + 600 * i + 50}
        out = {"packets": 1_000_000, "bytes": 10**9, "pkt_dstaddr": S3, **at}
        back = {"packets": 10_000, "bytes": 10**7, "pkt_srcaddr": S3, **at}
        inner, outer = {"srcport": 40_000, "dstport": 443}, {"srcport": 50_000, "dstport": 443}
        inner_back = {"srcport": 443, "dstport": 40_000}
        outer_back = {"srcport": 443, "dstport": 50_000}
        inst = {"interface_id": "eni-inst"}
        nat = {"interface_id": "eni-nat"}
        rows += [
            flow(ours, S3, **inst, **inner, **out, pkt_srcaddr=ours, flow_direction="egress"),
            flow(ours, gateway, **nat, **inner, **out, pkt_srcaddr=ours, flow_direction="ingress"),
            flow(gateway, S3, **nat, **outer, **out, pkt_srcaddr=gateway, flow_direction="egress"),
            flow(S3, gateway, **nat, **outer_back, **back, pkt_dstaddr=gateway, flow_direction="ingress"),
            flow(gateway, ours, **nat, **inner_back, **back, pkt_dstaddr=ours, flow_direction="egress"),
            flow(S3, ours, **inst, **inner_back, **back, pkt_dstaddr=ours, flow_direction="ingress"),
        ]  # fmt: skip
    return rows


def test_our_low_ports_call(lake: Lake, tmp_path: Path) -> None:  # noqa: F811
    put(lake, low_client_ports())
    listed(lake, tmp_path, "bad", BAD)
    (row,) = rows_of(lake)
    assert (row["rank"], row["direction"], row["port"], row["flows"]) == (1, "outbound", 8443, 10)
    assert (row["bytes"], row["bytes_out"]) == (40_000, 7_500)
    seen = lookup(lake, US, now=T0).activity
    (called,) = seen.called
    assert (called["peer"], called["sessions"], called["answered"]) == (BAD, 5, 5)
    assert called["services"] == [{"port": 8443, "protocol": 6}]
    assert (seen.called_by, seen.services, seen.services_tried) == ((), (), 0)
    shown = cli("lookup", US, "--lake", str(tmp_path / "lake")).stdout
    assert f"called         {BAD} 8443/tcp https-alt: 5 times (5 answered)" in shown
    assert "5001" not in shown


def test_a_scan_from_one_port_is_the_strangers(lake: Lake, tmp_path: Path) -> None:  # noqa: F811
    put(lake, scan_from_one_port())
    listed(lake, tmp_path, "bad", STRANGER)
    rows = rows_of(lake)
    assert {(r["rank"], r["direction"]) for r in rows} == {(3, "inbound")}
    assert (len(rows), sum(r["flows"] for r in rows)) == (200, 400)
    seen = lookup(lake, "10.30.1.6", now=T0).activity
    (scan,) = seen.called_by
    assert (scan["peer"], scan["ports"], scan["ports_open"], scan["answered"]) == (
        STRANGER, 200, 0, 0,
    )  # fmt: skip
    assert (seen.called, seen.services_tried, seen.services_open) == ((), 200, 0)
    shown = cli("lookup", "10.30.1.6", "--lake", str(tmp_path / "lake")).stdout
    assert f"called by      {STRANGER} 200 ports: 200 times (none answered, 200 reset)" in shown
    assert "200 tried, none answered" in shown


def test_nat_counts_once_with_its_true_client(lake: Lake, tmp_path: Path) -> None:  # noqa: F811
    put(lake, nat_three_legs())
    listed(lake, tmp_path, "bad", S3)
    (row,) = rows_of(lake)
    assert (row["rank"], row["local_address"]) == (1, "10.0.1.5")
    assert (row["bytes"], row["bytes_out"]) == (10**10 + 10**8, 10**10)
    for target in ("10.0.1.5", "10.0.0.0/16"):
        seen = lookup(lake, target, now=T0).activity
        assert (seen.bytes_sent, seen.bytes_received) == (10**10, 10**8)
        assert [(r["mine"], r["peer"]) for r in seen.called] == [("10.0.1.5", S3)]
    gateway = lookup(lake, "10.0.9.9", now=T0).activity
    assert (gateway.gateway, gateway.flows) == (True, 0)


def test_a_listed_address_that_only_packets_name(lake: Lake, tmp_path: Path) -> None:  # noqa: F811
    put(lake, [
        flow("10.0.1.1", "10.0.0.9", pkt_srcaddr="10.0.1.1", pkt_dstaddr=BAD),
        flow("10.0.0.9", "10.0.1.1", srcport=443, dstport=40_000, pkt_srcaddr=BAD, pkt_dstaddr="10.0.1.1"),
    ])  # fmt: skip
    listed(lake, tmp_path, "bad", BAD)
    assert [(r["rank"], r["address"], r["flows"]) for r in rows_of(lake)] == [(1, BAD, 2)]
    assert lookup(lake, BAD, now=T0).activity.flows == 2


def test_a_window_holds_its_hours_only(lake: Lake, tmp_path: Path) -> None:  # noqa: F811
    """Bytes are those of the hours, the outcome is the day's."""
    rows = []
    for hour in (1, 5, 30):
        at = {"start": T0 + hour * 3600, "end": T0 + hour * 3600 + 30}
        rows.append(flow(US, BAD, srcport=40_000 + hour, bytes=1000 + hour, **at))
        rows.append(flow(BAD, US, srcport=443, dstport=40_000 + hour, bytes=500, **at))
    put(lake, rows)
    listed(lake, tmp_path, "bad", BAD)

    def sums(since: int | None, until: int | None) -> list[tuple[int, int, int]]:
        got = rows_of(lake, since=since, until=until)
        return [(r["rank"], r["flows"], r["bytes_out"]) for r in got]

    assert sorted(sums(None, None)) == [(1, 2, 1030), (1, 4, 2006)]
    assert sums(T0 + 3 * 3600, T0 + DAY) == [(1, 2, 1005)]
    assert sums(T0 + 3 * 3600 + 7, T0 + 31 * 3600) == [(1, 2, 1030), (1, 2, 1005)]
    assert sums(T0 + 2 * 3600, T0 + 5 * 3600) == []
    assert sums(T0, T0 + 3600 + 1) == [(1, 2, 1001)]


def test_compaction_matches_nothing_again(lake: Lake, tmp_path: Path) -> None:  # noqa: F811
    listed(lake, tmp_path, "bad", BAD)
    for i in range(3):
        put(lake, [flow(US, BAD, srcport=40_000 + i)])
    match(lake, incremental=True, now=T0)
    before = lake.read("matches")
    assert list(compact(lake, now=T0 + 9 * DAY))
    result = match(lake, incremental=True, now=T0)
    assert (result.stats.days, result.rows.num_rows) == (0, 0)
    assert lake.read("matches").equals(before)


def test_a_day_that_expired_leaves(lake: Lake, tmp_path: Path) -> None:  # noqa: F811
    listed(lake, tmp_path, "bad", BAD)
    put(lake, [flow(US, BAD, start=T0 + day * DAY, end=T0 + day * DAY + 9) for day in range(2)])
    match(lake, incremental=True, now=T0)
    assert set(lake.read("matches")["date"].to_pylist()) == {"2026-08-01", "2026-08-02"}
    expire(lake, before=T0 + DAY)
    match(lake, incremental=True, now=T0)
    assert lake.read("matches")["date"].to_pylist() == ["2026-08-02"]


def test_nothing_changed_is_said(lake: Lake, tmp_path: Path) -> None:  # noqa: F811
    listed(lake, tmp_path, "bad", BAD)
    put(lake, [flow(US, BAD)])
    where = ("--lake", str(tmp_path / "lake"), "--incremental")
    assert "we tried, in vain" in cli("match", *where).stdout
    again = cli("match", *where)
    assert (again.stdout, again.stderr) == ("", "nothing changed since the last run\n")


@pytest.mark.parametrize("limit", ["1", "2"])
def test_rows_that_are_not_shown_are_counted(lake: Lake, tmp_path: Path, limit: str) -> None:  # noqa: F811
    listed(lake, tmp_path, "bad", "45.1.2.0/24")
    put(lake, [flow(US, f"45.1.2.{i}", dstport=port, bytes=100 * i)
               for i in range(1, 4) for port in (22, 80, 443, 3389)])  # fmt: skip
    shown = cli("match", "--lake", str(tmp_path / "lake"), "--limit", limit)
    assert shown.returncode == 0, shown.stderr
    assert "45.1.2.3" in shown.stdout
    assert "+1" in shown.stdout
    assert f"… and {3 - int(limit)} more (--limit)" in shown.stderr
