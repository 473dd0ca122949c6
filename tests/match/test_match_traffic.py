"""What match and lookup make of traffic: legs, hours, days that come and go."""

from __future__ import annotations

from pathlib import Path

import pytest
from match_kit import BAD, DAY, T0, US, flow, listed, put, rows_of
from test_lookup import cli

from flowscan.lake import Lake
from flowscan.lake.compact import compact
from flowscan.lake.expire import expire
from flowscan.lookup import lookup
from flowscan.match import match


def test_a_listed_address_that_only_packets_name(lake: Lake, tmp_path: Path) -> None:
    put(lake, [
        flow("10.0.1.1", "10.0.0.9", pkt_srcaddr="10.0.1.1", pkt_dstaddr=BAD),
        flow("10.0.0.9", "10.0.1.1", srcport=443, dstport=40_000, pkt_srcaddr=BAD, pkt_dstaddr="10.0.1.1"),
    ])  # fmt: skip
    listed(lake, tmp_path, "bad", BAD)
    assert [(r["rank"], r["address"], r["flows"]) for r in rows_of(lake)] == [(1, BAD, 2)]
    assert lookup(lake, BAD, now=T0).activity.flows == 2


def test_a_window_holds_its_hours_only(lake: Lake, tmp_path: Path) -> None:
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


def test_compaction_matches_nothing_again(lake: Lake, tmp_path: Path) -> None:
    listed(lake, tmp_path, "bad", BAD)
    for i in range(3):
        put(lake, [flow(US, BAD, srcport=40_000 + i)])
    match(lake, incremental=True, now=T0)
    before = lake.read("matches")
    assert list(compact(lake, now=T0 + 9 * DAY))
    result = match(lake, incremental=True, now=T0)
    assert (result.stats.days, result.rows.num_rows) == (0, 0)
    assert lake.read("matches").equals(before)


def test_a_day_that_expired_leaves(lake: Lake, tmp_path: Path) -> None:
    listed(lake, tmp_path, "bad", BAD)
    put(lake, [flow(US, BAD, start=T0 + day * DAY, end=T0 + day * DAY + 9) for day in range(2)])
    match(lake, incremental=True, now=T0)
    assert set(lake.read("matches")["date"].to_pylist()) == {"2026-08-01", "2026-08-02"}
    expire(lake, before=T0 + DAY)
    match(lake, incremental=True, now=T0)
    assert lake.read("matches")["date"].to_pylist() == ["2026-08-02"]


def test_nothing_changed_is_said(lake: Lake, tmp_path: Path) -> None:
    listed(lake, tmp_path, "bad", BAD)
    put(lake, [flow(US, BAD)])
    where = ("--lake", str(tmp_path / "lake"), "--incremental")
    assert "we tried, in vain" in cli("match", *where).stdout
    again = cli("match", *where)
    assert (again.stdout, again.stderr) == ("", "nothing changed since the last run\n")


@pytest.mark.parametrize("limit", ["1", "2"])
def test_rows_that_are_not_shown_are_counted(lake: Lake, tmp_path: Path, limit: str) -> None:
    listed(lake, tmp_path, "bad", "45.1.2.0/24")
    put(lake, [flow(US, f"45.1.2.{i}", dstport=port, bytes=100 * i)
               for i in range(1, 4) for port in (22, 80, 443, 3389)])  # fmt: skip
    shown = cli("match", "--lake", str(tmp_path / "lake"), "--limit", limit)
    assert shown.returncode == 0, shown.stderr
    assert "45.1.2.3" in shown.stdout
    assert "+1" in shown.stdout
    assert f"… and {3 - int(limit)} more (--limit)" in shown.stderr
