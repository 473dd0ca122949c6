"""Athena's SQL (Trino) read and written as DuckDB's.

sqlglot parses the text with Trino's grammar; every function call stays a call by name, so that
`rewrite` alone decides what it becomes. Invariant: what comes out means in DuckDB what the text
means on Athena, or a QueryError names the construct that has no such translation.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Final

import sqlglot
from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.dialects.trino import Trino
from sqlglot.errors import SqlglotError
from sqlglot.parsers.trino import TrinoParser
from sqlglot.tokenizer_core import TokenType

from flowscan.engine import rewrite
from flowscan.errors import QueryError

_PLAIN_PARSERS: Final = {
    *("CAST", "TRY_CAST", "EXTRACT", "POSITION", "TRIM", "LISTAGG", "NORMALIZE"),
}


class _Trino(Trino):
    class Tokenizer(Trino.Tokenizer):
        IDENTIFIERS = ['"', "`"]  # noqa: RUF012 - as sqlglot declares it

    class Parser(TrinoParser):
        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            name: parser
            for name, parser in TrinoParser.FUNCTION_PARSERS.items()
            if name in _PLAIN_PARSERS
        }


class _DuckDB(DuckDB):
    # The engine's connection divides integers as Trino does; no casts are to be added.
    TYPED_DIVISION = True
    SAFE_DIVISION = False


class Unreadable(QueryError):  # noqa: N818 - a state of the text, asked for by the engine
    """The text is not Trino's grammar; it may be DuckDB's own."""


def parse(sql: str) -> Any:
    """One SELECT as a tree.

    Raises:
        Unreadable: Trino's grammar does not read the text.
        QueryError: `end` stands bare as a name.
    """
    _reserved(sql)
    try:
        with quiet():
            trees = [t for t in sqlglot.parse(sql, read=_Trino) if t is not None]
    except (SqlglotError, RecursionError) as error:
        raise Unreadable(_reason(error)) from None
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        raise Unreadable("the text is no SELECT")
    return trees[0]


def translate(sql: str, resolve: Callable[[exp.Expression], None]) -> str:
    """The same query for DuckDB. `resolve` maps the tables of the tree to views, in place.

    Raises:
        Unreadable: Trino's grammar does not read the text.
        QueryError: a construct cannot be translated; the message names it.
    """
    tree = parse(sql)
    resolve(tree)
    _name_columns(tree)
    with quiet():
        try:
            return str(rewrite.tree(tree).sql(dialect=_DuckDB, comments=False))
        except (SqlglotError, RecursionError) as error:
            raise QueryError(_reason(error)) from None


def _name_columns(tree: exp.Expression) -> None:
    """Call unnamed result columns `_col0`, `_col1` …, as Athena does."""
    while isinstance(tree, exp.SetOperation | exp.Subquery):
        tree = tree.this
    if not isinstance(tree, exp.Select):
        return
    named = exp.Alias | exp.Column | exp.Star | exp.Dot
    tree.set(
        "expressions",
        [
            e if isinstance(e, named) else exp.alias_(e, f"_col{i}")
            for i, e in enumerate(tree.expressions)
        ],
    )


def _reserved(sql: str) -> None:
    try:
        tokens = sqlglot.tokenize(sql, read=_Trino)
    except SqlglotError as error:
        raise Unreadable(_reason(error)) from None
    depth = 0
    for token in tokens:
        if token.token_type == TokenType.CASE:
            depth += 1
        elif token.token_type == TokenType.END:
            depth -= 1
            if depth < 0:
                raise QueryError("end is a reserved word in SQL", hint='write the column as "end"')


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "the SQL is nested too deeply"
    # sqlglot underlines the place with terminal codes.
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).split("\n", 1)[0]
    return f"cannot read the SQL: {text.rstrip('.')}"[:300]


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep sqlglot's own warnings out of the user's terminal."""
    logger = logging.getLogger("sqlglot")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
