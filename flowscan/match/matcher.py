"""Match one set of files: distinct addresses → index → semi-join → rows of `matches`.

Invariant: the flows are scanned once, and only in files that hold a listed address; the number of
indicators enters only into the look-up of distinct addresses.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from flowscan.engine import Engine
from flowscan.match import addresses, sql
from flowscan.match.index import FeedIndex
from flowscan.match.model import MatchResult, Stats
from flowscan.net.address import format_address, parse_address
from flowscan.schema import ADDRESS_COLUMNS, column_order, small_schema

if TYPE_CHECKING:
    from flowscan.lake.ledger import FileEntry
    from flowscan.lake.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Chosen:
    """Some of the flow files of a snapshot, as the engine wants them: entries and their paths."""

    snapshot: Snapshot
    pairs: tuple[tuple[FileEntry, str], ...]

    @classmethod
    def of(cls, snapshot: Snapshot, entries: Sequence[FileEntry]) -> Chosen:
        """Choose `entries` of the flow files."""
        paths = {entry.path for entry in entries}
        pairs = zip(snapshot.files("flows"), snapshot.uris("flows"), strict=True)
        return cls(snapshot, tuple(pair for pair in pairs if pair[0].path in paths))

    @property
    def entries(self) -> tuple[FileEntry, ...]:
        """The chosen files."""
        return tuple(entry for entry, _ in self.pairs)

    def uris(self, table: str) -> list[str]:
        """Paths of the chosen flow files; other tables are not needed here."""
        return [uri for _, uri in self.pairs] if table == "flows" else []

    def columns(self, table: str) -> list[str]:
        """Columns that the chosen flow files have between them."""
        entries = self.entries if table == "flows" else ()
        return column_order(name for entry in entries for name in entry.columns)

    def filesystem(self) -> Any:
        """What the engine reads a remote lake through."""
        return self.snapshot.filesystem()

    def only(self, uris: set[str]) -> Chosen:
        """Keep those with these paths."""
        return Chosen(self.snapshot, tuple(pair for pair in self.pairs if pair[1] in uris))


def match_files(
    files: Chosen, index: FeedIndex, *, since: int | None = None, until: int | None = None
) -> MatchResult:
    """Match the flows of some files against an index, in a window of `start` (epoch seconds)."""
    stats = Stats(indicators=len(index), intervals=index.intervals, files=len(files.entries))
    clock = _Clock(stats)
    listed, owners, files = _look_up(files, index, stats)
    clock.lap("addresses")
    stats.files_read = len(files.entries)
    if listed.num_rows == 0 or not files.entries:
        return MatchResult(small_schema("matches").empty_table(), stats)
    tables = {"listed": listed, "owners": owners}
    with Engine(files, since=since, until=until, tables=tables) as engine:
        engine.execute(sql.seen(set(files.columns("flows"))))
        clock.lap("flows")
        engine.execute(sql.SIDES)
        doubtful = engine.execute(sql.DOUBTFUL).column(0)[0].as_py()
        engine.execute(sql.OWN if doubtful else sql.NO_OWN)
        stats.flows = int(engine.execute("SELECT sum(flows) FROM seen").column(0)[0].as_py() or 0)
        rows = engine.execute(sql.MATCHES).cast(small_schema("matches"))
        clock.lap("roll-up")
    return MatchResult(rows, stats)


def _look_up(files: Chosen, index: FeedIndex, stats: Stats) -> tuple[Any, Any, Chosen]:
    """Tables `listed` and `owners`, and the files worth reading."""
    texts: list[Any] = []
    rows: list[Any] = []
    holding: set[str] = set()
    for batch, every in _batches(files):
        found, spared = index.find(every)
        stats.addresses += len(every)
        stats.trusted += spared
        if not len(found.position):
            continue
        names = every.take(pa.array(found.position))
        texts.append(names)
        rows.append(pa.array(found.row))
        unique = pc.unique(names)
        holding |= {file.uri for file in batch if file.holds(unique)}
        if not batch:
            holding |= set(files.uris("flows"))
    if not texts:
        return pa.table({"text": pa.array([], pa.string())}), None, files.only(set())
    text = pa.chunked_array(texts).combine_chunks()
    row = pa.chunked_array(rows).combine_chunks()
    canonical = _canonical(text)
    listed = pa.table({"text": text, "address": canonical}).group_by(["text", "address"])
    picked = index.table.select(["feed", "category", "confidence", "indicator"]).take(row)
    owners = picked.append_column("address", canonical)
    listed = listed.aggregate([])
    stats.listed = listed.num_rows
    return listed, owners.group_by(owners.column_names).aggregate([]), files.only(holding)


def _batches(files: Chosen) -> Any:
    """Give batches of files with their distinct addresses; of a remote lake all files at once."""
    uris = files.uris("flows")
    if addresses.is_local(uris):
        for batch in addresses.of_files(zip(uris, (e.columns for e in files.entries), strict=True)):
            yield batch, addresses.distinct(batch)
        return
    present = [name for name in ADDRESS_COLUMNS if name in set(files.columns("flows"))]
    with Engine(files) as engine:
        parts = [engine.execute(_DISTINCT[name]).column(0).combine_chunks() for name in present]
    every = pc.unique(pa.chunked_array(parts, pa.string())).drop_null()
    yield [], every


_DISTINCT = {
    "srcaddr": "SELECT DISTINCT srcaddr FROM flows",
    "dstaddr": "SELECT DISTINCT dstaddr FROM flows",
    "pkt_srcaddr": "SELECT DISTINCT pkt_srcaddr FROM flows",
    "pkt_dstaddr": "SELECT DISTINCT pkt_dstaddr FROM flows",
}


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
