"""The lake: one object that opens it, reads its state, and lets transactions in.

Invariant: the commit number is the version of the state that the check for known sources was
made on, plus one; both happen under one lock, and the store decides between processes.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flowscan.errors import LakeConflict, LakeCorrupt, LakeError
from flowscan.lake import checkpoint, layout, marker, small
from flowscan.lake.ledger import (
    Commit,
    Refusal,
    SourceRecord,
    attributed,
    encode,
    source_hashes,
)
from flowscan.lake.local_store import LocalStore
from flowscan.lake.numbers import block_hashes
from flowscan.lake.publish import collect_dead, roll_forward
from flowscan.lake.snapshot import Snapshot
from flowscan.lake.state import Fold, State
from flowscan.lake.store import Store
from flowscan.lake.transaction import Transaction
from flowscan.sources import SourceOptions

if TYPE_CHECKING:
    import pyarrow as pa

WRITER = "flowscan 0.2.0.dev0"

Removal = Callable[[Fold], Sequence[str]]
"""Tells, from the state a commit is numbered by, which live files it takes out."""


StoreOptions = SourceOptions
"""How a lake on S3 is reached: as a bucket of logs is."""


class Lake:
    """A flow-log lake in a folder or under an s3:// prefix; safe to share between threads."""

    def __init__(self, store: Store, marked: int = layout.FORMAT) -> None:
        """Use an opened store, whose marker says the format `marked`; see `open`."""
        self.store = store
        self._marked = marked
        self._lock = threading.RLock()
        self._fold: Fold | None = None
        self._recovered = False

    @classmethod
    def open(
        cls, where: str | Path, *, create: bool = False, options: StoreOptions | None = None
    ) -> Lake:
        """Open the lake at a path or s3:// URI, creating it if told to.

        Raises:
            LakeError: there is none, the folder is something else, or a newer flowscan wrote it.
        """
        text = str(where)
        if text.startswith("s3://"):
            from flowscan.lake.s3_store import open_s3

            return cls.on(open_s3(text, options or StoreOptions()), create=create)
        return cls.on(LocalStore(Path(where)), create=create)

    @classmethod
    def on(cls, store: Store, *, create: bool = False) -> Lake:
        """Open the lake that a store keeps, creating it if told to."""
        marked = marker.read(store)
        if marked is None:
            if not create:
                raise LakeError(
                    "no lake here", where=store.where, hint="flowscan ingest creates one"
                )
            if not store.empty():
                raise LakeError("the folder is not empty and not a lake", where=store.where)
            store.prepare()
            marker.create(store, WRITER)
            marked = marker.read(store)
            assert marked is not None
        store.check()
        return cls(store, marked)

    # -- reading ---------------------------------------------------------------------------

    def _refresh(self) -> Fold:
        if self._fold is None:
            self._fold = self._load(exact=self._marked > 1)
        else:
            self._fold.advance(self.store)
        if self._fold.format > 1 and not self._fold.exact:
            self._fold = self._load(exact=True)  # the lake was upgraded meanwhile
        return self._fold

    def _load(self, *, exact: bool) -> Fold:
        fold = checkpoint.load(self.store, exact=exact)
        fold.advance(self.store)
        self._check_end(fold)
        return fold

    def _check_end(self, fold: Fold) -> None:
        """Notice a lost commit: where reading stopped, no later commit may stand."""
        end = fold.version
        if self.store.size(layout.commit_key(end + 2)) is None:
            return
        fold.advance(self.store)  # or others were quick
        if fold.version == end:
            raise LakeCorrupt(
                "the commit is missing, but there are later ones",
                where=layout.commit_key(end + 1),
                hint="restore it from a backup; every commit is needed",
            )

    @property
    def format(self) -> int:
        """The lake's format; one below the present is read as it is, and not written."""
        if self._marked == layout.FORMAT:
            return self._marked
        with self._lock:  # the ledger is ahead of the marker where an upgrade was cut short
            return max(self._marked, self._refresh().format)

    def fold(self) -> Fold:
        """The sum of the ledger as it is now, for upkeep; do not change it."""
        with self._lock:
            return self._refresh()

    def state(self) -> State:
        """The lake as it is now."""
        with self._lock:
            return State(self._refresh(), self.store)

    def snapshot(self, since: int | None = None, until: int | None = None) -> Snapshot:
        """The exact files of the lake as it is now, for the window `since <= start < until`."""
        with self._lock:
            fold = self._refresh()
            return Snapshot(
                self.store,
                fold.published,
                fold.files.values(),
                fold.totals.copy(),
                since=since,
                until=until,
            )

    def read(self, table: str, columns: Sequence[str] | None = None) -> pa.Table:
        """Read all rows of a small table, whole or some of its columns."""
        return small.read(self.snapshot(), table, columns)

    # -- writing ---------------------------------------------------------------------------

    def begin(self) -> Transaction:
        """Start a transaction; the first one of this object cleans up after crashed writers."""
        with self._lock:
            if not self._recovered:
                self.recover()
        return Transaction(self)

    def recover(self) -> None:
        """Publish what crashed writers committed, and delete what they had not.

        Every writer does this first, also one that then finds nothing to write.

        Raises:
            LakeError: the lake is of an older format, or cannot be written.
        """
        with self._lock:
            self.check_writable()
            self._recovered = True
            fold = self._refresh()
            self._publish(fold)
            collect_dead(self.store, fold)

    def check_writable(self) -> None:
        """Refuse to write a lake of an older format (`LakeError`)."""
        if self.format < layout.FORMAT:
            raise LakeError(
                f"a lake of format {self.format} can be read, but not written",
                where=self.store.where,
                hint="flowscan lake upgrade",
            )
        if self._marked < layout.FORMAT:
            marker.raise_format(self.store)
            self._marked = layout.FORMAT

    def prove_writable(self) -> None:
        """Begin and drop a transaction: for long work that would find out at its end.

        Raises:
            LakeError: the lake is of an older format, or cannot be written.
        """
        with self.writing():
            pass

    def _publish(self, fold: Fold) -> None:
        done = [commit.version for commit in fold.pending if roll_forward(self.store, commit)]
        fold.settle(self.store, done)
        if checkpoint.due(fold):
            checkpoint.write(self.store, fold)

    def append(self, table: str, rows: pa.Table) -> None:
        """Add rows to a small table as one commit."""
        with self.writing() as transaction:
            transaction.write_rows(table, rows)
            self.commit(transaction, ())

    def replace(self, table: str, merge: Callable[[pa.Table], pa.Table | None]) -> None:
        """Replace a small table by what `merge` makes of it, as one commit; by None: leave it.

        `merge` gets the present rows (an empty table of its schema at first) and may be called
        again when another writer changed the table in the meantime.
        """
        while True:
            snapshot = self.snapshot()
            old = frozenset(entry.path for entry in snapshot.files(table))
            rows = merge(small.read(snapshot, table))
            if rows is None:
                return
            with self.writing() as transaction:
                transaction.write_rows(table, rows)
                with contextlib.suppress(_Changed):
                    self.commit(transaction, (), removal=_unchanged(table, old))
                    return

    @contextlib.contextmanager
    def writing(self) -> Iterator[Transaction]:
        """A transaction that is aborted unless it was committed inside."""
        transaction = self.begin()
        try:
            yield transaction
        finally:
            transaction.abort()  # nothing is left to abort after a commit

    def put_blob(self, kind: str, name: str, data: bytes) -> None:
        """Keep opaque bytes beside the tables, replacing what had this kind and name."""
        self.store.put(layout.blob_key(kind, name), data)

    def get_blob(self, kind: str, name: str) -> bytes | None:
        """Opaque bytes that were kept under this kind and name; None if there are none."""
        try:
            return self.store.read(layout.blob_key(kind, name))
        except FileNotFoundError:
            return None

    def has_batch(self, batch: str) -> bool:
        """Tell whether the ledger has a batch (of this process, so a recent one)."""
        with self._lock:
            return batch in self._refresh().batches

    def commit(
        self,
        transaction: Transaction,
        sources: Sequence[SourceRecord],
        refused: Sequence[Refusal] = (),
        *,
        removal: Removal | None = None,
        note: str = "",
    ) -> int:
        """Commit a transaction (see `Transaction.commit`); `removal` names files to take out."""
        adds = transaction.finish()
        hashes = [source_hashes(source) for source in sources]
        with self._lock:
            while True:
                fold = self._refresh()
                if transaction.batch in fold.batches:
                    break
                _check_new(fold, sources, hashes)
                removes = tuple(removal(fold)) if removal else ()
                version = fold.version + 1
                commit = Commit(
                    version=version,
                    batch=transaction.batch,
                    writer=WRITER,
                    at=int(time.time()),
                    sources=tuple(sources),
                    adds=attributed(adds, version),
                    removes=removes,
                    refused=tuple(refused),
                    note=note,
                )
                transaction.ask()
                if self.store.create(layout.commit_key(commit.version), encode(commit)):
                    fold.take(commit, hashes)
                    break
            transaction.won()
            version = fold.batches[transaction.batch]
            try:
                self._publish(fold)
            except (OSError, LakeError) as error:
                raise LakeError(
                    f"committed as version {version}, but not published: {error}",
                    where=self.store.where,
                    hint="the next ingest finishes it",
                ) from error
            return version


class _Changed(Exception):  # noqa: N818 - a signal inside this module
    """Another writer changed the small table that is being replaced."""


def _unchanged(table: str, old: frozenset[str]) -> Removal:
    def removal(fold: Fold) -> Sequence[str]:
        now = {path for path, entry in fold.live().items() if entry.table == table}
        if now != old:
            raise _Changed
        return sorted(old)

    return removal


def _check_new(
    fold: Fold, sources: Sequence[SourceRecord], hashes: Sequence[Sequence[int]]
) -> None:
    known = [
        (source.uri, source.etag)
        for source, keys in zip(sources, hashes, strict=True)
        if any(fold.known.has(key, fold.version) for key in keys)
    ]
    if known:
        raise LakeConflict(f"{len(known)} sources are in the lake already", known=known)
    blocks = block_hashes(source.source_id for source in sources)
    if any(fold.known.has(block, fold.version) for block in blocks):
        raise LakeConflict("numbers of these sources are taken")  # by the dice: draw again
