"""Fold: bring the kept tables of traffic up to the flows of the lake, day by day.

A day that is over is derived as a whole, one that still gets flows from where its settled part
ends. Invariant: a part is made from the flows of one snapshot and says which; one commit replaces
all tables of a day together, so that no reader sees tables that disagree.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from flowscan.engine import Engine
from flowscan.errors import EngineError, EngineMemoryError, LakeConflict
from flowscan.lake import Lake, Snapshot
from flowscan.lake.parts import replacing
from flowscan.schema import DERIVED_TABLES
from flowscan.text import utc
from flowscan.traffic import days as dates
from flowscan.traffic import derive, pieces
from flowscan.traffic.days import DAY_S
from flowscan.traffic.rows import CHUNK_ROWS, WRITTEN, memories, rows_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Folded:
    """What a fold did: `days` that were derived, and the flows they have."""

    days: tuple[int, ...]
    flows: int


def fold(
    lake: Lake,
    since: int | None = None,
    until: int | None = None,
    *,
    again: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Folded:
    """Derive what is not current of a window of UTC days, and keep it.

    `again` derives what is current as well, and whole days. `progress` is told the flows that are
    done and those that there are to do. What another writer folds at the same time is left to it.

    Raises:
        LakeError: the lake cannot be written.
        EngineError: deriving failed, such as for want of disk space.
    """
    snapshot = lake.snapshot(since, until)
    due = dates.all_of(snapshot) if again else dates.stale(snapshot)
    going = set() if again else dates.open_days(snapshot.narrowed(None, None))
    held = {dates.of(entry) for entry in snapshot.files("flows")}
    done: list[int] = []
    failed: list[EngineError] = []
    flows = 0
    for days in _chunks(due, held, going):
        folded, errors = _fold_each(lake, snapshot, due, days, going)
        done += folded
        failed += errors
        flows += sum(due[day] for day in days)
        if progress:
            progress(flows, sum(due.values()))
    if failed:
        raise failed[0]
    for day in sorted(dates.in_pieces(snapshot) - going - due.keys()):
        pieces.join(lake, snapshot, day)
    return Folded(tuple(done), sum(due[day] for day in done))


def _fold_each(
    lake: Lake, snapshot: Snapshot, due: dict[int, int], days: list[int], going: set[int]
) -> tuple[list[int], list[EngineError]]:
    """Fold days together; one that cannot be derived keeps none of the others back."""
    try:
        if days[0] in going and due[days[0]]:
            first = pieces.fold(lake, snapshot, days[0])
        else:
            first = _fold_days(lake, snapshot, days, sum(due[day] for day in days))
    except EngineError as error:
        if len(days) == 1:
            return [], [_of_day(error, days[0])]
    else:
        return days if first else [], []
    each = [_fold_each(lake, snapshot, due, [day], going) for day in days]
    return [day for folded, _ in each for day in folded], [e for _, errors in each for e in errors]


def _of_day(error: EngineError, day: int) -> EngineError:
    return EngineError(f"traffic of {utc(day)[:10]} cannot be derived: {error.what}")


def _chunks(due: dict[int, int], held: set[int], going: set[int]) -> Iterator[list[int]]:
    """Days to derive together: as many as fit, a large or open one alone, none around a current."""
    chunk: list[int] = []
    size = 0
    for day in sorted(held | due.keys()):
        flows = due.get(day)
        if chunk and (flows is None or size + flows > CHUNK_ROWS or day in going):
            yield chunk
            chunk, size = [], 0
        if flows is not None and day in going:
            yield [day]
        elif flows is not None:
            chunk.append(day)
            size += flows
    if chunk:
        yield chunk


def _fold_days(lake: Lake, snapshot: Snapshot, days: Sequence[int], flows: int) -> bool:
    """Derive some days and commit them; False when another writer was first."""
    seen = [entry for day in days for entry in dates.parts(snapshot, day)]
    with (
        derived(snapshot, days, flows) as engine,
        lake.writing() as transaction,
        contextlib.suppress(LakeConflict),
    ):
        for day in days if flows else ():
            lineage, mark = snapshot.lineage(day // DAY_S), dates.mark(snapshot, day)
            for table in derive.KEPT:
                for rows in engine.stream(rows_of(table, day), WRITTEN):
                    transaction.write_part(table, day // DAY_S, rows, lineage, mark)
        lake.commit(
            transaction,
            (),
            removal=replacing(DERIVED_TABLES, [d // DAY_S for d in days], seen),
            note="fold",
        )
        return True
    return False


def derived(snapshot: Snapshot, days: Sequence[int], flows: int) -> Engine:
    """An engine that has made the tables of traffic of some days; the caller closes it.

    Raises:
        EngineError: deriving failed.
    """
    *limits, last = memories(flows)
    for limit in limits:
        with contextlib.suppress(EngineMemoryError):
            return _derived(snapshot, days, limit)
    return _derived(snapshot, days, last)


def _derived(snapshot: Snapshot, days: Sequence[int], limit: str | None) -> Engine:
    since, until = min(days), max(days) + DAY_S
    files = snapshot.narrowed(since, until)
    engine = Engine(files, since=since, until=until, memory_limit=limit, derived=False)
    try:
        derive.make(engine, since, until)
    except BaseException:
        engine.close()
        raise
    return engine
