"""A snapshot: the exact files that make up the lake at one version.

Invariant: the list never changes after it is taken. A file that compaction has taken out of
the lake since is found at the place where it waits for its deletion, so a snapshot stays
readable for the grace period of the upkeep (a day unless told otherwise).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from flowscan import schema
from flowscan.lake import layout, lineage
from flowscan.lake.ledger import Commit, FileEntry, SourceRecord, committed_sources
from flowscan.lake.lineage import Versions
from flowscan.lake.state import Totals
from flowscan.lake.store import Store


class Snapshot:
    """The files of a lake at `version`; dated tables are pruned to what can touch the window."""

    def __init__(
        self,
        store: Store,
        version: int,
        files: Iterable[FileEntry],
        totals: Totals,
        *,
        since: int | None = None,
        until: int | None = None,
    ) -> None:
        """Keep those of `files` that can hold `since <= start < until` (epoch seconds)."""
        self.store = store
        self.root = store.where
        self.version = version
        self.totals = totals
        self._files: dict[str, list[FileEntry]] = {table: [] for table in layout.TABLES}
        self._all = tuple(files)
        for entry in self._all:
            if entry.table in layout.DATED and _outside(entry, since, until):
                continue
            self._files[entry.table].append(entry)

    def narrowed(self, since: int | None, until: int | None) -> Snapshot:
        """The same version, for another window of `start` (epoch seconds)."""
        return Snapshot(self.store, self.version, self._all, self.totals, since=since, until=until)

    def files(self, table: str) -> tuple[FileEntry, ...]:
        """The files of a table, in the order of their commits (`KeyError`: no such table)."""
        return tuple(self._files[table])

    def key(self, entry: FileEntry) -> str:
        """Where the file lies now: at its live path, or waiting for its deletion."""
        if self.store.size(entry.path) is None:
            gone = layout.removed_key(entry.path)
            if self.store.size(gone) is not None:
                return gone
        return entry.path

    def uris(self, table: str) -> list[str]:
        """Absolute paths (or s3:// URIs) of the files of a table, as of now.

        Ask again when a reader misses a file: upkeep may have moved it in between.
        """
        return [self.store.address(self.key(entry)) for entry in self._files[table]]

    def filesystem(self) -> Any:
        """An fsspec file system that reads the `uris` of a lake on S3; None for a local one."""
        return self.store.filesystem()

    def columns(self, table: str) -> list[str]:
        """Columns that the files of a table have between them, in lake order."""
        names = {name for entry in self._files[table] for name in entry.columns}
        if table in schema.DERIVED_TABLES:
            return [name for name in schema.DERIVED_TABLES[table] if name in names]
        return schema.column_order(names)

    def uniform(self, table: str) -> bool:
        """Whether all files of a table have the same columns."""
        return len({frozenset(entry.columns) for entry in self._files[table]}) <= 1

    def lineage(self, day: int) -> Versions:
        """Versions of the commits that brought the flows of a UTC day, whatever the window.

        Compaction does not change them; an ingest adds to them, and expiry takes them away.
        """
        return lineage.union(entry.lineage for entry in self._flows.get(day, ()))

    def lineage_digest(self, day: int) -> str:
        """A short text that is the same as long as the flows of a UTC day are."""
        rows = sum(entry.rows for entry in self._flows.get(day, ()))
        return lineage.digest(self.lineage(day), rows)

    @cached_property
    def _flows(self) -> dict[int, list[FileEntry]]:
        days: dict[int, list[FileEntry]] = {}
        for entry in self._all:
            day = layout.day_of_path(entry.path) if entry.table == layout.FLOWS else None
            if day is not None:
                days.setdefault(day, []).append(entry)
        return days

    def sources(self) -> Iterator[tuple[Commit, SourceRecord]]:
        """Every source of the lake at this version with its commit, oldest first.

        Read from the ledger, one file per commit; a window of the snapshot does not narrow it.
        """
        return committed_sources(self.store, self.version)

    def rows(self, table: str) -> int:
        """Rows that the files of a table hold."""
        return sum(entry.rows for entry in self._files[table])


def _outside(entry: FileEntry, since: int | None, until: int | None) -> bool:
    if entry.min_start is None or entry.max_start is None:
        return False
    return (since is not None and entry.max_start < since) or (
        until is not None and entry.min_start >= until
    )
