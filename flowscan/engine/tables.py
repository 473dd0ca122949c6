"""Tables as Athena users have them, mapped to views over `flows`.

A table name of a pasted query is one of: a table of the lake; a name that AWS's documentation
uses (`vpc_flow_logs` …); a name that a pasted CREATE EXTERNAL TABLE declared; or any other name,
which stands for the flow logs if every column that the query takes from it is a flow-log column.
Invariant: a view shows only columns that the name's shape has, plus those that the query names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlglot import exp

from flowscan import schema
from flowscan.engine.named import tables
from flowscan.engine.script import Declared
from flowscan.engine.views import identifier
from flowscan.errors import QueryError

_AWS: Final = tuple(
    f.name for f in schema.FIELDS if f.version <= 5 and not f.tgw
)  # the 29 columns of AWS's documented table, in its order

_NAME: Final = re.compile(r"[a-z_0-9][\w$-]*")

_LEGACY: Final[dict[str, str]] = {
    "account": "account_id",
    "interfaceid": "interface_id",
    "sourceaddress": "srcaddr",
    "destinationaddress": "dstaddr",
    "sourceport": "srcport",
    "destinationport": "dstport",
    "numpackets": "packets",
    "numbytes": "bytes",
    "starttime": "start",
    "endtime": "end",
    "logstatus": "log_status",
    "sourceip": "srcaddr",
    "destinationip": "dstaddr",
    "srcip": "srcaddr",
    "dstip": "dstaddr",
    "destport": "dstport",
    "destaddr": "dstaddr",
    "packetcount": "packets",
    "bytecount": "bytes",
    "eni": "interface_id",
}
_TIGHT: Final = {name.replace("_", ""): name for name in schema.BY_NAME} | _LEGACY

# Partition columns that Athena tables of flow logs have, as expressions over `flows`. Those of a
# day are filled by `_day`, in the format that the query compares them with.
_PARTITIONS: Final[dict[str, str]] = {
    "awsaccountid": "account_id",
    "accountpartition": "account_id",
    "awsregion": "region",
    "regionpartition": "region",
    "regioncode": "region",
    "awsservice": "'vpcflowlogs'",
    "year": "strftime(\"date\", '%Y')",
    "month": "strftime(\"date\", '%m')",
    "hour": "strftime(start_ts, '%H')",
    "hourpartition": "strftime(start_ts, '%H')",
}
_DAYS: Final = {"day", "datepartition", "daypartition", "partitiondate", "dt", "logdate"}
_DAY_FORMATS: Final = (
    (re.compile(r"\d{4}/\d\d?/\d\d?"), "%Y/%m/%d"),
    (re.compile(r"\d{4}-\d\d?-\d\d?"), "%Y-%m-%d"),
    (re.compile(r"\d{8}"), "%Y%m%d"),
    (re.compile(r"\d\d?"), "%d"),
)
_HIVE: Final = ("aws-account-id", "aws-service", "aws-region", "year", "month", "day", "hour")

SHAPES: Final[dict[str, tuple[str, ...]]] = {
    "vpc_flow_logs": (*_AWS, "date"),
    "vpc_flow_logs_parquet": (*_AWS, *_HIVE),
    "test_table_vpclogs": (*(c for c in _AWS if c != "region"), "region", "day"),
    "vpcflow": (
        *("version", "account", "interfaceid", "sourceaddress", "destinationaddress"),
        *("sourceport", "destinationport", "protocol", "numpackets", "numbytes", "starttime"),
        *("endtime", "action", "logstatus", "vpcid", "type", "tcpflags", "subnetid"),
        *("sublocationtype", "sublocationid", "region", "pktsrcaddr", "pktdstaddr", "instanceid"),
        *("azid", "pktsrcawsservice", "pktdstawsservice", "flowdirection", "trafficpath"),
        *("date_partition", "region_partition", "account_partition"),
    ),
}
"""Tables of AWS's documentation and playbooks: name → columns in the order of `SELECT *`."""

_THREATS: Final = {
    "threat_ip": "indicator",
    "threat_comment": "coalesce(description, category)",
}


@dataclass(frozen=True, slots=True)
class View:
    """A view to be created before the query runs, and what to tell the user about it."""

    name: str
    select: str
    note: str | None = None


def resolve(
    tree: exp.Expression, known: Iterable[str], declared: Mapping[str, Declared]
) -> list[View]:
    """Point every table of the query at a view; gives the views that have to be made.

    Database and catalogue names are dropped: a lake is one database.

    Raises:
        QueryError: a table can be no flow log; the message names it and the column that tells.
    """
    lake = {name.lower() for name in known}
    views: dict[str, View] = {}
    for table in list(tables(tree)):
        name = table.name.lower()
        if not name or table.db.lower() == "information_schema":
            continue
        table.set("db", None)
        table.set("catalog", None)
        if name in lake and name not in declared:
            continue
        if _NAME.fullmatch(name) is None:
            raise QueryError(f"{name[:80]!r} is no table: a query reads the lake and nothing else")
        taken = _columns(tree, table)
        views[name] = _view(name, taken, _days(tree), declared.get(name))
    return list(views.values())


def portable(name: str) -> str:
    """SELECT of one of AWS's table shapes over `flows`, in Athena's dialect.

    Raises:
        KeyError: there is no such shape.
    """
    sql = shape_sql(name).replace("strftime(", "date_format(")
    return sql.replace("start_ts", 'from_unixtime("start")')


def shape_sql(name: str) -> str:
    """SELECT of one of AWS's table shapes over `flows`, in DuckDB's dialect.

    Raises:
        KeyError: there is no such shape.
    """
    shape = SHAPES[name]
    columns = [(c, str(_expression(c, "%Y/%m/%d", hive="year" in shape))) for c in shape]
    return _select(columns)


def _view(name: str, named: list[str], days: str, declared: Declared | None) -> View:
    if declared is not None:
        return View(name, _select(_declared(declared, days)), None)
    if named and set(named) <= set(_THREATS):
        parts = [f"{sql} AS {identifier(c)}" for c, sql in _THREATS.items()]
        return View(name, f"SELECT {', '.join(parts)} FROM indicators", f"{name}: the indicators")
    shape = SHAPES.get(name) or _guess(named)
    columns = {c: _expression(c, days, hive="year" in shape) for c in shape}
    for column in named:
        found = _expression(column, days, hive="year" in shape or "month" in named)
        if found is None and column not in columns:
            raise QueryError(
                f"there is no table {name}", hint=f"{column} is no column of a flow log"
            )
        columns.setdefault(column, found)
    sql = _select([(column, str(found)) for column, found in columns.items()])
    return View(name, sql, None if name in SHAPES else f"table {name}: read as the flow logs")


def _guess(named: list[str]) -> tuple[str, ...]:
    tight = {n.replace("_", "").replace("-", "") for n in named}
    if tight & (set(_LEGACY) - {"account", "eni"}):
        return SHAPES["vpcflow"]
    if tight & {"awsaccountid", "awsregion", "year", "month", "hour"}:
        return SHAPES["vpc_flow_logs_parquet"]
    if "day" in tight:
        return SHAPES["test_table_vpclogs"]
    return SHAPES["vpc_flow_logs"]


def _select(columns: Iterable[tuple[str, str]]) -> str:
    parts = ", ".join(f"{sql} AS {identifier(name)}" for name, sql in columns)
    return f"SELECT {parts} FROM flows"


def _expression(column: str, days: str, *, hive: bool) -> str | None:
    """The column as an expression over `flows`, or None if no flow log has such a column."""
    if column in schema.BY_NAME or column in ("date", "start_ts", "end_ts"):
        return identifier(column)
    tight = column.replace("_", "").replace("-", "")
    if tight in _DAYS:
        # Beside year and month, `day` is the day of the month.
        return f"strftime(\"date\", '{'%d' if hive and tight == 'day' else days}')"
    if tight in _PARTITIONS:
        return _PARTITIONS[tight]
    return identifier(_TIGHT[tight]) if tight in _TIGHT else None


def _declared(table: Declared, days: str) -> list[tuple[str, str]]:
    columns: list[tuple[str, str]] = []
    by_place = dict(enumerate(schema.DEFAULT_FORMAT))
    partitions = {name for name, _ in table.partitions}
    names = [*table.columns, *table.partitions]
    hive = any(name == "year" for name, _ in names)
    for i, (name, kind) in enumerate(names):
        found = _expression(name, table.day_format or days, hive=hive)
        if found is None and table.positional and name not in partitions and i in by_place:
            found = identifier(by_place[i])
        if found is None:
            raise QueryError(f"table {table.name}: {name} is no column of a flow log")
        if name == "date" and kind == "string":
            found = f"strftime(\"date\", '{table.day_format or days}')"
        columns.append((name, f"CAST({found} AS {_HIVE_TYPES.get(kind, 'VARCHAR')})"))
    return columns


_HIVE_TYPES: Final = {
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "float": "DOUBLE",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "boolean": "BOOLEAN",
}


def _columns(tree: exp.Expression, table: exp.Table) -> list[str]:
    """Columns that the query certainly or possibly takes from this table, in lower case."""
    alias = table.alias_or_name.lower()
    select = table.find_ancestor(exp.Select) or tree
    sources = [
        s
        for s in select.find_all(exp.Table, exp.Subquery, exp.Unnest, exp.Lateral)
        if s.find_ancestor(exp.Select) is select
    ]
    single = len(sources) == 1
    aliases = {a.alias.lower() for a in tree.find_all(exp.Alias)}
    found: dict[str, None] = {}
    for column in select.find_all(exp.Column):
        owner, name = column.table.lower(), column.name.lower()
        # `$name` is a bound parameter, which Trino's grammar reads as a column.
        if not name or name.startswith("$") or isinstance(column.this, exp.Star):
            continue
        own = column.find_ancestor(exp.Select) is select
        bare = single and own and not owner and not (name in aliases and not _real(name))
        if owner == alias or bare:
            found[name] = None
    return [name for name in found if not _lambda(select, name)]


def _real(name: str) -> bool:
    return _expression(name, "%d", hive=False) is not None


def _lambda(tree: Any, name: str) -> bool:
    """True for a name that is only the argument of a lambda (`x -> x + 1`)."""
    return any(name == p.name.lower() for f in tree.find_all(exp.Lambda) for p in f.expressions)


def _days(tree: exp.Expression) -> str:
    """The format of day-like partition columns, told by what the query compares them with."""
    for column in tree.find_all(exp.Column):
        tight = column.name.lower().replace("_", "")
        if tight not in _DAYS or column.parent is None:
            continue
        for literal in column.parent.find_all(exp.Literal):
            for pattern, form in _DAY_FORMATS:
                if literal.is_string and pattern.fullmatch(literal.name):
                    return form
    return "%Y/%m/%d"
