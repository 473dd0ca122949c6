"""Everything known about an address or a prefix."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from match_kit import BAD, DAY, T0, US, flow, listed, put

from flowscan.enrich import Registrar
from flowscan.errors import UsageError
from flowscan.lake import Lake
from flowscan.lookup import BUCKETS, lookup


@pytest.fixture
def full(lake: Lake, tmp_path: Path) -> Lake:
    put(lake, [
        flow(US, BAD, bytes=700), flow(BAD, US, srcport=443, dstport=40_000, bytes=300),
        flow(BAD, US, dstport=22, action="REJECT", start=T0 + 2 * DAY, end=T0 + 2 * DAY + 5),
        flow(f"::ffff:{BAD}", "10.0.0.6", dstport=22, interface_id="eni-2"),
        flow(US, "45.1.2.9"), flow(US, "2a00::5"), flow(US, "10.0.0.6"),
    ])  # fmt: skip
    listed(lake, tmp_path, "a", f"{BAD} # a bad one\n45.1.2.0/24\n45.2.0.0/16\n", category="c2")
    listed(lake, tmp_path, "six", "2a00::/32\n", trusted=True)
    return lake


def test_an_address(full: Lake) -> None:
    found = lookup(full, BAD, now=T0)
    assert [(r["feed"], r["indicator"]) for r in found.lists] == [("a", BAD), ("a", "45.1.2.0/24")]
    assert found.network.public
    seen = found.activity
    assert (seen.flows, seen.accepted, seen.refused, seen.addresses) == (4, 3, 1, 2)
    assert (seen.bytes_sent, seen.bytes_received) == (300 + 1000, 700)
    assert (seen.first_seen, seen.last_seen) == (T0, T0 + 2 * DAY + 5)
    assert sum(seen.sparkline) == 4
    assert len(seen.sparkline) == BUCKETS
    assert seen.sparkline[-1] == 1
    assert [(r["peer"], r["services"][0]["port"]) for r in seen.called] == [
        ("10.0.0.6", 22),
        (US, 22),
    ]
    assert [(r["answered"], r["unanswered"], r["refused"]) for r in seen.called] == [
        (0, 1, 0),
        (0, 0, 1),
    ]
    assert [(r["peer"], r["sessions"], r["answered"]) for r in seen.called_by] == [(US, 1, 1)]
    assert [(r["port"], r["callers"], r["answered"]) for r in seen.services] == [(443, 1, 1)]
    assert (seen.services_open, seen.services_tried, seen.sides) == (1, 1, ("public",))
    assert [r["interface_id"] for r in seen.interfaces] == ["eni-1", "eni-2"]
    assert any("--whois" in note for note in found.notes)


def test_a_prefix_a_range_and_a_window(full: Lake) -> None:
    found = lookup(full, "45.1.2.0/24", now=T0)
    assert (found.first, found.last) == ("45.1.2.0", "45.1.2.255")
    assert found.activity.flows == 5
    assert found.activity.addresses == 3
    assert {r["address"] for r in found.activity.busiest} == {BAD, f"::ffff:{BAD}", "45.1.2.9"}
    assert lookup(full, "45.1.2.4-45.1.2.20", now=T0).activity.flows == 1
    assert lookup(full, "2a00::/16", now=T0).activity.flows == 1
    assert [r["feed"] for r in lookup(full, "2a00::5", now=T0).lists] == ["six"]
    assert lookup(full, BAD, since=T0 + DAY, now=T0).activity.flows == 1
    assert lookup(full, BAD, since=T0 + 9 * DAY, now=T0).activity.flows == 0


def test_more_pairs_than_are_shown(lake: Lake, tmp_path: Path) -> None:
    put(lake, [flow(US, f"45.1.3.{i}", dstport=443) for i in range(13)])
    seen = lookup(lake, US, now=T0).activity
    assert len(seen.called) + len(seen.undecided) == 10
    assert sum(seen.more.values()) == 3
    assert "… and 3 more" in cli("lookup", US, "--lake", str(tmp_path / "lake")).stdout


def test_nothing_known(lake: Lake) -> None:
    found = lookup(lake, "45.9.9.9", now=T0)
    assert (found.lists, found.activity.flows) == ((), 0)
    for bad in ("example.org", "45.1.2.999", "", "' OR 1=1 --"):
        with pytest.raises(UsageError):
            lookup(lake, bad)


def test_offline_whois_goes_on(full: Lake) -> None:
    found = lookup(full, BAD, registrar=Registrar(base="https://127.0.0.1:9"), now=T0)
    assert found.registration is not None
    assert found.registration.status == "unavailable"
    assert found.activity.flows == 4


def cli(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flowscan", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_command_line(full: Lake, tmp_path: Path) -> None:
    where = ("--lake", str(tmp_path / "lake"))
    shown = cli("lookup", BAD, *where)
    assert shown.returncode == 0, shown.stderr
    for text in ("45.1.2.0/24", "a bad one", "4 flows", "443/tcp https", "eni-2", "█"):
        assert text in shown.stdout
    data = json.loads(cli("lookup", BAD, *where, "--format", "json").stdout)
    assert data["activity"]["flows"] == 4
    wrong = cli("lookup", "example.org", *where)
    assert wrong.returncode == 2
    assert wrong.stderr.count("\n") == 1

    shown = cli("match", *where)
    assert shown.returncode == 0, shown.stderr
    assert "we talked to it" in shown.stdout
    rows = json.loads(cli("match", *where, "--format", "json").stdout)
    assert rows[0]["rank"] == 1
    assert cli("match", *where, "--incremental").returncode == 0
    assert cli("match", *where, "--feed", "nobody").returncode == 3


def test_feeds_on_the_command_line(tmp_path: Path) -> None:
    where = ("--lake", str(tmp_path / "lake"))
    file = tmp_path / "My List.txt"
    file.write_text("45.1.2.3\nexample.org\n10.0.0.1\nbro ken\x1b[31m\n")
    added = cli("feeds", "add", str(file), *where, "--category", "c2")
    assert added.returncode == 0, added.stderr
    assert "my-list: updated, 1 indicators (1 merged) as plain" in added.stdout
    assert "refused: private address: 10.0.0.1" in added.stderr
    assert "\x1b" not in added.stderr + added.stdout
    rows = json.loads(cli("feeds", "list", *where, "--format", "json").stdout)
    assert (rows[0]["name"], rows[0]["domains"], rows[0]["refused"]) == ("my-list", 1, 1)
    assert "45.1.2.3" in cli("feeds", "show", "my-list", *where).stdout
    file.write_text("<broken>")
    failed = cli("feeds", "update", *where)
    assert failed.returncode == 3
    assert failed.stderr.count("\n") == 1
    assert "kept the last good version" in failed.stderr
    assert cli("feeds", "disable", "my-list", *where).returncode == 0
    assert cli("feeds", "enable", "my-list", *where).returncode == 0
    assert cli("feeds", "remove", "my-list", *where).returncode == 0
    assert cli("feeds", "add", str(file), *where, "--category", "c3").returncode == 2
    catalog = json.loads(cli("feeds", "catalog", "--format", "json").stdout)
    assert {"tor-exit", "spamhaus-drop"} <= {row["name"] for row in catalog}
