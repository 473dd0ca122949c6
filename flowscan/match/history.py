"""Match a lake, whole or only what is new since the last time, and keep the result in the lake.

What has been matched is a blob: the flow files seen (path, rows, date), the state of every feed,
and the files of `matches` that hold the result; if those are not the lake's, a run was cut short
and everything is matched again. Invariant: after any sequence of incremental runs the totals of
`matches` equal those of one whole run over the same lake and feeds. A file that compaction
replaced counts as seen when its date has as many rows as before; a date that lost or mixed rows
is matched again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from flowscan.feeds.store import FeedStore
from flowscan.match.index import FeedIndex
from flowscan.match.matcher import Chosen, match_files
from flowscan.match.model import MatchResult, Stats
from flowscan.schema import small_schema

if TYPE_CHECKING:
    from flowscan.lake import Lake
    from flowscan.lake.ledger import FileEntry

_BLOB = ("match", "history")


def match(
    lake: Lake,
    *,
    since: int | None = None,
    until: int | None = None,
    feeds: Iterable[str] | None = None,
    incremental: bool = False,
    save: bool | None = None,
    now: int | None = None,
) -> MatchResult:
    """Match the feeds of a lake against its flows.

    Without a window and a choice of feeds the result is kept as the table `matches` (`save`
    overrides). `incremental` reads only flows that no run has matched, and the whole lake for
    feeds that changed since; it gives the rows that these made.

    Raises:
        FeedError: a feed of `feeds` does not exist.
    """
    now = int(time.time()) if now is None else now
    names = None if feeds is None else [FeedStore(lake).get(name).name for name in feeds]
    if incremental:
        return _incremental(lake, now)
    whole = since is None and until is None and names is None
    snapshot = lake.snapshot(since, until)
    index = FeedIndex(lake.read("indicators"), now=now, feeds=names)
    chosen = Chosen.of(snapshot, snapshot.files("flows"))
    result = match_files(chosen, index, since=since, until=until)
    if whole if save is None else save:
        lake.replace("matches", lambda _old: result.rows)
        if whole:
            _remember(lake, _Seen.of(chosen.entries, _feed_states(lake, now)), now)
    return result


@dataclass(frozen=True, slots=True)
class _Seen:
    """Files matched: path → (date, rows), and the feeds then: name → (fingerprint, trusted)."""

    files: dict[str, tuple[str, int]]
    feeds: dict[str, tuple[str, bool]]

    @classmethod
    def of(cls, entries: Iterable[FileEntry], feeds: dict[str, tuple[str, bool]]) -> _Seen:
        return cls({e.path: (_date(e), e.rows) for e in entries}, feeds)

    def changed(self, feeds: dict[str, tuple[str, bool]]) -> dict[str, bool]:
        """Feeds that are new, different or gone, and whether a trusted list is among their uses."""
        both = {**self.feeds, **feeds}
        return {
            name: both[name][1] or self.feeds.get(name, both[name])[1]
            for name in both
            if self.feeds.get(name) != feeds.get(name)
        }


def _date(entry: FileEntry) -> str:
    assert entry.min_start is not None
    return datetime.fromtimestamp(entry.min_start, UTC).strftime("%Y-%m-%d")


def _result_files(lake: Lake) -> list[str]:
    return sorted(entry.path for entry in lake.snapshot().files("matches"))


def _remember(lake: Lake, seen: _Seen, now: int) -> None:
    result = _result_files(lake)
    body = {"at": now, "files": seen.files, "feeds": seen.feeds, "result": result}
    lake.put_blob(*_BLOB, json.dumps(body).encode())


def _recall(lake: Lake) -> _Seen | None:
    """Give what the last run saw, or None when its result is not the one in the lake."""
    data = lake.get_blob(*_BLOB)
    if data is None:
        return None
    body = json.loads(data)
    if body["result"] != _result_files(lake):
        return None
    files = {path: (str(date), int(rows)) for path, (date, rows) in body["files"].items()}
    feeds = {name: (str(mark), bool(safe)) for name, (mark, safe) in body["feeds"].items()}
    return _Seen(files, feeds)


def _feed_states(lake: Lake, now: int) -> dict[str, tuple[str, bool]]:
    """What a feed's matches depend on; when it changes, they have to be made anew."""
    expired = _expired(lake, now)
    return {
        feed.name: (
            f"{feed.digest} {feed.category} {feed.confidence} {expired.get(feed.name, 0)}",
            feed.trusted,
        )
        for feed in FeedStore(lake).all()
        if feed.enabled
    }


def _expired(lake: Lake, now: int) -> dict[str, int]:
    table = lake.read("indicators").select(["feed", "expires"])
    gone = table.filter(pc.less_equal(table["expires"], now))
    counts = gone.group_by("feed").aggregate([([], "count_all")])
    return dict(zip(counts["feed"].to_pylist(), counts["count_all"].to_pylist(), strict=True))


def _incremental(lake: Lake, now: int) -> MatchResult:
    seen = _recall(lake)
    states = _feed_states(lake, now)
    changed = seen.changed(states) if seen else {}
    if seen is None or any(changed.values()):
        return match(lake, now=now)
    snapshot = lake.snapshot()
    entries = snapshot.files("flows")
    indicators = lake.read("indicators")
    fresh, dirty = _new_files(entries, seen)
    parts: list[MatchResult] = []
    again = sorted(changed.keys() & states.keys())
    for names, files in ((again, list(entries)), (sorted(states.keys() - changed.keys()), fresh)):
        if names and files:
            index = FeedIndex(indicators, now=now, feeds=names)
            parts.append(match_files(Chosen.of(snapshot, files), index))
    rows = pa.concat_tables([small_schema("matches").empty_table(), *(p.rows for p in parts)])
    if rows.num_rows or changed or dirty:
        lake.replace("matches", lambda table: _merge(table, rows, set(changed), dirty))
    _remember(lake, _Seen.of(entries, states), now)
    return MatchResult(rows, _sum(parts))


def _new_files(entries: Iterable[FileEntry], old: _Seen) -> tuple[list[FileEntry], set[str]]:
    """Files to match, and dates whose earlier matches are dropped because files went away."""
    by_date: dict[str, list[FileEntry]] = {}
    for entry in entries:
        by_date.setdefault(_date(entry), []).append(entry)
    before: dict[str, dict[str, int]] = {}
    for path, (date, rows) in old.files.items():
        before.setdefault(date, {})[path] = rows
    fresh: list[FileEntry] = []
    dirty: set[str] = set()
    for date in sorted({*by_date, *before}):
        present, known = by_date.get(date, []), before.get(date, {})
        if {e.path for e in present} >= known.keys():
            fresh += [e for e in present if e.path not in known]
        elif sum(e.rows for e in present) != sum(known.values()):
            dirty.add(date)
            fresh += present
    return fresh, dirty


def _merge(old: Any, new: Any, changed: set[str], dirty: set[str]) -> Any:
    """Old rows that still hold plus new ones, rows of the same key added up."""
    gone = pc.or_(
        pc.is_in(old["feed"], value_set=pa.array(sorted(changed), pa.string())),
        pc.is_in(old["date"], value_set=pa.array(sorted(dirty), pa.string())),
    )
    table = pa.concat_tables([old.filter(pc.invert(gone)), new])
    keys = [name for name in table.column_names if name not in _ROLLED]
    rolled = table.group_by(keys).aggregate(list(_ROLLED.items()))
    wanted = small_schema("matches")
    columns = [rolled[f"{n}_{_ROLLED[n]}" if n in _ROLLED else n] for n in wanted.names]
    rows = pa.table(columns, names=wanted.names).cast(wanted)
    return rows.sort_by([*_ORDER, *((name, "ascending") for name in keys)])


_ROLLED = {
    "rank": "min",
    "flows": "sum",
    "packets": "sum",
    "bytes": "sum",
    "bytes_out": "sum",
    "first_seen": "min",
    "last_seen": "max",
}
_ORDER = [("rank", "ascending"), ("bytes_out", "descending"), ("bytes", "descending")]


def _sum(parts: Iterable[MatchResult]) -> Stats:
    total = Stats()
    for part in parts:
        for name in ("addresses", "indicators", "intervals", "listed", "trusted", "files"):
            setattr(total, name, getattr(total, name) + getattr(part.stats, name))
        total.files_read += part.stats.files_read
        total.flows += part.stats.flows
        for step, seconds in part.stats.seconds.items():
            total.seconds[step] = total.seconds.get(step, 0.0) + seconds
    return total
