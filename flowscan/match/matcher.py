"""Match some days: distinct addresses of contacts → index → join → rows of `matches`.

Invariant: the result for a day depends on that day's traffic and on the indicators only; the
number of indicators enters only into the look-up of distinct addresses.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from flowscan import traffic
from flowscan.match import sql
from flowscan.match.index import FeedIndex
from flowscan.match.model import MatchResult, Stats, ordered
from flowscan.net.address import format_address, parse_address
from flowscan.schema import small_schema

if TYPE_CHECKING:
    from flowscan.engine import Engine
    from flowscan.lake import Lake, Snapshot

DAY_S: Final = 86_400


def days_of(snapshot: Snapshot) -> set[int]:
    """Starts of the UTC days whose flows touch the snapshot's window."""
    starts = (entry.min_start for entry in snapshot.files("flows"))
    return {start - start % DAY_S for start in starts if start is not None}


def match_window(lake: Lake, index: FeedIndex, since: int | None, until: int | None) -> MatchResult:
    """Match a window (epoch seconds), which is widened to whole hours."""
    days = days_of(lake.snapshot(since, until))
    edges = {edge - edge % DAY_S for edge in (since, until) if edge is not None and edge % DAY_S}
    return _match(lake, index, dict.fromkeys(days, False) | dict.fromkeys(days & edges, True),
                  since, until)  # fmt: skip


def match_days(lake: Lake, index: FeedIndex, days: Iterable[int]) -> MatchResult:
    """Match whole UTC days, named by their start in epoch seconds."""
    chosen = dict.fromkeys(days, False)
    if not chosen:
        return MatchResult(small_schema("matches").empty_table(), _stats(index, chosen))
    return _match(lake, index, chosen, min(chosen), max(chosen) + DAY_S)


def _match(
    lake: Lake,
    index: FeedIndex,
    days: Mapping[int, bool],
    since: int | None,
    until: int | None,
) -> MatchResult:
    """Match days; a day stands for true when the window holds only some of its hours."""
    stats = _stats(index, days)
    nothing = small_schema("matches").empty_table()
    if not days:
        return MatchResult(nothing, stats)
    chosen = pa.table({"day": list(days), "part": list(days.values())})
    with traffic.reading(lake, since, until, tables={"days": chosen}) as engine:
        clock = _Clock(stats)
        found = _look_up(engine, index, stats)
        clock.lap("addresses")
        if found is None:
            return MatchResult(nothing, stats)
        engine.put("listed", found[0])
        engine.put("owners", found[1])
        engine.execute(sql.MET)
        if any(days.values()):
            engine.execute(sql.NARROW)
        clock.lap("contacts")
        stats.flows = engine.execute(sql.FLOWS).column(0)[0].as_py()
        rows = ordered(engine.execute(sql.MATCHES).cast(small_schema("matches")))
        clock.lap("roll-up")
    return MatchResult(rows, stats)


def _stats(index: FeedIndex, days: Mapping[int, bool]) -> Stats:
    return Stats(indicators=len(index), intervals=index.intervals, days=len(days))


def _look_up(engine: Engine, index: FeedIndex, stats: Stats) -> tuple[Any, Any] | None:
    """Tables `listed` and `owners`, or None when no address is listed."""
    every = engine.execute(sql.DISTINCT).column(0).combine_chunks()
    found, stats.trusted = index.find(every)
    stats.addresses = len(every)
    if not len(found.position):
        return None
    text = every.take(pa.array(found.position))
    canonical = _canonical(text)
    listed = pa.table({"text": text, "address": canonical}).group_by(["text", "address"])
    picked = index.table.select(["feed", "category", "confidence", "indicator"])
    owners = picked.take(pa.array(found.row)).append_column("address", canonical)
    texts = listed.aggregate([])
    stats.listed = texts.num_rows
    return texts, owners.group_by(owners.column_names).aggregate([])


def _canonical(texts: Any) -> Any:
    """Canonical form of listed addresses; a dotted quad is canonical already."""
    if not pc.any(pc.match_substring(texts, ":")).as_py():
        return texts
    result = []
    for text in texts.to_pylist():
        one = parse_address(text) if ":" in text else None
        result.append(format_address(*one) if one else text)
    return pa.array(result, pa.string())


class _Clock:
    def __init__(self, stats: Stats) -> None:
        self._stats, self._last = stats, time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self._stats.seconds[name] = now - self._last
        self._last = now
