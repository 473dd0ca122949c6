"""What a user's SQL may do: one statement that only reads, on the snapshot's files.

Three fences, each sufficient for what it guards: the statement check (one SELECT or EXPLAIN whose
parsed tree writes nothing and calls no table function beyond a short list), the locked
configuration (no external access but the exact file list, no extensions), and the limits on
memory, disk and time. Access settings alone do not do: COPY can overwrite an allowed file.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from flowscan.errors import EngineError, QueryError

if TYPE_CHECKING:
    import duckdb

_CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
}
_READING: Final = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
_TABLE_FUNCTIONS: Final = {"unnest", "range", "generate_series"}
_NO_FUNCTIONS: Final = {"getvariable", "getenv", "current_setting", "nextval", "write_log"}
_EXPLAIN: Final = re.compile(
    r"\A(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*EXPLAIN\b"
    r"(?:\s*\([^)]*\)|\s+ANALYZE\b)*",
    re.IGNORECASE | re.DOTALL,
)
_SPILL: Final = "64GB"
_DRAWING: Final = re.compile(r"\n\s*\n?LINE \d+:|\n\s*Candidate (?:functions|macros|bindings):")
_CLASS: Final = re.compile(r"\A(?:\w+ ){1,3}Error: ")
_UNKNOWN: Final = re.compile(r"(?:Scalar|Aggregate|Table) Function with name (\w+) does not exist!")
_OURS: Final = re.compile(r" Did you mean \"trino_\w+\"\?")
_SIZE: Final = re.compile(r"\d+(?:\.\d+)?\s?(?:[KMGT]i?B|%)", re.IGNORECASE)


def connect() -> duckdb.DuckDBPyConnection:
    """A new in-memory database that loads no extensions and sees no Python variables."""
    import duckdb

    con = duckdb.connect(":memory:", config=_CONFIG)
    con.execute("SET TimeZone = 'UTC'")
    # DuckDB draws its bar on stdout, into the midst of a query's JSON.
    con.execute("SET enable_progress_bar = false")
    # Trino's `/` on integers is integer division.
    con.execute("SET integer_division = true")
    return con


def limit(
    con: duckdb.DuckDBPyConnection,
    *,
    memory: str | None,
    threads: int | None,
    temp_directory: str | None,
    as_written: bool = False,
) -> None:
    """Bound memory, threads and spill space; `as_written` joins in the order of the text.

    Raises:
        EngineError: a size is not written like `2GB`.
    """
    if memory is not None:
        if _SIZE.fullmatch(memory) is None:
            raise EngineError(f"memory limit {memory[:40]!r} is no size", hint="such as 2GB")
        con.execute(f"SET memory_limit = '{memory}'")
    if threads is not None:
        con.execute(f"SET threads = {max(1, int(threads))}")
    if as_written:
        con.execute("SET disabled_optimizers = 'join_order,build_side_probe_side'")
    con.execute("SET temp_directory = " + _quoted(temp_directory or ""))
    if temp_directory:
        con.execute(f"SET max_temp_directory_size = '{_SPILL}'")


def lock(con: duckdb.DuckDBPyConnection, paths: Sequence[str]) -> None:
    """Leave only the given files readable, and no setting changeable. Irrevocable."""
    allowed = ", ".join(_quoted(path) for path in paths)
    con.execute(f"SET allowed_paths = [{allowed}]")
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def check(con: duckdb.DuckDBPyConnection, sql: str) -> Any:
    """The one statement of the text, if it is one that only reads.

    Raises:
        QueryError: it does not parse, is empty, is several, or does something else than read.
    """
    statement = _one(con, sql)
    name = statement.type.name
    if name == "EXPLAIN":
        inner = _EXPLAIN.sub("", statement.query, count=1)
        if inner == statement.query or _one(con, inner).type.name != "SELECT":
            raise QueryError("EXPLAIN takes one SELECT")
        _check_tree(con, inner)
    elif name == "SELECT":
        _check_tree(con, statement.query)
    else:
        raise QueryError(
            f"{name} is not allowed: flowscan runs one SELECT, EXPLAIN or DESCRIBE",
        )
    return statement


def _one(con: duckdb.DuckDBPyConnection, sql: str) -> Any:
    import duckdb

    try:
        statements = con.extract_statements(sql)
    except duckdb.Error as error:
        raise QueryError(one_line(error)) from None
    if not statements:
        raise QueryError("the SQL text is empty")
    if len(statements) > 1:
        raise QueryError(f"{len(statements)} statements: flowscan runs one at a time")
    return statements[0]


def _check_tree(con: duckdb.DuckDBPyConnection, sql: str) -> None:
    rows = con.execute("SELECT json_serialize_sql($1)", [sql.strip().rstrip(";")]).fetchall()
    tree = json.loads(rows[0][0])
    if tree.get("error"):
        raise QueryError(f"only a SELECT may run: {tree.get('error_message', '')}"[:200])
    for node in _nodes(tree):
        kind = str(node.get("type", ""))
        if kind.endswith("_NODE") and kind not in _READING:
            what = kind.removesuffix("_NODE").replace("_QUERY", "")
            raise QueryError(f"{what} is not allowed: flowscan only reads")
        called = str(node.get("function_name", "")).lower()
        if called in _NO_FUNCTIONS:
            raise QueryError(f"function {called} is not allowed")
        if kind == "TABLE_FUNCTION":
            function = node.get("function") or {}
            called = str(function.get("function_name", "")).lower()
            if called not in _TABLE_FUNCTIONS:
                raise QueryError(f"table function {called} is not allowed")


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            yield node
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)


@contextmanager
def deadline(con: duckdb.DuckDBPyConnection, seconds: float | None) -> Iterator[None]:
    """Interrupt what the connection runs after so many seconds (DuckDB has no such setting).

    Raises:
        EngineError: the time ran out.
    """
    import duckdb

    if seconds is None:
        yield
        return
    fired = threading.Event()

    def interrupt() -> None:
        fired.set()
        con.interrupt()

    timer = threading.Timer(seconds, interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    except duckdb.InterruptException:
        if fired.is_set():
            raise EngineError(f"the query ran longer than {seconds:g} s") from None
        raise
    finally:
        timer.cancel()


def one_line(error: Exception) -> str:
    """DuckDB's message as one line, without its class and its drawing of the place."""
    text = _DRAWING.split(str(error), maxsplit=1)[0]
    text = _OURS.sub("", " ".join(_CLASS.sub("", text).split()))
    return _UNKNOWN.sub(r"function \1 is not supported", text)[:500]
