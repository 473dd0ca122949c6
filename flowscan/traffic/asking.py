"""Asking: the engine that a user's SQL needs, current tables of traffic only where it names them.

Invariant: a text that names no table of traffic costs nothing of them, and one that does never
reads tables that are not current.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from flowscan.engine import Engine
from flowscan.lake import Lake
from flowscan.schema import TRAFFIC_TABLES
from flowscan.traffic.days import stale
from flowscan.traffic.reading import reading


def names_traffic(sql: str) -> bool:
    """Whether a text reads from a table of traffic; none does that is no statement at all."""
    from flowscan.engine import named  # sqlglot takes a while to load

    return not named.read(sql).isdisjoint(TRAFFIC_TABLES)


def due(lake: Lake, since: int | None = None, until: int | None = None) -> tuple[int, int]:
    """UTC days of a window whose tables are not current, and the flows that they have."""
    days = stale(lake.snapshot(since, until))
    return len(days), sum(days.values())


@contextlib.contextmanager
def asked(
    lake: Lake, sql: str, since: int | None = None, until: int | None = None, **options: Any
) -> Iterator[Engine]:
    """An engine for one text, over a window (epoch seconds) of the lake.

    Raises:
        LakeError, EngineError: as `reading`.
    """
    with (
        reading(lake, since, until, **options)
        if names_traffic(sql)
        else Engine(lake.snapshot(since, until), since=since, until=until, **options)
    ) as engine:
        yield engine
