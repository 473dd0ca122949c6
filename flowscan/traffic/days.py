"""Days: which UTC days of a snapshot have flows or tables of traffic, and which are current.

A day's tables are current while their mark names the day's lineage (what was ingested and not
expired, however it was compacted) and the version of the query files. Invariant: the mark stands
on the part of `hosts`, which every fold of a day replaces; the others are replaced with it.
"""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Final

from flowscan.lake import Snapshot
from flowscan.lake.ledger import FileEntry
from flowscan.schema import DERIVED_TABLES, RESUME_TABLES
from flowscan.traffic import derive

DAY_S: Final = 86_400
LATE_S: Final = 3_600
"""Flows of a day come in until so long after its end: ten minutes of aggregation, and delivery."""


def of(entry: FileEntry) -> int:
    """The UTC day (epoch seconds) of a file of flows or of a part."""
    assert entry.min_start is not None
    return entry.min_start - entry.min_start % DAY_S


def mark(snapshot: Snapshot, day: int) -> str:
    """What the parts of a day were made from and by."""
    return f"{derive.version()} {snapshot.lineage_digest(day // DAY_S)}"


def stale(snapshot: Snapshot) -> dict[int, int]:
    """Days of the snapshot's window whose kept tables are not current: start of day → flows.

    A day whose flows are gone but whose tables are not is among them, with no flows.
    """
    marks = {of(entry): entry.mark for entry in snapshot.files("hosts")}
    kept = {table: {of(entry) for entry in snapshot.files(table)} for table in derive.KEPT}
    return {
        day: flows
        for day, flows in all_of(snapshot).items()
        if marks.get(day) != mark(snapshot, day) or any(day not in kept[t] for t in derive.KEPT)
    }


def all_of(snapshot: Snapshot) -> dict[int, int]:
    """Days that have flows or kept tables, and how many flows, in order."""
    days: dict[int, int] = defaultdict(int)
    for entry in snapshot.files("flows"):
        days[of(entry)] += entry.rows
    for table in DERIVED_TABLES:
        for entry in snapshot.files(table):
            days.setdefault(of(entry), 0)
    return dict(sorted(days.items()))


def open_days(snapshot: Snapshot) -> set[int]:
    """Days that still get flows in order of time, as far as the flows tell.

    The newest day, and the one before until `LATE_S` after midnight. Flows of a clock that is
    wrong, later than tomorrow, do not count.
    """
    today = int(time.time()) // DAY_S * DAY_S
    newest = [
        entry.max_start
        for entry in snapshot.files("flows")
        if entry.max_start is not None and of(entry) <= today + DAY_S
    ]
    return {
        day
        for day, flows in all_of(snapshot).items()
        if newest and flows and day + DAY_S + LATE_S > max(newest) >= day
    }


def parts(snapshot: Snapshot, day: int) -> list[FileEntry]:
    """All files that are derived from the flows of a day."""
    return [e for table in DERIVED_TABLES for e in snapshot.files(table) if of(e) == day]


def in_pieces(snapshot: Snapshot) -> set[int]:
    """Days whose parts are in pieces, since they were open."""
    return {of(entry) for table in RESUME_TABLES for entry in snapshot.files(table)}
