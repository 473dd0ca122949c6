"""Which tables a user's text reads, told by what each name stands for where it is written.

`WITH sessions AS (SELECT client FROM sessions) SELECT … FROM sessions` reads the table `sessions`
once: inside of a common table expression its own name is the table's still. Invariant: nothing is
run or changed; a text that no grammar reads is gone through word by word, and then rather names a
table too many than one too few.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from flowscan import queries
from flowscan.engine import dialect, script
from flowscan.errors import QueryError

_FIRST: Final = re.compile(
    r"\s*(?:(?:UN)?PIVOT(?:_WIDER|_LONGER)?|SUMMARIZE|SHOW\s+CREATE\s+TABLE|SHOW\s+COLUMNS\s+IN)"
    r"\s+[\"`]?(\w+)",
    re.IGNORECASE,
)


@lru_cache(maxsize=32)
def read(sql: str) -> frozenset[str]:
    """Names of the tables that a text reads, in lower case; none for what is no statement."""
    try:
        text = script.read(sql).query
    except QueryError:
        return frozenset()
    explain = script.EXPLAIN.match(text)
    text = text[explain.end() :] if explain else text
    tree = _tree(text)
    if tree is None:
        first = _FIRST.match(text)
        words = queries.read_from(text) | ({first[1].lower()} if first else set())
        return frozenset(words)
    return frozenset(table.name.lower() for table in tables(tree))


def tables(tree: Any) -> Iterator[Any]:
    """The tables in a tree but for those that are common table expressions where they stand."""
    for table in tree.find_all(exp.Table):
        if table.db or table.name.lower() not in _defined(table):
            yield table


def _tree(text: str) -> Any:
    """The text in Trino's grammar, or else in DuckDB's; None if neither reads it."""
    try:
        return dialect.parse(text)
    except QueryError:
        pass
    try:
        with dialect.quiet():
            trees = [tree for tree in sqlglot.parse(text, read="duckdb") if tree is not None]
    except (SqlglotError, RecursionError):
        return None
    return trees[0] if len(trees) == 1 and not isinstance(trees[0], exp.Command) else None


def _defined(table: Any) -> set[str]:
    """Names that a WITH gives a meaning of their own at the place of a table."""
    found: set[str] = set()
    within: Any = None
    node = table
    while node.parent is not None:
        if isinstance(node, exp.CTE):
            within = node
        clause = node.parent.args.get("with_")
        if clause is not None:
            found |= {cte.alias.lower() for cte in _seen(clause, within, node is clause)}
        node = node.parent
    return found


def _seen(clause: Any, within: Any, inside: bool) -> list[Any]:
    """What a WITH defines for its query, or for one of its own expressions: those before it."""
    every: list[Any] = clause.expressions
    if not inside:
        return every
    place = next(i for i, cte in enumerate(every) if cte is within)
    return every[: place + 1] if clause.args.get("recursive") else every[:place]
