"""What the lake's tables look like: the fields of a flow, the small tables, the derived ones.

Invariant: no other module spells out a column with its type. Importing it costs nothing: Arrow
types are built on demand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowscan.schema.fields import (
    ADDRESS_COLUMNS,
    BY_NAME,
    DEFAULT_FORMAT,
    FIELDS,
    SOURCE_ID,
    TGW_FORMAT,
    Field,
    arrow_schema,
    arrow_type,
    column_order,
    field_for,
)
from flowscan.schema.resume import RESUME_TABLES
from flowscan.schema.small import SMALL_TABLES
from flowscan.schema.traffic import TRAFFIC_TABLES

if TYPE_CHECKING:
    import pyarrow as pa

DERIVED_TABLES: dict[str, dict[str, str]] = {**TRAFFIC_TABLES, **RESUME_TABLES}
"""All that is derived from flows: the tables of traffic, and what they are resumed from."""

__all__ = [
    "ADDRESS_COLUMNS",
    "BY_NAME",
    "DEFAULT_FORMAT",
    "DERIVED_TABLES",
    "FIELDS",
    "RESUME_TABLES",
    "SMALL_TABLES",
    "SOURCE_ID",
    "TGW_FORMAT",
    "TRAFFIC_TABLES",
    "Field",
    "arrow_schema",
    "arrow_type",
    "column_order",
    "derived_schema",
    "field_for",
    "small_schema",
]


def small_schema(table: str) -> pa.Schema:
    """Arrow schema of a small table of the lake.

    Raises:
        KeyError: there is no such table.
    """
    return _table_schema(SMALL_TABLES[table])


def derived_schema(table: str) -> pa.Schema:
    """Arrow schema of a derived table of the lake.

    Raises:
        KeyError: there is no such table.
    """
    return _table_schema(DERIVED_TABLES[table])


def _table_schema(columns: dict[str, str]) -> pa.Schema:
    import pyarrow as pa

    types = {
        "string": pa.string(),
        "address": pa.string(),
        "int32": pa.int32(),
        "int64": pa.int64(),
        "time": pa.int64(),
        "float64": pa.float64(),
        "bool": pa.bool_(),
        "list<string>": pa.list_(pa.string()),
    }
    return pa.schema([pa.field(name, types[kind]) for name, kind in columns.items()])
