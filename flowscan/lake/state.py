"""What the ledger adds up to: which sources are in, which files are live, the totals.

Invariant: a `Fold` at version V holds exactly commits 1…V; the files it calls live are those of
the longest prefix of commits that are published, so that an exact file list and the plain glob
over the folder agree. Commits beyond that prefix are `pending`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from flowscan.lake import layout
from flowscan.lake.ledger import (
    Commit,
    FileEntry,
    Refusal,
    SourceRecord,
    commits_until,
    committed_sources,
    key_hash,
    read_commits,
    source_hashes,
)
from flowscan.lake.numbers import block_hashes
from flowscan.lake.store import Store

_LOW = (1 << 64) - 1
PENDING = 256
RECENT = 200_000


class KeySet:
    """A growing set of 128-bit hashes: a sorted block from the checkpoint and a dict of new ones.

    The block costs 16 bytes a key and is never copied; a million keys answer in microseconds.
    """

    def __init__(self, high: Any = (), low: Any = ()) -> None:
        """Take two equally long uint64 arrays, sorted by (high, low)."""
        self.high = high
        self.low = low
        self._high = memoryview(high) if len(high) else ()
        self.recent: dict[int, int] = {}

    def add(self, key: int, version: int) -> None:
        """Add a hash that commit `version` brought."""
        self.recent.setdefault(key, version)

    def __bool__(self) -> bool:
        """Whether it holds any hash."""
        return bool(self.recent) or len(self._high) > 0

    def has(self, key: int, version: int) -> bool:
        """Tell whether the hash was in at `version` (not older than the checkpoint)."""
        found = self.recent.get(key)
        if found is not None:
            return found <= version
        high = key >> 64
        i = bisect_left(self._high, high)
        while i < len(self._high) and self._high[i] == high:
            if int(self.low[i]) == key & _LOW:
                return True
            i += 1
        return False

    def merged(self) -> KeySet:
        """The same set with every key in the sorted block."""
        count = len(self.recent)
        high = np.fromiter((k >> 64 for k in self.recent), dtype=np.uint64, count=count)
        low = np.fromiter((k & _LOW for k in self.recent), dtype=np.uint64, count=count)
        high = np.concatenate([np.asarray(self.high, dtype=np.uint64), high])
        low = np.concatenate([np.asarray(self.low, dtype=np.uint64), low])
        order = np.lexsort((low, high))
        high, low = high[order], low[order]
        first = np.ones(len(high), dtype=bool)
        first[1:] = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
        return KeySet(high[first], low[first])

    def __len__(self) -> int:
        """Number of hashes (new ones that the block has too count twice)."""
        return len(self.high) + len(self.recent)


@dataclass(slots=True)
class Totals:
    """Sums over the committed sources."""

    sources: int = 0
    size: int = 0
    records: int = 0
    flows: int = 0
    nodata: int = 0
    skipdata: int = 0
    rejects: int = 0
    refused: int = 0

    def add(self, commit: Commit) -> None:
        """Add what a commit brought."""
        self.sources += len(commit.sources)
        self.refused += len(commit.refused)
        for s in commit.sources:
            self.size += s.size
            self.records += s.records
            self.flows += s.flows
            self.nodata += s.nodata
            self.skipdata += s.skipdata
            self.rejects += s.rejects

    def copy(self) -> Totals:
        """Copy, for a state that stands still."""
        return Totals(*(getattr(self, f.name) for f in fields(self)))


@dataclass(slots=True)
class Fold:
    """The growing sum of the ledger that one `Lake` keeps; guarded by the lake's lock.

    `format` is the highest of its commits. It is `exact` unless it began with a checkpoint of
    format 1, which does not know the lineage of its files: its own version stands in for it.
    """

    version: int = 0
    published: int = 0
    checkpoint: int = 0
    known: KeySet = field(default_factory=KeySet)
    refused: KeySet = field(default_factory=KeySet)
    files: dict[str, FileEntry] = field(default_factory=dict)
    totals: Totals = field(default_factory=Totals)
    expired: int = 0
    batches: dict[str, int] = field(default_factory=dict)
    pending: list[Commit] = field(default_factory=list)
    fresh: int = 0
    format: int = 1
    exact: bool = True

    def advance(self, store: Store) -> None:
        """Read the commits that others wrote since, up to the newest.

        Long ledgers are settled and packed on the way, so that memory stays bounded.
        """
        for commit in read_commits(store, self.version):
            self.take(commit)
            if len(self.pending) >= PENDING:
                self.settle(store)
            if len(self.known.recent) >= RECENT:
                self.known = self.known.merged()
        self.settle(store)

    def take(self, commit: Commit, hashes: Sequence[Sequence[int]] | None = None) -> None:
        """Add the next commit; it is pending until `settle` finds it published.

        `hashes` are those of its sources, where the caller has them already.
        """
        assert commit.version == self.version + 1
        for keys in hashes or map(source_hashes, commit.sources):
            for key in keys:
                self.known.add(key, commit.version)
        for key in block_hashes(source.source_id for source in commit.sources):
            self.known.add(key, commit.version)
        for refusal in commit.refused:
            self.refused.add(key_hash(refusal.uri, refusal.etag), commit.version)
        self.batches[commit.batch] = commit.version
        self.fresh += len(commit.sources) + len(commit.refused)
        self.pending.append(commit)
        self.version = commit.version
        self.format = max(self.format, commit.format)

    def settle(self, store: Store, done: Collection[int] = ()) -> None:
        """Move commits from pending to published, as far as they are; never writes.

        `done` are versions that the caller has published itself.
        """
        if not self.pending:
            return
        staged: set[str] | None = None
        gone = {path for commit in self.pending for path in commit.removes}
        while self.pending:
            commit = self.pending[0]
            if commit.version not in done and (commit.adds or commit.removes):
                if staged is None:
                    staged = set(store.folders(layout.STAGING))
                if commit.batch in staged and not is_published(store, commit, gone):
                    return
            self._publish(self.pending.pop(0))

    def _publish(self, commit: Commit) -> None:
        for path in commit.removes:
            gone = self.files.pop(path, None)
            if gone is not None and gone.table == layout.FLOWS and commit.note == "expire":
                self.expired += gone.rows
        for entry in commit.adds:
            self.files[entry.path] = entry
        self.totals.add(commit)
        self.published = commit.version

    def live(self) -> dict[str, FileEntry]:
        """The files that are live at the newest version, published or not."""
        files = dict(self.files)
        for commit in self.pending:
            for path in commit.removes:
                files.pop(path, None)
            files.update((entry.path, entry) for entry in commit.adds)
        return files


def is_published(store: Store, commit: Commit, gone: Collection[str]) -> bool:
    """Tell whether all files of a commit stand where they belong.

    A file that a later commit removed (`gone`) had been live: only live files are removed.
    """
    return all(
        entry.path in gone or store.size(entry.path) is not None for entry in commit.adds
    ) and all(store.size(path) is None for path in commit.removes)


class State:
    """The lake as it was at one version; cheap, immutable, shared between threads."""

    def __init__(self, fold: Fold, store: Store) -> None:
        """View a fold at its present version."""
        self._known = fold.known
        self._refused = fold.refused
        self._store = store
        self.version = fold.version
        self.published = fold.published
        self.totals = fold.totals.copy()
        self.expired = fold.expired

    def knows(self, uri: str, identity: str) -> bool:
        """Tell whether a source object is in the lake, by its etag or by its digest."""
        return bool(self._known) and self._known.has(key_hash(uri, identity), self.version)

    def refused(self, uri: str, etag: str) -> bool:
        """Tell whether a source object was refused and is not in the lake."""
        if not self._refused:
            return False
        key = key_hash(uri, etag)
        return self._refused.has(key, self.version) and not self._known.has(key, self.version)

    def sources(self) -> Iterator[tuple[Commit, SourceRecord]]:
        """Every committed source with its commit, oldest first, read from the ledger."""
        return committed_sources(self._store, self.version)

    def refusals(self) -> Iterator[tuple[Commit, Refusal]]:
        """Every refusal with its commit, oldest first, read from the ledger."""
        commits = commits_until(self._store, self.version)
        return ((commit, refusal) for commit in commits for refusal in commit.refused)
