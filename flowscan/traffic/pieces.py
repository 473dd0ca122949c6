"""Pieces: the parts of a day that still gets flows, so that a fold writes what is new.

Settled sessions and hours stay in the piece that they were written in; what may still change is
one piece that the next fold replaces, and the tables of `schema.resume` say what it goes on from.
Once the day is over the pieces are joined. Invariant: the pieces of a day share no row and
together have the rows that deriving the whole day gives.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Final

from flowscan.engine import Engine
from flowscan.engine.views import Kept
from flowscan.errors import EngineError, EngineMemoryError, LakeConflict
from flowscan.lake import Lake, Snapshot
from flowscan.lake.ledger import FileEntry
from flowscan.lake.parts import replacing
from flowscan.lake.transaction import Transaction
from flowscan.schema import DERIVED_TABLES, RESUME_TABLES
from flowscan.traffic import days as dates
from flowscan.traffic import resume
from flowscan.traffic.days import DAY_S
from flowscan.traffic.partly import FactsChangedError, Partly
from flowscan.traffic.resume import Resume
from flowscan.traffic.rows import MEMORY, WRITTEN, memories, rows_of

SETTLED: Final = "settled"
"""The mark of a piece that stays."""
_WHOLE: Final = ("hosts", "edges", "contacts", "tallies")
"""Tables that are small enough to be written anew."""
_IN_PIECES: Final = ("sessions", "volumes")
_ADDED: Final = {"resume_endpoints"}
"""Of these a fold writes what came; whoever reads them adds up."""


def fold(lake: Lake, snapshot: Snapshot, day: int) -> bool:
    """Derive a day from where its settled part ends; False when another writer was first.

    Raises:
        LakeError: the lake cannot be written.
        EngineError: deriving failed.
    """
    # Whatever window was asked for: a file that it leaves out may have what came too late.
    snapshot = snapshot.narrowed(day, day + DAY_S)
    before = resume.of(snapshot)
    try:
        if before:
            with contextlib.suppress(FactsChangedError):
                return _fold(lake, snapshot, day, before)
        return _fold(lake, snapshot, day, None)
    except EngineError:
        # Another fold takes the parts away that this one reads.
        if dates.parts(lake.snapshot(), day) == dates.parts(snapshot, day):
            raise
        return False


def _fold(lake: Lake, snapshot: Snapshot, day: int, before: Resume | None) -> bool:
    begin = before.settled if before else day
    *limits, last = memories(snapshot.narrowed(begin, day + DAY_S).rows("flows"))
    for limit in limits:
        with contextlib.suppress(EngineMemoryError):
            return _fold_within(lake, snapshot, day, before, limit)
    return _fold_within(lake, snapshot, day, before, last)


def _fold_within(
    lake: Lake, snapshot: Snapshot, day: int, before: Resume | None, limit: str | None
) -> bool:
    begin = before.settled if before else day
    end = max(resume.end(snapshot), begin, day)
    seen = dates.parts(snapshot, day)
    stays = [e for e in seen if before and _stays(e, advanced=end > begin)]
    with Engine(
        snapshot.narrowed(begin, day + DAY_S),
        since=begin,
        until=day + DAY_S,
        memory_limit=limit,
        kept=_standing(snapshot, RESUME_TABLES) if before else {},
        derived=False,
    ) as engine:
        partly = Partly(engine, day, end, before)
        partly.make()
        with lake.writing() as transaction, contextlib.suppress(LakeConflict):
            for name, mark, select in _written(snapshot, day, partly):
                for rows in engine.stream(select, WRITTEN):
                    if rows.num_rows or mark != SETTLED:
                        _write(transaction, snapshot, day, name, mark, rows)
            removal = replacing(DERIVED_TABLES, [day // DAY_S], seen, stays)
            lake.commit(transaction, (), removal=removal, note="fold")
            return True
    return False


def _stays(entry: FileEntry, *, advanced: bool) -> bool:
    return entry.mark == SETTLED or (entry.table in RESUME_TABLES and not advanced)


def _write(
    transaction: Transaction, snapshot: Snapshot, day: int, table: str, mark: str, rows: object
) -> None:
    lineage = snapshot.lineage(day // DAY_S)
    transaction.write_part(table, day // DAY_S, rows, lineage, mark)


def _written(snapshot: Snapshot, day: int, partly: Partly) -> Iterator[tuple[str, str, str]]:
    """Table, mark and SELECT of each piece."""
    mark = dates.mark(snapshot, day)
    hour = partly.end - partly.end % 3600
    for table in _WHOLE:
        yield table, mark, rows_of(table, day)
    settled = {"sessions": partly.settled, "volumes": f"hour < {hour}"}
    for table, condition in settled.items():
        yield table, SETTLED, rows_of(table, day, condition)
        yield table, mark, rows_of(table, day, f"NOT ({condition})")
    if partly.end > partly.begin:
        kept = Resume(
            partly.end,
            snapshot.rows("flows"),
            partly.facts,
            snapshot.lineage(day // DAY_S),
        )
        for table, columns in RESUME_TABLES.items():
            condition = f" WHERE hour >= {hour}" if table == "resume_volumes" else ""
            select = f"SELECT {', '.join(columns)} FROM new_{table}{condition}"
            yield table, SETTLED if table in _ADDED else kept.mark(), select


def _standing(snapshot: Snapshot, tables: Iterable[str]) -> dict[str, Kept]:
    """Tables of a day's snapshot, for an engine."""
    return {table: Kept(tuple(snapshot.uris(table))) for table in tables}


def join(lake: Lake, snapshot: Snapshot, day: int) -> None:
    """Write the pieces of a day that is over, and current, as one part a table.

    Raises:
        LakeError: the lake cannot be written.
    """
    snapshot = snapshot.narrowed(day, day + DAY_S)
    seen = dates.parts(snapshot, day)
    kept = _standing(snapshot, _IN_PIECES)
    with (
        Engine(snapshot, memory_limit=MEMORY, kept=kept, derived=False) as engine,
        lake.writing() as transaction,
        contextlib.suppress(LakeConflict),
    ):
        mark = dates.mark(snapshot, day)
        for table in _IN_PIECES:
            for rows in engine.stream(rows_of(table, day), WRITTEN):
                _write(transaction, snapshot, day, table, mark, rows)
        stays = [entry for entry in seen if entry.table in _WHOLE]
        removal = replacing(DERIVED_TABLES, [day // DAY_S], seen, stays)
        lake.commit(transaction, (), removal=removal, note="fold")
