"""The upgrade of a lake that an older flowscan made; no file of flows is read or written.

Writers of the old format may be at work meanwhile, also on other machines, and know nothing of an
upgrade. What stops them is the ledger: the upgrade is a commit of the new format, without files,
at the next number. To commit after it, an old writer has to read it, since commits are gap-free
and created once; it finds a format that it does not know and stops with one line. So there is one
moment that divides the old commits from the new ones, whoever races: if an old writer takes the
number first, its commit is a whole one like all before, and the upgrade tries the next number.
An old writer that was about to commit leaves its staging behind, which is collected like that of
any crashed one; what an old writer had committed and not yet moved to its place, anybody moves.

Only then is the marker replaced, so that old programs are refused when they open the lake; those
that read the old marker a moment before meet the commit. To replace it is safe at any time and by
several at once, since all write the same, and nothing but the refusal depends on it. Last comes a
checkpoint, without which the next program would read the whole ledger: those of the old format
do not know the lineage of their files and are not used for a lake of the new one.

Invariant: killed anywhere, the lake is of the old format or of the new one; run again, the upgrade
does what is left. Old programs never change a lake of the new format: all that they still may do
is publish their own commits, write a checkpoint of their time, and delete what is beyond its grace.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from flowscan.lake import checkpoint, layout, marker
from flowscan.lake.lake import WRITER, Lake
from flowscan.lake.ledger import Commit, encode, read_commits
from flowscan.lake.publish import roll_forward
from flowscan.lake.state import PENDING, Fold
from flowscan.lake.store import Store

Told = Callable[[int], None]
"""Is told how many commits have been read so far."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an upgrade has before it: `commits` to read; `files` of `bytes` that stay as they are.

    `format` is that of the lake now; `needed` is False when nothing is left to do.
    """

    format: int
    needed: bool
    commits: int
    files: int
    bytes: int
    flows: int


def plan(lake: Lake) -> Plan:
    """What an upgrade of this lake would do; reads no more than opening does."""
    fold = lake.fold()
    files = fold.live().values()
    return Plan(
        format=lake.format,
        needed=lake.format < layout.FORMAT or not _finished(lake.store),
        commits=fold.version,
        files=len(files),
        bytes=sum(entry.bytes for entry in files),
        flows=sum(entry.rows for entry in files if entry.table == layout.FLOWS),
    )


def _finished(store: Store) -> bool:
    behind = checkpoint.versions(store) and checkpoint.load(store, exact=True).version == 0
    return marker.read(store) == layout.FORMAT and not behind


def upgrade(lake: Lake, told: Told | None = None) -> None:
    """Bring the lake to the present format, or finish what an upgrade that was cut short began.

    Raises:
        LakeError: the ledger cannot be read whole, or the lake cannot be written.
    """
    store = lake.store
    fold = _replay(store, told or (lambda _: None))
    while fold.format < layout.FORMAT:
        _publish(store, fold)
        commit = Commit(
            version=fold.version + 1,
            batch=layout.new_batch(),
            writer=WRITER,
            at=int(time.time()),
            note="upgrade",
        )
        if store.create(layout.commit_key(commit.version), encode(commit)):
            fold.take(commit)
        else:
            fold.advance(store)  # another writer was first, or ours was, and its answer got lost
    marker.raise_format(store)
    _publish(store, fold)
    checkpoint.write(store, fold)


def _replay(store: Store, told: Told) -> Fold:
    """The sum of the whole ledger: a checkpoint of the old format does not know the lineages."""
    fold = Fold()
    for commit in read_commits(store, 0):
        fold.take(commit)
        if len(fold.pending) >= PENDING:
            fold.settle(store)
            told(fold.version)
    fold.settle(store)
    told(fold.version)
    return fold


def _publish(store: Store, fold: Fold) -> None:
    fold.settle(store, [commit.version for commit in fold.pending if roll_forward(store, commit)])
