"""The views of an engine: `flows` and the small tables over an exact list of files.

A view shows a column of the field table that no file has only when the SQL names it, as NULL of
its type; so SELECT * stays readable and every query of a known field runs on every lake. This
module and its neighbours are the only places that build SQL text; names come from the schema,
file lists and tables are bound as variables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from flowscan import schema

_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TYPES: Final = {
    "string": "VARCHAR",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "time": "BIGINT",
    "address": "VARCHAR",
    "float64": "DOUBLE",
    "bool": "BOOLEAN",
    "list<string>": "VARCHAR[]",
}


class Files(Protocol):
    """What the engine needs of a lake's snapshot."""

    def uris(self, table: str) -> Sequence[str]:
        """Absolute paths or URLs of the Parquet files of a table."""
        ...

    def columns(self, table: str) -> Sequence[str]:
        """Columns that at least one of these files has."""
        ...

    def uniform(self, table: str) -> bool:
        """Whether all of these files have the same columns."""
        ...


def words(sql: str) -> set[str]:
    """All words of an SQL text, in lower case: what it may name."""
    return {word.lower() for word in _WORD.findall(sql)}


def identifier(name: str) -> str:
    """A quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def flow_type(column: str) -> str:
    """SQL type of a column of `flows`; columns that AWS added since are VARCHAR."""
    field = schema.BY_NAME.get(column)
    return _TYPES[field.type] if field else "VARCHAR"


def flow_columns(present: Iterable[str], named: Iterable[str] = ()) -> list[str]:
    """Fields of `flows`, in order: AWS's default format, those present, absent ones named."""
    named = {name for name in named if name in schema.BY_NAME}
    own = {"date", schema.SOURCE_ID}
    return schema.column_order({*schema.DEFAULT_FORMAT, *present, *named} - own)


def flows_sql(files: Files, columns: Sequence[str], since: int | None, until: int | None) -> str:
    """SELECT of the `flows` view: the fields given, `date`, `start_ts`, `end_ts`, `source_id`.

    Times are UTC; `source_id` is NULL where the lake did not keep it, which 0.1.0 did not.
    """
    uris = files.uris("flows")
    if not uris:
        return _nothing([(name, flow_type(name)) for name in columns] + _DERIVED)
    present = set(files.columns("flows"))
    parts = [
        f"CAST({identifier(c)} AS {flow_type(c)}) AS {identifier(c)}"
        if c in present
        else f"CAST(NULL AS {flow_type(c)}) AS {identifier(c)}"
        for c in columns
    ]
    hive = all("/date=" in uri for uri in uris)
    number = schema.SOURCE_ID if schema.SOURCE_ID in present else "NULL"
    parts += [
        '"date"' if hive else 'CAST(make_timestamp("start" * 1000000) AS DATE) AS "date"',
        'make_timestamp("start" * 1000000) AS start_ts',
        'make_timestamp("end" * 1000000) AS end_ts',
        f"TRY_CAST({number} AS BIGINT) AS {schema.SOURCE_ID}",
    ]
    options = ", hive_partitioning = true, hive_types = {'date': DATE}" if hive else ""
    scan = f"read_parquet(getvariable('flows'){_by_name(files, 'flows')}{options})"
    # The conditions come on top of the snapshot's own choice of files.
    bounds = []
    if since is not None:
        bounds.append(f'"start" >= {int(since)}')
    if until is not None:
        bounds.append(f'"start" < {int(until)}')
    where = " WHERE " + " AND ".join(bounds) if bounds else ""
    return f"SELECT {', '.join(parts)} FROM {scan}{where}"


@dataclass(frozen=True, slots=True)
class Kept:
    """Parquet files of a table of traffic, and the window that is shown (epoch seconds)."""

    uris: tuple[str, ...]
    since: int | None = None
    until: int | None = None


_DAY_S: Final = 86_400
_HOUR_S: Final = 3_600
_SHOWN_BY: Final = {
    "sessions": ("first_seen", 1),
    "tallies": ("hour", _HOUR_S),
    "volumes": ("hour", _HOUR_S),
}
"""The column by which a table of traffic is shown, and the seconds that a row stands for."""


def kept_sql(table: str, kept: Kept) -> str:
    """SELECT of a table of traffic: rows that touch the window, by their day, hour or second."""
    columns = [(name, _TYPES[kind]) for name, kind in schema.DERIVED_TABLES[table].items()]
    if not kept.uris:
        return _nothing(columns)
    names = ", ".join(identifier(name) for name, _ in columns)
    time, step = _SHOWN_BY.get(table, ("day", _DAY_S))
    bounds = []
    if kept.since is not None:
        bounds.append(f"{time} >= {int(kept.since) - int(kept.since) % step}")
    if kept.until is not None:
        bounds.append(f"{time} < {int(kept.until)}")
    where = " WHERE " + " AND ".join(bounds) if bounds else ""
    scan = f"read_parquet(getvariable('kept_{table}'), hive_partitioning = false)"
    return f"SELECT {names} FROM {scan}{where}"


_DERIVED: Final = [
    ("date", "DATE"),
    ("start_ts", "TIMESTAMP"),
    ("end_ts", "TIMESTAMP"),
    (schema.SOURCE_ID, "BIGINT"),
]


def small_sql(files: Files, table: str) -> str:
    """SELECT of a small table's view: the columns of the schema, and no others."""
    columns = [(name, _TYPES[kind]) for name, kind in schema.SMALL_TABLES[table].items()]
    if not files.uris(table):
        return _nothing(columns)
    present = set(files.columns(table))
    parts = [
        f"CAST({identifier(name) if name in present else 'NULL'} AS {kind}) AS {identifier(name)}"
        for name, kind in columns
    ]
    scan = f"read_parquet(getvariable('{table}'){_by_name(files, table)})"
    return f"SELECT {', '.join(parts)} FROM {scan}"


def _by_name(files: Files, table: str) -> str:
    """The option for files of different columns, for which DuckDB opens them all to plan."""
    return "" if files.uniform(table) else ", union_by_name = true"


def _nothing(columns: Iterable[tuple[str, str]]) -> str:
    parts = [f"CAST(NULL AS {kind}) AS {identifier(name)}" for name, kind in columns]
    return f"SELECT {', '.join(parts)} WHERE false"
