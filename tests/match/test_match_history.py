"""The kept result of matches: a table of the lake, the same by whatever incremental runs."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from match_kit import BAD, DAY, T0, US, flow, listed, put

from flowscan.engine import Engine
from flowscan.feeds.store import FeedStore
from flowscan.lake import Lake
from flowscan.match import match


def table(lake: Lake) -> list[tuple[Any, ...]]:
    rows = lake.read("matches").to_pylist()
    return sorted(tuple(str(v) for v in row.values()) for row in rows)


def test_the_result_is_a_table_of_the_lake(lake: Lake, tmp_path: Path) -> None:
    put(lake, [flow(US, BAD)])
    listed(lake, tmp_path, "a", BAD)
    match(lake, now=T0)
    with Engine(lake.snapshot()) as engine:
        found = engine.query(
            "SELECT m.address, i.indicator FROM matches m JOIN indicators i ON i.feed = m.feed"
        )
    assert found.to_pylist() == [{"address": BAD, "indicator": BAD}]
    match(lake, now=T0, feeds=["a"], since=T0 + DAY)  # a question, not the result
    assert len(table(lake)) == 1


def test_incremental_equals_whole(lake: Lake, tmp_path: Path) -> None:
    """Whatever happens in between: new flows, late flows, feeds added, changed, removed, trusted."""
    rng = random.Random(11)
    store = FeedStore(lake)

    def some(day: int) -> None:
        put(lake, [
            flow(*rng.choice([(US, f"45.1.2.{rng.randint(0, 9)}"), (f"45.1.2.{rng.randint(0, 9)}", US)]),
                 start=T0 + day * DAY + rng.randint(0, 80_000), end=T0 + day * DAY + 85_000,
                 dstport=rng.choice([22, 443]), action=rng.choice(["ACCEPT", "REJECT"]))
            for _ in range(50)
        ])  # fmt: skip

    def rewrite(text: str) -> None:
        (tmp_path / "a.txt").write_text(text)
        store.update(["a"])

    steps = [
        lambda: some(0),
        lambda: listed(lake, tmp_path, "a", "45.1.2.0/30"),
        lambda: some(1),
        lambda: some(0),
        lambda: listed(lake, tmp_path, "b", "45.1.2.2\n45.1.2.7"),
        lambda: rewrite("45.1.2.4/30\n"),
        lambda: None,
        lambda: listed(lake, tmp_path, "good", "45.1.2.7", trusted=True),
        lambda: some(2),
        lambda: store.disable("b"),
        lambda: store.enable("b"),
        lambda: store.remove("good"),
        lambda: store.remove("a"),
    ]
    for step in steps:
        step()
        match(lake, incremental=True, now=T0)
        kept = table(lake)
        match(lake, now=T0)
        assert kept == table(lake)


def test_incremental_reads_changed_days_only(lake: Lake, tmp_path: Path) -> None:
    listed(lake, tmp_path, "a", BAD)
    for day in range(3):
        put(lake, [flow(US, BAD, start=T0 + day * DAY)])
    assert match(lake, incremental=True, now=T0).stats.days == 3
    assert match(lake, incremental=True, now=T0).stats.days == 0
    put(lake, [flow(US, BAD, start=T0 + DAY)])
    result = match(lake, incremental=True, now=T0)
    assert result.stats.days == 1
    assert result.rows["flows"].to_pylist() == [2]
    assert sorted(lake.read("matches")["flows"].to_pylist()) == [1, 1, 2]


def test_a_run_cut_short_is_noticed(lake: Lake, tmp_path: Path) -> None:
    """The table was written, the note about it was not: nothing may be counted twice."""
    listed(lake, tmp_path, "a", BAD)
    put(lake, [flow(US, BAD)])
    match(lake, incremental=True, now=T0)
    note = lake.get_blob("match", "history")
    assert note is not None
    put(lake, [flow(US, BAD)])
    match(lake, incremental=True, now=T0)
    lake.put_blob("match", "history", note)
    match(lake, incremental=True, now=T0)
    assert lake.read("matches")["flows"].to_pylist() == [2]
