"""What an output was made from, so that a cycle in which nothing changed makes nothing again.

Invariant: inputs are named by what is in the lake: compaction, which only moves rows to other
files, does not change a name, and everything that can change an output does. Memory that is lost,
or an output that somebody deleted, costs making it again.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Final

from flowscan import __version__
from flowscan.batch.model import Context
from flowscan.batch.output import is_there
from flowscan.batch.reading import source_options
from flowscan.lake import Snapshot, layout

__all__ = ["name_of", "remember", "stands"]

_REPLACED: Final = ("findings", "matches", "indicators")
"""Tables that are only ever replaced as a whole, when something in them has changed; so there is
one file of each, which compaction leaves alone, and its path says which state it is."""


def name_of(snapshot: Snapshot, tables: tuple[str, ...], *settings: object) -> str:
    """A name of the content of these tables, of settings, and of this version of flowscan."""
    parts = [repr((table, _content(snapshot, table))) for table in tables]
    text = "\n".join([__version__, *parts, *map(repr, settings)])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _content(snapshot: Snapshot, table: str) -> object:
    files = snapshot.files(table)
    if table in _REPLACED:
        return [entry.path for entry in files]
    if table == layout.FLOWS:
        days = {layout.day_of_path(entry.path) for entry in files} - {None}
        return sorted((day, snapshot.lineage_digest(day)) for day in days if day is not None)
    # Rows come with sources only, which are counted, and go by whole days.
    rows: Counter[int] = Counter()
    for entry in files:
        rows[(entry.min_start or 0) // layout.SECONDS_PER_DAY] += entry.rows
    return sorted(rows.items()), snapshot.totals


def stands(context: Context, stage: str, where: str, name: str) -> bool:
    """Tell whether what a stage puts there was made from the same before, and is there still."""
    same = context.memory.made.get(stage) == name
    return same and is_there(where, source_options(context.settings))


def remember(context: Context, stage: str, name: str) -> None:
    """Note what the stage has made its output from."""
    context.memory.made[stage] = name
