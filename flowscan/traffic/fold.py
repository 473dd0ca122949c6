"""Fold: bring the kept tables of traffic up to the flows of the lake, day by day.

A day's part is current while its mark names the day's lineage (what was ingested and not expired,
however it was compacted) and the version of the query files. Invariant: a part is made from the
flows of one snapshot and says which; one commit replaces all tables of a day together, so that no
reader sees tables that disagree.
"""

from __future__ import annotations

import contextlib
import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from flowscan.engine import Engine
from flowscan.errors import EngineError, LakeConflict
from flowscan.lake import Lake, Snapshot
from flowscan.lake.ledger import FileEntry
from flowscan.lake.parts import replacing
from flowscan.schema import TRAFFIC_TABLES
from flowscan.text import utc
from flowscan.traffic import derive

log = logging.getLogger(__name__)

DAY_S: Final = 86_400
CHUNK_ROWS: Final = 12_000_000
MEMORY: Final = "1400MB"
"""What DuckDB may take for a chunk; a single day of more flows may take its default, 80 % of the
machine's, since its groups would no longer fit."""
ROWS: Final = 1 << 20
"""Rows that are written at once: a row group."""


@dataclass(frozen=True, slots=True)
class Folded:
    """What a fold did: `days` that were derived, and the flows they have."""

    days: tuple[int, ...]
    flows: int


def stale(snapshot: Snapshot) -> dict[int, int]:
    """Days of the snapshot's window whose kept tables are not current: start of day → flows.

    A day whose flows are gone but whose tables are not is among them, with no flows.
    """
    kept: dict[tuple[str, int], set[str]] = defaultdict(set)
    for table in derive.KEPT:
        for entry in snapshot.files(table):
            kept[table, _day(entry)].add(entry.mark)
    return {
        day: flows
        for day, flows in days_of(snapshot).items()
        if any(kept.get((table, day), set()) != {_mark(snapshot, day)} for table in derive.KEPT)
    }


def days_of(snapshot: Snapshot) -> dict[int, int]:
    """Days that have flows or kept tables, and how many flows, in order."""
    days: dict[int, int] = defaultdict(int)
    for entry in snapshot.files("flows"):
        days[_day(entry)] += entry.rows
    for table in derive.KEPT:
        for entry in snapshot.files(table):
            days.setdefault(_day(entry), 0)
    return dict(sorted(days.items()))


def fold(
    lake: Lake,
    since: int | None = None,
    until: int | None = None,
    *,
    again: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Folded:
    """Derive what is not current of a window of UTC days, and keep it.

    `again` derives what is current as well. `progress` is told the flows that are done and those
    that there are to do. What another writer folds at the same time is left to it.

    Raises:
        LakeError: the lake cannot be written.
        EngineError: deriving failed, such as for want of disk space.
    """
    snapshot = lake.snapshot(since, until)
    due = days_of(snapshot) if again else stale(snapshot)
    held = {_day(entry) for entry in snapshot.files("flows")}
    done: list[int] = []
    failed: list[EngineError] = []
    flows = 0
    for days in _chunks(due, held):
        folded, errors = _fold_each(lake, snapshot, due, days)
        done += folded
        failed += errors
        flows += sum(due[day] for day in days)
        if progress:
            progress(flows, sum(due.values()))
    if failed:
        raise failed[0]
    return Folded(tuple(done), sum(due[day] for day in done))


def _fold_each(
    lake: Lake, snapshot: Snapshot, due: dict[int, int], days: list[int]
) -> tuple[list[int], list[EngineError]]:
    """Fold days together; one that cannot be derived keeps none of the others back."""
    try:
        first = _fold_days(lake, snapshot, days, sum(due[day] for day in days))
    except EngineError as error:
        if len(days) == 1:
            return [], [_of_day(error, days[0])]
    else:
        return days if first else [], []
    each = [_fold_each(lake, snapshot, due, [day]) for day in days]
    return [day for folded, _ in each for day in folded], [e for _, errors in each for e in errors]


def _of_day(error: EngineError, day: int) -> EngineError:
    return EngineError(f"traffic of {utc(day)[:10]} cannot be derived: {error.what}")


def _mark(snapshot: Snapshot, day: int) -> str:
    return f"{derive.version()} {snapshot.lineage_digest(day // DAY_S)}"


def _day(entry: FileEntry) -> int:
    assert entry.min_start is not None
    return entry.min_start - entry.min_start % DAY_S


def _chunks(due: dict[int, int], held: set[int]) -> Iterator[list[int]]:
    """Days to derive together: as many as fit, a large one alone, none around a current one."""
    chunk: list[int] = []
    size = 0
    for day in sorted(held | due.keys()):
        flows = due.get(day)
        if chunk and (flows is None or size + flows > CHUNK_ROWS):
            yield chunk
            chunk, size = [], 0
        if flows is not None:
            chunk.append(day)
            size += flows
    if chunk:
        yield chunk


def _fold_days(lake: Lake, snapshot: Snapshot, days: Sequence[int], flows: int) -> bool:
    """Derive some days and commit them; False when another writer was first."""
    seen = [
        entry
        for table in derive.KEPT
        for entry in snapshot.files(table)
        if _day(entry) in set(days)
    ]
    with (
        derived(snapshot, days, flows) as engine,
        lake.writing() as transaction,
        contextlib.suppress(LakeConflict),
    ):
        for day in days if flows else ():
            lineage, mark = snapshot.lineage(day // DAY_S), _mark(snapshot, day)
            for table in derive.KEPT:
                for rows in engine.stream(rows_of(table, day), ROWS):
                    transaction.write_part(table, day // DAY_S, rows, lineage, mark)
        lake.commit(
            transaction,
            (),
            removal=replacing(derive.KEPT, [d // DAY_S for d in days], seen),
            note="fold",
        )
        return True
    return False


@contextlib.contextmanager
def derived(snapshot: Snapshot, days: Sequence[int], flows: int) -> Iterator[Engine]:
    """An engine that has made the tables of traffic of some days."""
    since, until = min(days), max(days) + DAY_S
    limit = MEMORY if flows <= CHUNK_ROWS else None
    files = snapshot.narrowed(since, until)
    with Engine(files, since=since, until=until, memory_limit=limit, derived=False) as engine:
        derive.make(engine, since, until)
        yield engine


_ORDER: Final = {
    "hosts": "address",
    "edges": "srcaddr, dstaddr, recorder",
    "sessions": "server, server_port, client, first_seen",
    "contacts": "server, port, client",
    "tallies": "hour, interface_id",
    "volumes": "hour, server, port, client",
}
_TIME: Final = {"sessions": "first_seen"}
"""The column that says which day a row is of, where it is not `day`."""


def rows_of(table: str, day: int) -> str:
    """SQL of the rows that a kept table has of a UTC day, in the order in which they compress."""
    time = _TIME.get(table, "day")
    columns = ", ".join(TRAFFIC_TABLES[table])
    return (
        f"SELECT {columns} FROM {table} WHERE {time} >= {day} AND {time} < {day + DAY_S} "
        f"ORDER BY {_ORDER[table]}"
    )
