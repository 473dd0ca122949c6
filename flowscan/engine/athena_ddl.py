"""Athena DDL, derived from the field table: for a lake, and for raw logs as AWS delivers them.

Invariant: a table's columns are those of `schema`, in its order and types, and no others; dates
are found by partition projection, so no crawler and no MSCK REPAIR is ever needed. The tables of
traffic have a `date` whether the lake keeps them or they are made there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flowscan import queries, schema
from flowscan.engine import sources, steps, tables
from flowscan.errors import UsageError
from flowscan.lake import layout

_TYPES: Final = {
    "string": "string",
    "int32": "int",
    "int64": "bigint",
    "time": "bigint",
    "address": "string",
    "float64": "double",
    "bool": "boolean",
    "list<string>": "array<string>",
}
_FIRST_DAY: Final = "2015-06-10"  # the day on which AWS announced flow logs
_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,127}")
_LOCATION: Final = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[\w.!*()/=@:+,-]*)?")


@dataclass(frozen=True, slots=True)
class Statement:
    """One DDL statement: what it makes (`table` or `view`), its name, its text."""

    kind: str
    name: str
    sql: str


def lake(
    location: str, database: str, first_day: str | None = None, *, kept: bool = True
) -> list[Statement]:
    """Tables and views of a lake that lies at an s3:// prefix.

    `first_day` (YYYY-MM-DD) bounds the dates that an unfiltered query looks for; the day on which
    AWS announced flow logs if None. The tables of traffic are those that the lake has, or, if not
    `kept`, made there from the flows of that moment: in steps, since Athena plans no view of them.

    Raises:
        UsageError: location, database name or day cannot be used.
    """
    root = check_location(location)
    base = check_name(database)
    first = first_day or _FIRST_DAY
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", first) is None:
        raise UsageError(f"{first[:40]!r} is no day", hint="YYYY-MM-DD")
    dated = {"flows": _flow_columns()}
    if kept:
        dated |= {table: _pairs(columns) for table, columns in schema.TRAFFIC_TABLES.items()}
    found = [
        _table(base, table, pairs, f"{root}/{table}/", _by_date(root, table, first))
        for table, pairs in dated.items()
    ]
    for table, columns in schema.SMALL_TABLES.items():
        found.append(_table(base, table, _pairs(columns), f"{root}/{table}/", None))
    made = [] if kept else _traffic(base)
    return [*found, *_sources(base, root), *_views(base), *made]


def raw(
    location: str,
    database: str,
    table: str,
    *,
    parquet: bool,
    regions: Sequence[str],
    accounts: Sequence[str],
    columns: Sequence[str] = schema.DEFAULT_FORMAT,
) -> Statement:
    """A table over the objects that AWS delivers to a bucket, partitioned by their keys.

    `location` is the prefix above `AWSLogs/`, `columns` the fields of the log format in the order
    of the text (Parquet finds them by name). For hive-compatible keys use `location` of the logs
    with MSCK REPAIR; keys of AWS's default layout need none.

    Raises:
        UsageError: a name, account, region or location cannot be used.
    """
    root = check_location(location)
    base, name = check_name(database), check_name(table)
    for account in accounts:
        if not re.fullmatch(r"[0-9]{12}", account):
            raise UsageError(f"{account[:40]!r} is no account id")
    for region in regions:
        if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-[0-9]", region):
            raise UsageError(f"{region[:40]!r} is no region")
    if not accounts or not regions:
        raise UsageError("a table over raw logs needs accounts and regions")
    template = f"{root}/AWSLogs/${{aws_account}}/vpcflowlogs/${{aws_region}}/${{day}}"
    properties = [
        ("projection.enabled", "true"),
        ("projection.aws_account.type", "enum"),
        ("projection.aws_account.values", ",".join(accounts)),
        ("projection.aws_region.type", "enum"),
        ("projection.aws_region.values", ",".join(regions)),
        *_day_projection("day", "yyyy/MM/dd", _FIRST_DAY.replace("-", "/")),
        ("storage.location.template", template),
    ]
    if not parquet:
        properties.append(("skip.header.line.count", "1"))
    pairs = [(c, _hive_type(c)) for c in columns]
    parts = [("aws_account", "string"), ("aws_region", "string"), ("day", "string")]
    sql = _create(base, name, pairs, parts, f"{root}/AWSLogs/", properties, parquet=parquet)
    return Statement("table", name, sql)


def external(database: str, name: str, columns: Sequence[tuple[str, str]], location: str) -> str:
    """CREATE of a table over Parquet files, its columns with their Hive types.

    Raises:
        UsageError: a name or the location cannot be used.
    """
    base, table = check_name(database), check_name(name)
    place = f"{check_location(location)}/"
    return _create(base, table, columns, [], place, [], parquet=True)


def carried(rows: Any) -> tuple[Any, list[tuple[str, str]]]:
    """An Arrow table as Parquet carries it to Athena, and its columns with their Hive types."""
    import pyarrow as pa

    kinds = {pa.int32(): "int", pa.int64(): "bigint", pa.float64(): "double", pa.bool_(): "boolean"}
    columns = [(f.name, kinds.get(f.type, "string")) for f in rows.schema]
    plain = [
        column if field.type in kinds else column.cast(pa.string())
        for field, column in zip(rows.schema, rows.columns, strict=True)
    ]
    return pa.table(plain, names=rows.column_names), columns


def check_name(text: str) -> str:
    """A database or table name that Athena takes without quoting.

    Raises:
        UsageError: it is none.
    """
    if _NAME.fullmatch(text) is None:
        raise UsageError(f"{text[:80]!r} is no name", hint="lower-case letters, digits and _")
    return text


def check_location(text: str) -> str:
    """An s3:// prefix without its trailing slash.

    Raises:
        UsageError: it is none, or holds characters that DDL cannot carry.
    """
    if _LOCATION.fullmatch(text) is None:
        raise UsageError(f"{text[:120]!r} is no s3:// prefix", hint="Athena reads from S3 only")
    return text.rstrip("/")


def _flow_columns() -> list[tuple[str, str]]:
    return [*((f.name, _TYPES[f.type]) for f in schema.FIELDS), (schema.SOURCE_ID, "bigint")]


def _pairs(columns: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, _TYPES[kind]) for name, kind in columns.items()]


def _hive_type(column: str) -> str:
    field = schema.BY_NAME.get(column)
    return _TYPES[field.type] if field else "string"


def _by_date(root: str, table: str, first: str) -> list[tuple[str, str]]:
    return [
        ("projection.enabled", "true"),
        *_day_projection("date", "yyyy-MM-dd", first),
        ("storage.location.template", f"{root}/{table}/date=${{date}}"),
    ]


def _day_projection(column: str, pattern: str, first: str) -> list[tuple[str, str]]:
    return [
        (f"projection.{column}.type", "date"),
        (f"projection.{column}.format", pattern),
        (f"projection.{column}.range", f"{first},NOW"),
        (f"projection.{column}.interval", "1"),
        (f"projection.{column}.interval.unit", "DAYS"),
    ]


def _table(
    database: str,
    name: str,
    columns: list[tuple[str, str]],
    location: str,
    properties: list[tuple[str, str]] | None,
) -> Statement:
    partitions = [("date", "date")] if properties else []
    sql = _create(database, name, columns, partitions, location, properties or [], parquet=True)
    return Statement("table", name, sql)


def _create(
    database: str,
    name: str,
    columns: Iterable[tuple[str, str]],
    partitions: list[tuple[str, str]],
    location: str,
    properties: list[tuple[str, str]],
    *,
    parquet: bool,
) -> str:
    lines = [f"CREATE EXTERNAL TABLE IF NOT EXISTS `{database}`.`{name}` (", _columns(columns)]
    lines.append(")")
    if partitions:
        lines += ["PARTITIONED BY (", _columns(partitions), ")"]
    lines.append(
        "STORED AS PARQUET"
        if parquet
        else "ROW FORMAT DELIMITED FIELDS TERMINATED BY ' ' NULL DEFINED AS '-'"
    )
    lines.append(f"LOCATION '{location}'")
    if properties:
        pairs = ",\n".join(f"  '{key}' = '{value}'" for key, value in properties)
        lines += ["TBLPROPERTIES (", pairs, ")"]
    return "\n".join(lines)


def _sources(database: str, root: str) -> list[Statement]:
    """The ledger's commits as they lie, one line of JSON each, and `sources` made of them."""
    own = {n: kind for n, kind in sources.COLUMNS.items() if n not in sources.OF_COMMIT}
    fields = ",".join(f"{name}:{kind}" for name, kind in own.items())
    columns = [("version", "bigint"), ("batch", "string"), ("at", "bigint")]
    table = "\n".join(
        [
            f"CREATE EXTERNAL TABLE IF NOT EXISTS `{database}`.`commits` (",
            _columns([*columns, ("sources", f"array<struct<{fields}>>")]),
            ")",
            "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'",
            f"LOCATION '{root}/{layout.COMMITS}/'",
        ]
    )
    listed = ", ".join(f's."{name}"' for name in own)
    names = ", ".join(f'"{name}"' for name in own)
    view = (
        f'CREATE OR REPLACE VIEW "{database}"."sources" AS\n'
        f'SELECT c.version, c."at" AS ingested, c.batch, {listed}\n'
        f"FROM commits c CROSS JOIN UNNEST(c.sources) AS s({names})"
    )
    return [Statement("table", "commits", table), Statement("view", "sources", view)]


def _columns(pairs: Iterable[tuple[str, str]]) -> str:
    return ",\n".join(f"  `{name}` {kind}" for name, kind in pairs)


def _views(database: str) -> list[Statement]:
    found = [(name, tables.portable(name)) for name in tables.SHAPES]
    return [
        Statement("view", name, f'CREATE OR REPLACE VIEW "{database}"."{name}" AS\n{sql.strip()}')
        for name, sql in found
    ]


def _traffic(database: str) -> list[Statement]:
    """The tables of traffic made of `flows`, each in as many steps as Athena can plan."""
    found = []
    for query in queries.derived():
        for step in steps.plan(query.id, queries.inline(query)):
            sql = step.select
            if step.table in schema.TRAFFIC_TABLES:
                time = "first_seen" if step.table == "sessions" else "day"
                date = f'CAST(from_unixtime({time}) AS DATE) AS "date"'
                sql = f"SELECT t.*, {date}\nFROM (\n{sql}\n) t"
            create = f'CREATE TABLE "{database}"."{step.table}" WITH (format = \'PARQUET\') AS'
            found.append(Statement("table", step.table, f"{create}\n{sql}"))
    return found
