"""A pasted text taken apart: statements, and the DDL that Athena users paste along.

CREATE EXTERNAL TABLE, ALTER TABLE … ADD PARTITION, MSCK REPAIR TABLE and their like create
nothing here: the lake has the data already. They are read for the table's name and columns.
Invariant: what is not such DDL is handed on unchanged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from flowscan.errors import QueryError

EXPLAIN: Final = re.compile(r"\s*EXPLAIN\s+(ANALYZE\s+)?(?:\([^)]*\)\s*)?", re.IGNORECASE)
"""What may stand before a query; the query begins where it ends."""

_PIECES: Final = re.compile(
    r"""(?P<skip>'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|--[^\n]*|/\*.*?\*/)|(?P<end>;)""",
    re.DOTALL | re.VERBOSE,
)
_COMMENTS: Final = re.compile(
    r"""('(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`)|--[^\n]*|/\*.*?\*/""", re.DOTALL | re.VERBOSE
)
_CREATE: Final = re.compile(
    r"\s*CREATE\s+EXTERNAL\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(?P<name>[^\s(]+)\s*", re.IGNORECASE
)
_IGNORED: Final = re.compile(
    r"\s*(?:MSCK\s+REPAIR\s+TABLE|ALTER\s+TABLE\s+\S+\s+(?:ADD|DROP|SET)\b"
    r"|CREATE\s+(?:DATABASE|SCHEMA)\s|DROP\s+(?:TABLE|DATABASE|SCHEMA)\s|USE\s)",
    re.IGNORECASE,
)
_TABLE: Final = re.compile(r"TABLE\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?(\S+)", re.IGNORECASE)
_PARTITIONED: Final = re.compile(r"PARTITIONED\s+BY\s*", re.IGNORECASE)
_COLUMN: Final = re.compile(r"\s*[`\"]?([A-Za-z_][\w-]*)[`\"]?\s*:?\s*([a-z]+)", re.IGNORECASE)
_DAY_FORMAT: Final = re.compile(
    r"""['"]projection\.\w+\.format['"]\s*=\s*['"]([yMdH/\-.]+)['"]""", re.IGNORECASE
)
_TEXT: Final = re.compile(r"ROW\s+FORMAT\s+DELIMITED", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Declared:
    """A table of a pasted CREATE EXTERNAL TABLE: its columns with their Hive types."""

    name: str
    columns: tuple[tuple[str, str], ...]
    partitions: tuple[tuple[str, str], ...]
    positional: bool
    day_format: str | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """What a text holds: table declarations, names of tables that other DDL is about, a query."""

    declared: tuple[Declared, ...]
    touched: tuple[str, ...]
    query: str


def split(text: str) -> list[str]:
    """The statements of a text, without their semicolons; texts of comments only are dropped."""
    pieces, start = [], 0
    for match in _PIECES.finditer(text):
        if match["end"]:
            pieces.append(text[start : match.start()])
            start = match.end()
    pieces.append(text[start:])
    return [p for p in pieces if _bare(p).strip()]


def read(text: str) -> Script:
    """Take a pasted text apart.

    Raises:
        QueryError: a CREATE EXTERNAL TABLE cannot be read, or several queries stand in the text.
    """
    declared, touched, queries = [], [], []
    for statement in split(text):
        bare = _bare(statement)
        if _CREATE.match(bare):
            declared.append(_declaration(bare))
        elif _IGNORED.match(bare):
            found = _TABLE.search(bare)
            touched.append(_name(found[1]) if found else "")
        else:
            queries.append(statement)
    if len(queries) > 1:
        raise QueryError(f"{len(queries)} statements: flowscan runs one at a time")
    return Script(tuple(declared), tuple(t for t in touched if t), queries[0] if queries else "")


def _bare(statement: str) -> str:
    return _COMMENTS.sub(lambda match: match[1] or " ", statement)


def _name(text: str) -> str:
    return text.rsplit(".", maxsplit=1)[-1].strip("`\"'();").lower()


def _declaration(statement: str) -> Declared:
    match = _CREATE.match(statement)
    if match is None:
        raise QueryError("CREATE EXTERNAL TABLE cannot be read")
    name = _name(match["name"])
    columns, end = _list(statement, match.end(), name)
    partitions: tuple[tuple[str, str], ...] = ()
    by = _PARTITIONED.search(statement, end)
    if by:
        partitions, end = _list(statement, by.end(), name)
    form = _DAY_FORMAT.search(statement, end)
    return Declared(
        name=name,
        columns=columns,
        partitions=partitions,
        positional=_TEXT.search(statement, end) is not None,
        day_format=_strftime(form[1]) if form else None,
    )


def _strftime(pattern: str) -> str:
    for java, ours in (("yyyy", "%Y"), ("MM", "%m"), ("dd", "%d"), ("HH", "%H")):
        pattern = pattern.replace(java, ours)
    return pattern


def _list(text: str, start: int, name: str) -> tuple[tuple[tuple[str, str], ...], int]:
    """The columns in the parentheses that open at `start`, and where these close."""
    # Comments of columns may hold commas and parentheses.
    text = re.sub(r"'[^']*'", lambda quoted: " " * len(quoted[0]), text)
    depth, begin, parts = 0, start + 1, []
    for i in range(start, len(text)):
        letter = text[i]
        depth += {"(": 1, "<": 1, ")": -1, ">": -1}.get(letter, 0)
        if (letter == "," and depth == 1) or depth == 0:
            parts.append(text[begin:i])
            begin = i + 1
        if depth == 0:
            break
    columns = [_COLUMN.match(part) for part in parts]
    if depth or not columns or None in columns:
        raise QueryError(f"CREATE EXTERNAL TABLE {name}: its columns cannot be read")
    pairs = tuple((c[1].lower(), c[2].lower()) for c in columns if c is not None)
    return pairs, begin
