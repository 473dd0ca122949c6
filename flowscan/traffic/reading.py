"""Reading: an engine in which the tables of traffic stand, kept ones where the lake has them.

Invariant: what is asked is answered from current tables. Days that are not current are folded
first and kept; in a lake that cannot be written they are derived into a folder of the reader's
own, which a line in the log says.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flowscan.engine import Engine, Opener, Workspace
from flowscan.engine.views import Kept
from flowscan.errors import LakeError
from flowscan.lake import Lake, Snapshot
from flowscan.traffic import derive
from flowscan.traffic.days import DAY_S, stale
from flowscan.traffic.fold import derived, fold
from flowscan.traffic.rows import WRITTEN, rows_of

log = logging.getLogger(__name__)


@contextlib.contextmanager
def reading(
    lake: Lake,
    since: int | None = None,
    until: int | None = None,
    *,
    before: int | None = None,
    **options: Any,
) -> Iterator[Engine]:
    """An engine over a window (epoch seconds) of flows and of all tables of traffic.

    `before` shows contacts, volumes and hosts from an earlier time on, as a look-back needs them.
    `options` are those of the engine.

    Raises:
        LakeError: the lake cannot be read.
        EngineError: deriving failed.
    """
    first = since if before is None else min(before, since if since is not None else before)
    with contextlib.ExitStack() as stack:
        snapshot, own = _current(lake, first, until, stack)
        yield stack.enter_context(
            Engine(
                snapshot.narrowed(since, until),
                since=since,
                until=until,
                kept=_kept(snapshot, own, since, first, until),
                **options,
            )
        )


@contextlib.contextmanager
def made(lake: Lake, opener: Opener, since: int, until: int) -> Iterator[Workspace]:
    """A workspace of another engine, such as Athena, that has made the tables of traffic itself.

    `since` and `until` (epoch seconds) are rounded out to whole UTC days.

    Raises:
        EngineError: it failed there.
    """
    first, last = since - since % DAY_S, -(-until // DAY_S) * DAY_S
    with opener(lake.snapshot(first, last), first, last) as workspace:
        derive.make(workspace, first, last)
        yield workspace


def _current(
    lake: Lake, since: int | None, until: int | None, stack: contextlib.ExitStack
) -> tuple[Snapshot, Mapping[str, list[str]]]:
    """A snapshot whose tables are current but for the days of the files beside it."""
    snapshot = lake.snapshot(since, until)
    if not stale(snapshot):
        return snapshot, {}
    try:
        fold(lake, since, until)
    except LakeError as error:
        log.warning("traffic is derived for this answer only: %s", error)
    snapshot = lake.snapshot(since, until)
    due = stale(snapshot)
    if not due:
        return snapshot, {}
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="flowscan-"))
    return snapshot, _derive(snapshot, due, Path(folder))


def _derive(snapshot: Snapshot, due: Mapping[int, int], folder: Path) -> dict[str, list[str]]:
    import pyarrow.parquet as pq

    own: dict[str, list[str]] = {name: [] for name in derive.KEPT}
    for day, flows in due.items():
        with derived(snapshot, [day], flows) as engine:
            for name in derive.KEPT:
                path = folder / f"{name}-{day}.parquet"
                writer = None
                for rows in engine.stream(rows_of(name, day), WRITTEN):
                    writer = writer or pq.ParquetWriter(path, rows.schema, compression="zstd")
                    writer.write_table(rows)
                if writer:
                    writer.close()
                    own[name].append(str(path))
    return own


def _kept(
    snapshot: Snapshot,
    own: Mapping[str, list[str]],
    since: int | None,
    before: int | None,
    until: int | None,
) -> dict[str, Kept]:
    due = stale(snapshot) if own else {}
    kept = {}
    for name in derive.KEPT:
        uris = [
            uri
            for entry, uri in zip(snapshot.files(name), snapshot.uris(name), strict=True)
            if entry.min_start not in due
        ]
        begin = since if name in {"sessions", "edges"} else before
        kept[name] = Kept((*uris, *own.get(name, ())), begin, until)
    return kept
