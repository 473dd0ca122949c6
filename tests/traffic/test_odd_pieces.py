"""Small days that folds in pieces once told otherwise than as a whole."""

from __future__ import annotations

import pytest

import flowscan
from flowscan import lake as storage
from flowscan import traffic
from flowscan.traffic.partly import Partly

HEADER = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start "
    "end action log-status tcp-flags pkt-srcaddr pkt-dstaddr flow-direction traffic-path"
)
DAY = 1764547200
HOST, WEB, WEB2, GATE = "10.0.0.1", "52.1.2.1", "52.1.2.2", "10.0.9.9"


def row(at, src, dst, ports="40000 443", *, d=60, act="ACCEPT", flags=0, eni="eni-1",
        way="egress", path="8", to=None):  # fmt: skip
    times = f"{DAY + at} {DAY + at + d}"
    return (
        f"5 123456789012 {eni} {src} {dst} {ports} 6 10 1000 {times} {act} OK {flags} "
        f"{src} {to or dst} {way} {path}"
    )


def inbound(at):
    return row(at, WEB, GATE, "443 50000", eni="eni-nat", way="ingress", path="-")


def later(at):
    return [row(at, HOST, WEB2)]


CASES = {
    "path_changes_later": [
        [row(100, HOST, WEB, d=6000, flags=2, path="1")],
        later(3600),
        [row(6000, HOST, WEB)],
    ],
    "to_itself_both_ways": [
        [row(100, HOST, HOST, "80 443", flags=2), row(110, HOST, HOST, "5000 443", flags=2)],
        later(3600),
    ],
    "two_in_one_slice": [
        [row(1500, HOST, WEB, d=5, flags=2), row(1600, HOST, WEB, d=150, act="REJECT", flags=2)],
        later(3600),
        later(7200),
    ],
    "run_whose_first_is_not_told": [
        [
            row(20, HOST, WEB, flags=2, path="-"),
            row(20, HOST, GATE, flags=2, eni="eni-nat", way="ingress", path="-", to=WEB),
            row(20, GATE, WEB, "50000 443", flags=2, eni="eni-nat", path="-"),
        ],
        [inbound(1000)],
        [inbound(6400), *later(6400)],
        later(10000),
        [inbound(14000)],
        later(18000),
    ],
}


def put(folder, name, lines):
    path = folder / f"{name}.log"
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    flowscan.ingest(path, folder / "lake")


@pytest.mark.parametrize("case", CASES)
def test_pieces_are_the_whole(tmp_path, case):
    lake = storage.Lake.open(tmp_path / "lake", create=True)
    for i, lines in enumerate(CASES[case]):
        put(tmp_path, i, lines)
        traffic.fold(lake)
    assert list(traffic.differences(lake.snapshot())) == []


def test_another_writer_in_between_is_no_error(tmp_path, monkeypatch):
    lake = storage.Lake.open(tmp_path / "lake", create=True)
    for i, at in enumerate((10, 3600, 7200)):
        put(tmp_path, i, later(at))
        if at < 7200:
            traffic.fold(lake)
    make = Partly.make

    def late(self):
        monkeypatch.setattr(Partly, "make", make)
        traffic.fold(storage.Lake.open(tmp_path / "lake"))
        make(self)

    monkeypatch.setattr(Partly, "make", late)
    assert traffic.fold(lake).days == ()


def test_two_connections_that_begin_in_one_slice_share_nothing(tmp_path):
    lines = [*CASES["two_in_one_slice"][0], row(1810, HOST, WEB)]
    put(tmp_path, "all", lines)
    with traffic.reading(storage.Lake.open(tmp_path / "lake")) as engine:
        for table in ("sessions", "contacts", "volumes"):
            (found,) = engine.execute(
                f"SELECT sum(records) AS records, sum(rejected) AS rejected FROM {table}"
            ).to_pylist()
            assert found == {"records": 3, "rejected": 1}, table


def test_a_window_does_not_hide_what_came_too_late(tmp_path):
    lake = storage.Lake.open(tmp_path / "lake", create=True)
    put(tmp_path, "day", [*later(100), *later(40_000), *later(80_000)])
    traffic.fold(lake)
    put(tmp_path, "late", later(7200))
    traffic.fold(lake, since=DAY + 70_000)
    assert traffic.stale(lake.snapshot()) == {}
    assert list(traffic.differences(lake.snapshot())) == []
