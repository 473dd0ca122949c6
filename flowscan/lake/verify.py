"""Verification: the ledger is replayed from its first commit and held against the files.

Invariant: `verify` never writes; `repair` does only what loses nothing: it finishes committed
batches, deletes garbage and damaged checkpoints, and sets aside files that no commit names.
What is lost for good is named, with what to do about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from flowscan.errors import LakeCorrupt, LakeError
from flowscan.lake import checkpoint, layout, marker
from flowscan.lake.attribution import Attribution
from flowscan.lake.ledger import Commit, FileEntry, key_hash, read_commits
from flowscan.lake.lineage import union
from flowscan.lake.numbers import block_hashes
from flowscan.lake.state import PENDING, Fold
from flowscan.lake.store import Entry, Store

if TYPE_CHECKING:
    from flowscan.lake.lake import Lake

BACKUP = "restore it from a backup"
REPAIR = "flowscan lake verify --repair"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, what, and what to do.

    `harmless` ones change no answer: garbage of crashed writers, short cuts that do not serve.
    """

    path: str
    what: str
    fix: str
    harmless: bool = False


@dataclass(slots=True)
class _Replay:
    fold: Fold = field(default_factory=Fold)
    problems: list[Problem] = field(default_factory=list)
    attribution: Attribution = field(default_factory=Attribution)
    whole: bool = True


def verify(lake: Lake, *, full: bool = False) -> list[Problem]:
    """Check the ledger, the checkpoints, every live file's size and footer, and strange files.

    `full` reads every page of every file as well, checks its checksum, and holds the number of
    flows of each source against its record. Writers may be at work meanwhile.

    Raises:
        LakeError: a newer flowscan wrote a part of the lake, or it cannot be read at all.
    """
    store = lake.store
    replay = _replay(store)
    problems = replay.problems
    problems += _checkpoints(store, replay)
    if replay.whole:
        problems += _unfinished(store, replay.fold)
        problems += _unpublished(store, replay.fold)
        problems += _files(store, replay, full=full)
        problems += _strange(store, replay.fold)
        problems += _balance(replay.fold)
    return problems


def repair(lake: Lake) -> list[str]:
    """Repair what can be without loss; tells what was done."""
    store = lake.store
    done = []
    for version in checkpoint.versions(store):
        key = layout.checkpoint_key(version)
        if _bad_checkpoint(store, version):
            store.delete(key)
            done.append(f"deleted the damaged {key}")
    replay = _replay(store)
    if not replay.whole:
        return done
    waiting = len(replay.fold.pending)
    lake.recover()
    if waiting:
        done.append(f"published {waiting} committed batches")
    for entry in _orphans(store, replay.fold):
        try:
            store.retire(entry.key, layout.removed_key(entry.key))
        except LakeError:
            continue  # no name that flowscan gives: left to its owner
        done.append(f"set aside {entry.key}, which no commit names")
    return done


# -- the ledger ------------------------------------------------------------------------------


def _replay(store: Store) -> _Replay:
    replay = _Replay()
    fold = replay.fold
    try:
        for commit in read_commits(store, 0):
            replay.problems += _commit(fold, commit)
            replay.attribution.commit(commit)
            fold.take(commit)
            if len(fold.pending) >= PENDING:
                fold.settle(store)
        fold.settle(store)
    except LakeCorrupt as error:
        replay.whole = False
        replay.problems.append(Problem(error.where or "", error.what, error.hint or BACKUP))
        return replay
    last = max(_commit_versions(store), default=0)
    if last > fold.version + 1:
        replay.whole = False
        missing = layout.commit_key(fold.version + 1)
        replay.problems.append(
            Problem(missing, f"the commit is missing, there are later ones up to {last}", BACKUP)
        )
    return replay


def _commit_versions(store: Store) -> Iterator[int]:
    for entry in store.walk(layout.COMMITS):
        version = layout.commit_version(entry.key.rpartition("/")[2])
        if version is not None:
            yield version


def _commit(fold: Fold, commit: Commit) -> Iterator[Problem]:
    where = layout.commit_key(commit.version)
    for what in _of_sources(fold, commit):
        yield Problem(where, what, BACKUP)
    live = fold.live() if commit.removes else {}
    for path in commit.removes:
        if path not in live:
            yield Problem(where, f"removes {path}, which was not live", BACKUP)
    if commit.note == "compact":
        removed = [live[path] for path in commit.removes if path in live]
        for what in _of_compaction(commit, removed):
            yield Problem(where, what, BACKUP)


def _of_sources(fold: Fold, commit: Commit) -> Iterator[str]:
    for source in commit.sources:
        if fold.known.has(key_hash(source.uri, source.etag), fold.version):
            yield f"the source {source.uri} was committed before"
    blocks = block_hashes(source.source_id for source in commit.sources)
    if any(fold.known.has(block, fold.version) for block in blocks):
        yield "its sources have numbers of an earlier commit"
    if commit.sources:
        flows = sum(s.flows for s in commit.sources)
        rows = sum(e.rows for e in commit.adds if e.table == layout.FLOWS)
        if flows != rows:
            yield f"its sources have {flows} flows, its files {rows} rows"


def _of_compaction(commit: Commit, removed: Sequence[FileEntry]) -> Iterator[str]:
    before, after = (sum(e.rows for e in entries) for entries in (removed, commit.adds))
    if before != after:
        yield f"compacts {before} rows to {after}"
    versions = union(entry.lineage for entry in removed)
    if commit.format > 1 and any(entry.lineage != versions for entry in commit.adds):
        yield "compacts flows of other commits than it says"


def _checkpoints(store: Store, replay: _Replay) -> Iterator[Problem]:
    for version in checkpoint.versions(store):
        why = _bad_checkpoint(store, version)
        key = layout.checkpoint_key(version)
        if why:
            yield Problem(key, why, f"{REPAIR} deletes it", harmless=True)
        elif replay.whole and version > replay.fold.version:
            yield Problem(key, f"there are no commits after {replay.fold.version}", BACKUP)


def _bad_checkpoint(store: Store, version: int) -> str | None:
    try:
        checkpoint.decode(store.read(layout.checkpoint_key(version)), version)
    except LakeCorrupt as error:
        return error.what
    except FileNotFoundError:
        return None  # a writer replaced it by a newer one
    return None


def _unfinished(store: Store, fold: Fold) -> Iterator[Problem]:
    if (marker.read(store) or 0) < fold.format:
        fix = "flowscan lake upgrade finishes it, or the next ingest"
        yield Problem(layout.MARKER, "an upgrade was cut short", fix, harmless=True)


def _unpublished(store: Store, fold: Fold) -> Iterator[Problem]:
    for commit in fold.pending:
        yield Problem(
            layout.commit_key(commit.version),
            "committed but not yet published; queries do not see it",
            f"the next ingest publishes it, or {REPAIR}",
        )
    pending = {commit.batch for commit in fold.pending}
    for batch in store.folders(layout.STAGING):
        if layout.is_batch(batch) and batch not in pending:
            yield Problem(
                layout.stage_folder(batch),
                "a batch that is being written, or what a crashed writer left",
                "the next ingest deletes it when its writer is gone",
                harmless=True,
            )


def _balance(fold: Fold) -> Iterator[Problem]:
    rows = sum(e.rows for e in fold.files.values() if e.table == layout.FLOWS)
    if rows + fold.expired != fold.totals.flows:
        yield Problem(
            layout.COMMITS,
            f"{fold.totals.flows} flows were committed, {rows} are live and {fold.expired} expired",
            BACKUP,
        )


# -- the files -------------------------------------------------------------------------------


def _files(store: Store, replay: _Replay, *, full: bool) -> Iterator[Problem]:
    fold, whole = replay.fold, not replay.fold.pending
    counted = replay.attribution if full else None
    for entry in list(fold.files.values()):
        what = _file(store, entry, counted)
        if what is None:
            continue
        whole = False
        fold.advance(store)  # a compaction may have taken it in the meantime
        if entry.path in fold.files:
            fix = f"{BACKUP}, or ingest its sources into a new lake"
            yield Problem(entry.path, what, fix)
    if counted and whole:
        for what in counted.wrong(expired=fold.expired > 0):
            yield Problem(layout.FLOWS, what, BACKUP)


def _file(store: Store, entry: FileEntry, counted: Attribution | None) -> str | None:
    size = store.size(entry.path)
    if size is None:
        return "the file is missing"
    if size != entry.bytes:
        return f"the file has {size} bytes, the ledger says {entry.bytes}"
    try:
        with store.reader(entry.path) as source:
            return _parquet(source, entry, counted)
    except FileNotFoundError:
        return "the file is missing"
    except LakeError as error:
        return error.what
    except (pa.ArrowException, OSError, ValueError) as error:
        return f"the Parquet file is damaged: {str(error)[:200]}"


def _parquet(source: Any, entry: FileEntry, counted: Attribution | None) -> str | None:
    file = pq.ParquetFile(source, page_checksum_verification=True)
    if file.metadata.num_rows != entry.rows:
        return f"the file has {file.metadata.num_rows} rows, the ledger says {entry.rows}"
    if tuple(file.schema_arrow.names) != entry.columns:
        return "the file has other columns than the ledger says"
    if counted:
        for i in range(file.num_row_groups):
            rows = file.read_row_group(i, use_threads=False)
            if entry.table == layout.FLOWS:
                counted.rows(rows)
    return None


def _orphans(store: Store, fold: Fold) -> list[Entry]:
    """Files in the tables' folders that no commit names; asked twice, for writers at work."""
    live = fold.live()
    found = [e for table in layout.TABLES for e in store.walk(table) if e.key not in live]
    if found:
        fold.advance(store)
        live = fold.live()
        found = [e for e in found if e.key not in live and store.exists(e.key)]
    return found


def _strange(store: Store, fold: Fold) -> Iterator[Problem]:
    for entry in _orphans(store, fold):
        yield Problem(
            entry.key,
            "no commit names this file; a plain glob would count it",
            f"{REPAIR} sets it aside",
        )
