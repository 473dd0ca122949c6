"""Expiry and the last step of upkeep: what nobody can still be reading is deleted.

Invariant: data leaves the lake only by a commit; bytes are deleted only after they have been
out of the lake for the grace period, so that a snapshot taken before stays readable that long.
The sources of expired flows stay known: they are not read again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowscan.lake import layout
from flowscan.lake.ledger import FileEntry
from flowscan.lake.state import Fold

if TYPE_CHECKING:
    from flowscan.lake.lake import Lake

GRACE = 86_400
"""Seconds that removed files are kept."""

ABANDONED = 3_600
"""Seconds after which a half-written single file is garbage."""


@dataclass(frozen=True, slots=True)
class Removed:
    """Files and bytes that left the lake, or that were deleted; `flows` are those that left."""

    files: int
    flows: int
    bytes: int


def expire(lake: Lake, *, before: int) -> Removed:
    """Take out flows of the UTC dates that end before `before` (epoch seconds).

    What was derived from them goes too, and coverage files of which every row is of such dates.
    A commit of the ledger; the bytes follow with `purge`.
    """
    lake.check_writable()
    last = before // layout.SECONDS_PER_DAY  # this date is not over at `before`
    chosen: list[FileEntry] = []

    def removal(fold: Fold) -> list[str]:
        chosen[:] = [e for e in fold.live().values() if _old(e, last)]
        return [e.path for e in chosen]

    if removal(lake.fold()):
        with lake.writing() as transaction:
            lake.commit(transaction, (), removal=removal, note="expire")
    flows = sum(e.rows for e in chosen if e.table == layout.FLOWS)
    return Removed(len(chosen), flows, sum(e.bytes for e in chosen))


def _old(entry: FileEntry, last: int) -> bool:
    day = layout.day_of_path(entry.path)
    if day is not None:
        return day < last
    if entry.table != "coverage" or entry.max_start is None:
        return False
    return entry.max_start // layout.SECONDS_PER_DAY < last


def purge(lake: Lake, *, now: float, grace: int = GRACE) -> Removed:
    """Delete removed files whose grace is over, and what interrupted single writes left."""
    files = size = 0
    for entry in list(lake.store.walk(layout.REMOVED)):
        if entry.changed <= now - grace:
            lake.store.delete(entry.key)
            files += 1
            size += entry.size
    for entry in list(lake.store.walk(layout.STAGING)):
        loose = entry.key.count("/") == layout.STAGING.count("/") + 1
        if loose and entry.key.endswith(".tmp") and entry.changed <= now - ABANDONED:
            lake.store.delete(entry.key)
    return Removed(files, 0, size)
