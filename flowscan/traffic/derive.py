"""Derive the tables of traffic from flows, in a workspace: DuckDB here, Athena there.

The query files are what a user or Athena runs too; here each becomes a table of the workspace.
Invariant: every row belongs to one UTC day and depends on that day's flows only, so a day gives
the same rows whichever other days are derived with it, in whatever pieces they came.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Final

from flowscan import queries
from flowscan.engine import Workspace
from flowscan.schema import TRAFFIC_TABLES

KEPT: Final = tuple(TRAFFIC_TABLES)
"""Tables that a lake keeps."""


def make(workspace: Workspace, since: int, until: int) -> None:
    """Make all tables of traffic from the flows of whole UTC days (epoch seconds).

    A table that is not kept is dropped after its last use: memory is what a large day lacks.
    """
    chain = queries.derived()
    for i, query in enumerate(chain):
        given = {n: v for n, v in (("since", since), ("until", until)) if n in query.params}
        workspace.make(query.id, workspace.translate(queries.inline(query, given)))
        later = set[str]().union(*(queries.read_from(q.sql) for q in chain[i + 1 :]))
        for used in queries.read_from(query.sql) & {q.id for q in chain} - later - set(KEPT):
            workspace.drop(used)


@cache
def version() -> str:
    """Name of the query files as they are; what other files made is derived again."""
    text = "".join(query.sql for query in queries.derived())
    return hashlib.sha256(text.encode()).hexdigest()[:16]
