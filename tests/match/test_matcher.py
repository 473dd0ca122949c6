"""Rows of a match: direction, rank, sums and order; windows, chosen feeds, trusted lists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from match_kit import BAD, DAY, T0, US, flow, listed, put, rows_of

from flowscan.feeds.store import FeedStore
from flowscan.lake import Lake
from flowscan.match import match
from flowscan.schema import small_schema

SCENES: dict[str, tuple[list[dict[str, Any]], list[tuple[int, str, str, int | None]]]] = {
    "we call it": (
        [flow(US, BAD), flow(BAD, US, srcport=443, dstport=40_000)],
        [(1, "outbound", "ACCEPT", 443)],
    ),
    "it calls us and is answered": (
        [flow(BAD, US, dstport=22), flow(US, BAD, srcport=22, dstport=40_000)],
        [(2, "inbound", "ACCEPT", 22)],
    ),
    "it sends, nothing comes back": ([flow(BAD, US, dstport=22)], [(3, "inbound", "ACCEPT", 22)]),
    "refused noise": ([flow(BAD, US, dstport=23, action="REJECT")], [(6, "inbound", "REJECT", 23)]),
    "noise from a low port": (
        [flow(BAD, US, srcport=53, dstport=50_000, action="REJECT")],
        [(6, "inbound", "REJECT", 50_000)],
    ),
    "our attempt is refused": ([flow(US, BAD, action="REJECT")], [(5, "outbound", "REJECT", 443)]),
    "flags beat ports": (
        [
            flow(BAD, US, srcport=443, dstport=50_000, tcp_flags=2),
            flow(US, BAD, srcport=50_000, dstport=443, tcp_flags=18),
        ],
        [(2, "inbound", "ACCEPT", 50_000)],
    ),
    "flags of our call": (
        [
            flow(US, BAD, srcport=443, dstport=50_000, tcp_flags=3),
            flow(BAD, US, srcport=50_000, dstport=443, tcp_flags=19),
        ],
        [(1, "outbound", "ACCEPT", 50_000)],
    ),
    "it calls us and is answered by a reset": (
        [flow(BAD, US, dstport=22, packets=1, bytes=60), flow(US, BAD, srcport=22, dstport=40_000, packets=1, bytes=40)],
        [(3, "inbound", "ACCEPT", 22)],
    ),
    "we call it in vain": ([flow(US, BAD, packets=3, bytes=180)], [(5, "outbound", "ACCEPT", 443)]),
    "we call it and are answered by a reset": (
        [flow(US, BAD, packets=1, bytes=60), flow(BAD, US, srcport=443, dstport=40_000, packets=1, bytes=40)],
        [(5, "outbound", "ACCEPT", 443)],
    ),
    "a lone packet and its answer": (
        [flow(BAD, US, packets=1, bytes=40), flow(US, BAD, srcport=443, dstport=40_000, packets=1, bytes=40)],
        [(3, "inbound", "ACCEPT", 443)],
    ),
    "our low port calls": (
        [flow(US, BAD, srcport=5001, dstport=8443), flow(BAD, US, srcport=8443, dstport=5001, start=T0 + 1)],
        [(1, "outbound", "ACCEPT", 8443)],
    ),
    "our answer is refused": (
        [flow(BAD, US, dstport=22), flow(US, BAD, srcport=22, dstport=40_000, action="REJECT")],
        [(3, "inbound", "ACCEPT", 22), (6, "inbound", "REJECT", 22)],
    ),
    "pings of which the first is unknown": (
        [flow(BAD, US, protocol=1, srcport=0, dstport=0), flow(US, BAD, protocol=1, srcport=0, dstport=0)],
        [(2, "undecided", "ACCEPT", None)],
    ),
    "it pings us": (
        [
            flow(BAD, US, protocol=1, srcport=0, dstport=0),
            flow(US, BAD, protocol=1, srcport=0, dstport=0, start=T0 + 1),
        ],
        [(2, "inbound", "ACCEPT", None)],
    ),
    "we ping it": (
        [
            flow(US, BAD, protocol=1, srcport=0, dstport=0),
            flow(BAD, US, protocol=1, srcport=0, dstport=0, start=T0 + 1),
        ],
        [(1, "outbound", "ACCEPT", None)],
    ),
    "same port on both sides, we first": (
        [
            flow(US, BAD, protocol=17, srcport=123, dstport=123),
            flow(BAD, US, protocol=17, srcport=123, dstport=123, start=T0 + 1),
        ],
        [(1, "outbound", "ACCEPT", 123)],
    ),
    "public host of ours, told by the interface": (
        [*[flow("52.1.1.1", f"52.9.9.{i}") for i in range(5)], flow(BAD, "52.1.1.1", dstport=22)],
        [(3, "inbound", "ACCEPT", 22)],
    ),
    "public host of ours, told by flow_direction": (
        [
            flow("52.1.1.1", BAD, flow_direction="egress"),
            flow(BAD, "52.1.1.1", srcport=443, dstport=40_000, flow_direction="ingress"),
        ],
        [(1, "outbound", "ACCEPT", 443)],
    ),
    "our own address is on the list": (
        [flow(BAD, f"52.9.9.{i}") for i in range(5)],
        [(4, "own", "ACCEPT", 443)] * 5,
    ),
    "own by flow_direction": (
        [flow(BAD, "52.9.9.9", flow_direction="egress")],
        [(4, "own", "ACCEPT", 443)],
    ),
    "behind NAT": (
        [
            flow("10.0.1.1", "10.0.0.9", pkt_srcaddr="10.0.1.1", pkt_dstaddr=BAD),
            flow("10.0.0.9", "10.0.1.1", srcport=443, dstport=40_000, pkt_srcaddr=BAD, pkt_dstaddr="10.0.1.1"),
        ],
        [(1, "outbound", "ACCEPT", 443)],
    ),
    "mapped in the flow": (
        [flow(US, f"::ffff:{BAD}"), flow(f"::ffff:{BAD}", US, srcport=443, dstport=40_000)],
        [(1, "outbound", "ACCEPT", 443)],
    ),
    "no action as in transit-gateway logs": (
        [flow(US, BAD, action=None), flow(BAD, US, srcport=443, dstport=40_000, action=None)],
        [(1, "outbound", "ACCEPT", 443)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES.keys())
def test_direction_and_rank(lake: Lake, tmp_path: Path, scene: Any) -> None:
    flows, expected = scene
    put(lake, flows)
    listed(lake, tmp_path, "bad", BAD, category="c2", confidence=90)
    rows = rows_of(lake)
    got = [(r["rank"], r["direction"], r["action"], r["port"]) for r in rows]
    assert got == expected
    assert {
        (r["address"], r["feed"], r["category"], r["confidence"], r["indicator"]) for r in rows
    } == {(BAD, "bad", "c2", 90, BAD)}
    if "pkt_dstaddr" in flows[0]:
        assert rows[0]["local_address"] == "10.0.1.1"


def test_sums_and_order(lake: Lake, tmp_path: Path) -> None:
    put(lake, [
        flow(US, BAD, bytes=700, packets=7), flow(BAD, US, srcport=443, dstport=40_000, bytes=300, packets=3, start=T0 + 60, end=T0 + 90),
        flow("45.9.9.9", US, dstport=22, action="REJECT", bytes=10**12),
        flow("45.9.9.8", US, dstport=22),
    ])  # fmt: skip
    listed(lake, tmp_path, "bad", f"{BAD}\n45.9.9.0/24\n")
    rows = rows_of(lake)
    assert [r["rank"] for r in rows] == [1, 3, 6]
    top = rows[0]
    assert (top["flows"], top["packets"], top["bytes"], top["bytes_out"]) == (2, 10, 1000, 700)
    assert (top["first_seen"], top["last_seen"], top["date"]) == (T0, T0 + 90, "2026-08-01")
    assert rows[1]["indicator"] == "45.9.9.0/24"


def test_the_narrowest_indicator_of_a_feed_is_named(lake: Lake, tmp_path: Path) -> None:
    put(lake, [flow(US, BAD)])
    listed(lake, tmp_path, "a", "45.1.0.0/16\n45.1.2.3\n45.1.2.0/24\n")
    listed(lake, tmp_path, "b", "45.0.0.0/8\n")
    assert [(r["feed"], r["indicator"]) for r in rows_of(lake)] == [("a", BAD), ("b", "45.0.0.0/8")]


def test_window_feeds_expiry_and_disabled(lake: Lake, tmp_path: Path) -> None:
    put(lake, [flow(US, BAD, start=T0 + day * DAY, end=T0 + day * DAY + 9) for day in range(3)])
    listed(lake, tmp_path, "a", BAD)
    listed(lake, tmp_path, "b", BAD)
    assert len(rows_of(lake)) == 6
    assert {r["feed"] for r in rows_of(lake, feeds=["b"])} == {"b"}
    window = rows_of(lake, since=T0 + DAY, until=T0 + 2 * DAY)
    assert {r["date"] for r in window} == {"2026-08-02"}
    FeedStore(lake).disable("a")
    assert {r["feed"] for r in rows_of(lake)} == {"b"}
    listed(lake, tmp_path, "c", BAD, lifetime=10)
    later = match(lake, now=2**40).rows
    assert set(later["feed"].to_pylist()) == {"b"}


def test_nothing_at_all(lake: Lake, tmp_path: Path) -> None:
    assert rows_of(lake) == []
    put(lake, [flow(US, BAD)])
    assert rows_of(lake) == []
    listed(lake, tmp_path, "a", "45.66.66.66")
    result = match(lake, now=T0)
    assert result.rows.num_rows == 0
    assert result.rows.schema == small_schema("matches")
    assert (result.stats.days, result.stats.listed) == (1, 0)


def test_trusted_wins_over_threats(lake: Lake, tmp_path: Path) -> None:
    put(lake, [flow(US, "8.8.8.8", dstport=53, protocol=17), flow(US, BAD)])
    listed(lake, tmp_path, "everything", f"8.8.8.8\n8.8.8.0/24\n{BAD}\n")
    assert {r["address"] for r in rows_of(lake)} == {"8.8.8.8", BAD}
    listed(lake, tmp_path, "good", "8.8.8.8/32\n", trusted=True)
    assert {r["address"] for r in rows_of(lake)} == {BAD}
    assert {r["address"] for r in rows_of(lake, feeds=["everything"])} == {BAD}
    assert match(lake, now=T0).stats.trusted == 1
