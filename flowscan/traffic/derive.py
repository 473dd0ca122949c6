"""Derive the tables of traffic from flows, in a workspace: DuckDB here, Athena there.

The query files are what a user or Athena runs too; here each becomes a table of the workspace.
Invariant: every row belongs to one UTC day and depends on that day's flows only, so a day gives
the same rows whichever other days are derived with it, in whatever pieces they came.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from flowscan import queries
from flowscan.engine import Workspace
from flowscan.schema import TRAFFIC_TABLES

KEPT: Final = tuple(TRAFFIC_TABLES)
"""Tables that a lake keeps."""

_VIEWS: Final = {"evidence", "sessions"}
"""Read so seldom, or so little of them, that asking again costs less than a table of them."""
_TEXTS: Final = {
    "pairs": {
        **dict.fromkeys(("a", "b"), "address"),
        **dict.fromkeys(("a_home", "b_home", "recorder"), "interface"),
        **dict.fromkeys(("a_side", "b_side"), "side"),
        "account_id": "account",
    }
}
"""Table → column → kind of its texts, where all that is behind it gets its texts from."""

Steps = Mapping[str, Callable[[], None]]
"""What makes a table in place of its query file, by the table's name."""


def make(
    workspace: Workspace,
    since: int,
    until: int,
    steps: Steps | None = None,
    needed: Collection[str] = (),
) -> None:
    """Make all tables of traffic from the flows of whole UTC days (epoch seconds).

    A table that is not kept is dropped after its last use, memory being what a large day lacks,
    unless it is `needed` later.
    """
    chain = queries.derived()
    reads = _reads(chain)
    wanted = set(KEPT).union(needed, *(reads[name] for name in _VIEWS & set(KEPT)))
    own = steps or {}
    for i, query in enumerate(chain):
        if query.id in own:
            own[query.id]()
        elif query.id in _VIEWS:
            workspace.view(query.id, select(workspace, query.id, since, until))
            continue
        else:
            workspace.make(query.id, select(workspace, query.id, since, until))
        if query.id in _TEXTS:
            workspace.encode(query.id, _TEXTS[query.id])
        later = wanted.union(*(reads[q.id] for q in chain[i + 1 :]))
        for used in sorted(reads[query.id] - later):
            workspace.drop(used)


def select(workspace: Workspace, name: str, since: int, until: int, **values: float) -> str:
    """The SELECT of a query file over a window (epoch seconds), as the workspace takes it."""
    (query,) = (query for query in queries.derived() if query.id == name)
    window = {n: v for n, v in (("since", since), ("until", until)) if n in query.params}
    return workspace.native(queries.inline(query, {**window, **values}))


def _reads(chain: Sequence[queries.Query]) -> dict[str, set[str]]:
    """The tables of the chain that each query reads, itself or through a view."""
    reads: dict[str, set[str]] = {}
    for query in chain:
        named = queries.read_from(query.sql) & reads.keys()
        reads[query.id] = (named - _VIEWS).union(*(reads[name] for name in named & _VIEWS))
    return reads


@cache
def version() -> str:
    """Name of what derives, as it is: what other query files or statements made is made again."""
    text = "".join(query.sql for query in queries.derived())
    for name in ("adding.py", "partly.py"):
        text += Path(__file__).with_name(name).read_text(encoding="utf-8")
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def period() -> int:
    """Seconds of the period in which a connection tells who called; a day can be cut at its end."""
    (query,) = (query for query in queries.derived() if query.id == "connections")
    return int(query.params["period"].default)
