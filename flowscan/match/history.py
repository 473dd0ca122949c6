"""Match a lake, whole or only the days that changed since the last time, and keep the result.

What has been matched is a blob: the UTC days seen, each with its lineage (what was ingested and
not expired, however it was compacted) and the version of the query files, the state of every
feed, and the files of `matches` that hold the result; if those are not the lake's, a run was cut
short and everything is matched again. A day that changed is matched again whole, from its
contacts. Invariant: after any sequence of incremental runs `matches` equals the result of one
whole run over the same lake and feeds.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from flowscan.feeds.store import FeedStore
from flowscan.match.index import FeedIndex
from flowscan.match.matcher import DAY_S, days_of, match_days, match_window
from flowscan.match.model import MatchResult, Stats, ordered
from flowscan.schema import small_schema
from flowscan.traffic import derive

if TYPE_CHECKING:
    from flowscan.lake import Lake, Snapshot

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
    """Match the feeds of a lake against its traffic.

    Without a window and a choice of feeds the result is kept as the table `matches` (`save`
    overrides). A window is widened to whole hours. `incremental` reads only days that changed
    since the last run, and the whole lake for feeds that changed; it gives the rows of these.

    Raises:
        FeedError: a feed of `feeds` does not exist.
        LakeError: the result is to be kept, and the lake cannot be written; told before any work.
    """
    now = int(time.time()) if now is None else now
    names = None if feeds is None else [FeedStore(lake).get(name).name for name in feeds]
    if incremental:
        return _incremental(lake, now)
    whole = since is None and until is None and names is None
    kept = whole if save is None else save
    if kept:
        lake.prove_writable()
    seen = _Seen(_days(lake.snapshot()), _feed_states(lake, now))
    index = FeedIndex(lake.read("indicators"), now=now, feeds=names)
    result = match_window(lake, index, since, until)
    if kept:
        lake.replace("matches", lambda _old: result.rows)
        if whole:
            _remember(lake, seen, now)
    return result


@dataclass(frozen=True, slots=True)
class _Seen:
    """Days matched: start → mark of their flows, and the feeds then: (fingerprint, trusted)."""

    days: dict[int, str]
    feeds: dict[str, tuple[str, bool]]

    def changed_feeds(self, feeds: dict[str, tuple[str, bool]]) -> dict[str, bool]:
        """Feeds that are new, different or gone, and whether a trusted list is among their uses."""
        both = {**self.feeds, **feeds}
        return {
            name: both[name][1] or self.feeds.get(name, both[name])[1]
            for name in both
            if self.feeds.get(name) != feeds.get(name)
        }

    def changed_days(self, days: dict[int, str]) -> set[int]:
        """Days that are new, different or gone."""
        return {
            day for day in self.days.keys() | days.keys() if self.days.get(day) != days.get(day)
        }


def _days(snapshot: Snapshot) -> dict[int, str]:
    """The days of a snapshot, each with what its matches depend on beside the feeds."""
    version = derive.version()
    days = sorted(days_of(snapshot))
    return {day: f"{version} {snapshot.lineage_digest(day // DAY_S)}" for day in days}


def _date(day: int) -> str:
    return datetime.fromtimestamp(day, UTC).strftime("%Y-%m-%d")


def _result_files(lake: Lake) -> list[str]:
    return sorted(entry.path for entry in lake.snapshot().files("matches"))


def _remember(lake: Lake, seen: _Seen, now: int) -> None:
    result = _result_files(lake)
    body = {"at": now, "days": seen.days, "feeds": seen.feeds, "result": result}
    lake.put_blob(*_BLOB, json.dumps(body).encode())


def _recall(lake: Lake) -> _Seen | None:
    """Give what the last run saw, or None when its result is not the one in the lake."""
    data = lake.get_blob(*_BLOB)
    if data is None:
        return None
    body = json.loads(data)
    if body["result"] != _result_files(lake) or "days" not in body:
        return None
    days = {int(day): str(mark) for day, mark in body["days"].items()}
    feeds = {name: (str(mark), bool(safe)) for name, (mark, safe) in body["feeds"].items()}
    return _Seen(days, feeds)


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
    before = _recall(lake)
    seen = _Seen(_days(lake.snapshot()), _feed_states(lake, now))
    feeds = before.changed_feeds(seen.feeds) if before else {}
    if before is None or any(feeds.values()):
        return match(lake, now=now)
    days = before.changed_days(seen.days)
    if not feeds and not days:
        return MatchResult(small_schema("matches").empty_table(), Stats())
    lake.prove_writable()
    indicators = lake.read("indicators")
    again = sorted(feeds.keys() & seen.feeds.keys())
    same = sorted(seen.feeds.keys() - feeds.keys())
    parts = [
        match_days(lake, FeedIndex(indicators, now=now, feeds=names), chosen)
        for names, chosen in ((again, seen.days.keys()), (same, days & seen.days.keys()))
        if names and chosen
    ]
    rows = pa.concat_tables([small_schema("matches").empty_table(), *(p.rows for p in parts)])
    dates = {_date(day) for day in days}
    if rows.num_rows or _outdated(lake.read("matches"), feeds.keys(), dates)[1]:
        lake.replace("matches", partial(_merged, rows, feeds.keys(), dates))
    _remember(lake, seen, now)
    return MatchResult(ordered(rows), _sum(parts))


def _outdated(old: Any, feeds: Iterable[str], dates: Iterable[str]) -> tuple[Any, int]:
    """Rows of `matches` without those of some feeds and dates, and how many went."""
    gone = pc.or_(
        pc.is_in(old["feed"], value_set=pa.array(sorted(feeds), pa.string())),
        pc.is_in(old["date"], value_set=pa.array(sorted(dates), pa.string())),
    )
    kept = old.filter(pc.invert(gone))
    return kept, old.num_rows - kept.num_rows


def _merged(new: Any, feeds: Iterable[str], dates: Iterable[str], old: Any) -> Any:
    return ordered(pa.concat_tables([_outdated(old, feeds, dates)[0], new]))


def _sum(parts: Iterable[MatchResult]) -> Stats:
    total = Stats()
    for part in parts:
        for name in ("addresses", "indicators", "intervals", "listed", "trusted", "days", "flows"):
            setattr(total, name, getattr(total, name) + getattr(part.stats, name))
        for step, seconds in part.stats.seconds.items():
            total.seconds[step] = total.seconds.get(step, 0.0) + seconds
    return total
