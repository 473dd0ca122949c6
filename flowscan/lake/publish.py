"""From the ledger to the folders: make what a commit says true of the files.

Invariant: rolling a commit forward is the same done once, twice, by several processes or after
a crash at any point: each file is moved by whoever comes first, and the others see it done.
"""

from __future__ import annotations

from flowscan.errors import LakeCorrupt
from flowscan.lake import layout
from flowscan.lake.ledger import Commit, read_commits
from flowscan.lake.state import Fold
from flowscan.lake.store import Store


def roll_forward(store: Store, commit: Commit) -> bool:
    """Move removed files out and added files in, then drop the batch's staging folder.

    Removals come first: for the moment in between, a plain glob misses rows that compaction
    rewrites rather than seeing them twice.

    Raises:
        LakeCorrupt: a file that the commit added is nowhere.
    """
    for path in commit.removes:
        store.retire(path, layout.removed_key(path))
    for entry in commit.adds:
        if store.move(layout.staged_key(entry.path), entry.path):
            continue
        if store.size(entry.path) is None and not _removed_since(store, commit, entry.path):
            raise LakeCorrupt(
                "a file that the ledger names is neither staged nor live",
                where=entry.path,
                hint="run flowscan lake verify",
            )
    store.drop_stage(commit.batch)
    return True


def _removed_since(store: Store, commit: Commit, path: str) -> bool:
    return any(path in later.removes for later in read_commits(store, commit.version))


def collect_dead(store: Store, fold: Fold) -> None:
    """Delete the staging of published batches, and of those whose writer is gone.

    The folders are listed before the ledger is read again: a batch listed and then not found
    in the ledger had not been committed when it was listed, and `collect` finds its writer
    alive unless it never will be.
    """
    listed = [name for name in store.folders(layout.STAGING) if layout.is_batch(name)]
    fold.advance(store)
    pending = {commit.batch for commit in fold.pending}
    for batch in listed:
        if batch in pending:
            continue
        if batch in fold.batches:
            store.drop_stage(batch)
        else:
            store.collect(batch)
