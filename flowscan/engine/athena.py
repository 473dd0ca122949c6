"""SQL on Amazon Athena: start, poll, page, cancel, and what it cost.

Invariant: what is sent is Athena's own dialect with every value escaped as a literal; a query
that is given up (Ctrl-C, an error here) is stopped there too, since AWS bills what it scans.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from flowscan import queries, schema
from flowscan.engine import athena_ddl
from flowscan.errors import EngineError, UsageError

PRICE_PER_TB: Final = 5.0
"""US dollars per terabyte scanned, the list price in most regions; each query counts 10 MB."""

_MINIMUM: Final = 10 * 1000 * 1000
_TERABYTE: Final = 1000**4
_FINAL: Final = {"SUCCEEDED", "FAILED", "CANCELLED"}
_WITH: Final = re.compile(r"\A(?:\s|--[^\n]*\n|/\*.*?\*/)*WITH\s+", re.IGNORECASE | re.DOTALL)
_INTEGERS: Final = {"tinyint", "smallint", "integer", "bigint"}
_FLOATS: Final = {"double", "float", "real"}


@dataclass(frozen=True, slots=True)
class Target:
    """Where on Athena: database, workgroup, and the s3:// prefix for results (None: its own)."""

    database: str
    workgroup: str = "primary"
    output: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """State of a running query: AWS's word, bytes scanned, seconds since it was started."""

    state: str
    scanned: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows as an Arrow table, the execution's id, bytes scanned and seconds on the engine."""

    rows: Any
    execution: str
    scanned: int
    seconds: float

    @property
    def cost(self) -> float:
        """US dollars at list price."""
        return cost(self.scanned)


@dataclass(slots=True)
class Spent:
    """What several statements came to: how many, bytes scanned, US dollars at list price."""

    statements: int = 0
    scanned: int = 0
    cost: float = 0.0

    def add(self, scanned: int) -> None:
        """Count a statement."""
        self.statements += 1
        self.scanned += scanned
        self.cost += cost(scanned)


def cost(scanned: int) -> float:
    """US dollars that a query costs which scans so many bytes (0 for DDL, which is free)."""
    return max(scanned, _MINIMUM) / _TERABYTE * PRICE_PER_TB if scanned else 0.0


def prepare(sql: str, since: int | None = None, until: int | None = None) -> str:
    """The text to send: `flows` bounded to a window, tables of traffic to its UTC days.

    The bound is on the partitions, so that only the dates of the window are scanned.
    """
    window = bounds(since, until)
    ctes = [("flows", f"SELECT * FROM flows WHERE {window}")] if window else []
    if window:
        days = _days(since, until)
        named = queries.read_from(sql)
        ctes += [
            (table, f"SELECT * FROM {table} WHERE {days}")
            for table in schema.TRAFFIC_TABLES
            if table in named
        ]
    if not ctes:
        return sql.strip().rstrip(";")
    prelude = ", ".join(f"{name} AS (\n{text}\n)" for name, text in ctes)
    text = sql.strip().rstrip(";")
    match = _WITH.match(text)
    return f"WITH {prelude}, {text[match.end() :]}" if match else f"WITH {prelude}\n{text}"


def bounds(since: int | None, until: int | None) -> str:
    """The condition on `flows` for a window, of its times and of its partitions."""
    parts = []
    if since is not None:
        parts.append(f'"start" >= {int(since)}')
    if until is not None:
        parts.append(f'"start" < {int(until)}')
    return " AND ".join([*parts, _days(since, until)] if parts else [])


def _days(since: int | None, until: int | None) -> str:
    parts = []
    if since is not None:
        parts.append(f"\"date\" >= DATE '{_day(since)}'")
    if until is not None:
        parts.append(f"\"date\" <= DATE '{_day(until)}'")
    return " AND ".join(parts)


def _day(epoch: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(epoch))


class Athena:
    """Runs SQL through an Athena client of boto3.

    Args:
        client: `boto3.client("athena")`.
        target: database, workgroup and output.
        poll: seconds between looks at a running query.
        progress: called with each look.
        spent: adds up what every statement scanned, those that were given up too.
    """

    def __init__(
        self,
        client: Any,
        target: Target,
        *,
        poll: float = 0.5,
        progress: Callable[[Progress], None] | None = None,
        spent: Spent | None = None,
    ) -> None:
        self.spent = Spent() if spent is None else spent
        self._client = client
        self._target = target
        self._poll = poll
        self._scanned = 0
        self._progress = progress or (lambda _: None)

    def query(self, sql: str, since: int | None = None, until: int | None = None) -> Answer:
        """Run one SELECT in Athena's dialect.

        Raises:
            EngineError: Athena refused it, it failed or was cancelled.
        """
        return self.execute(prepare(sql, since, until))

    def run(self, query: queries.Query, values: Mapping[str, object] | None = None) -> Answer:
        """Run a query file; `since` and `until` of `values` also bound the dates scanned.

        Raises:
            QueryError: a parameter is unknown or of the wrong type.
            EngineError: as `query`.
        """
        given = dict(values or {})
        window = {
            name: int(str(given[name]))
            for name in ("since", "until")
            if given.get(name) is not None
        }
        return self.query(queries.inline(query, given), **window)

    def execute(self, sql: str) -> Answer:
        """Send the text as it is; rows of a SELECT, none for DDL.

        Raises:
            EngineError: Athena refused it, it failed or was cancelled.
        """
        started = time.monotonic()
        execution = self._start(sql)
        self._scanned = 0
        try:
            self._wait(execution, started)
            rows = self._rows(execution)
        except BaseException:
            # Also on Ctrl-C. What has ended already cannot be stopped, and need not be.
            self._stop(execution)
            raise
        finally:
            self.spent.add(self._scanned)
        return Answer(rows, execution, self._scanned, time.monotonic() - started)

    def _start(self, sql: str) -> str:
        request: dict[str, Any] = {
            "QueryString": sql,
            "QueryExecutionContext": {"Database": self._target.database},
            "WorkGroup": self._target.workgroup,
        }
        if self._target.output:
            request["ResultConfiguration"] = {"OutputLocation": self._target.output}
        with _aws():
            return str(self._client.start_query_execution(**request)["QueryExecutionId"])

    def _wait(self, execution: str, started: float) -> None:
        while True:
            with _aws():
                reply = self._client.get_query_execution(QueryExecutionId=execution)
            found: dict[str, Any] = reply["QueryExecution"]
            state = str(found["Status"]["State"])
            self._scanned = int(found.get("Statistics", {}).get("DataScannedInBytes", 0))
            self._progress(Progress(state, self._scanned, time.monotonic() - started))
            if state == "SUCCEEDED":
                return
            if state in _FINAL:
                reason = str(found["Status"].get("StateChangeReason", state.lower()))
                raise EngineError(f"Athena: {' '.join(reason.split())[:500]}", where=execution)
            time.sleep(self._poll)

    def _stop(self, execution: str) -> None:
        import botocore.exceptions

        try:
            self._client.stop_query_execution(QueryExecutionId=execution)
        except botocore.exceptions.BotoCoreError:
            return
        except botocore.exceptions.ClientError:
            return

    def _rows(self, execution: str) -> Any:
        import pyarrow as pa

        names: list[str] = []
        infos: list[dict[str, Any]] = []
        kinds: list[str] = []
        columns: list[list[object]] = []
        for page in self._pages(execution):
            rows = page["Rows"]
            if not kinds:
                infos = page["ResultSetMetadata"]["ColumnInfo"]
                names = [str(info["Name"]) for info in infos]
                kinds = [str(info["Type"]) for info in infos]
                columns = [[] for _ in infos]
                # The first row of a SELECT repeats the names.
                first = [cell.get("VarCharValue") for cell in rows[0]["Data"]] if rows else None
                rows = rows[1:] if first == names else rows
            for row in rows:
                for i, cell in enumerate(row.get("Data", [])):
                    columns[i].append(_value(cell.get("VarCharValue"), kinds[i]))
        arrays = [
            pa.array(column, type=_arrow(info)) for column, info in zip(columns, infos, strict=True)
        ]
        return pa.Table.from_arrays(arrays, names=names)

    def _pages(self, execution: str) -> Iterator[dict[str, Any]]:
        token: str | None = None
        while True:
            extra = {"NextToken": token} if token else {}
            with _aws():
                reply = self._client.get_query_results(
                    QueryExecutionId=execution, MaxResults=1000, **extra
                )
            yield reply["ResultSet"]
            token = reply.get("NextToken")
            if not token:
                return


def setup(
    athena: Athena, client: Any, target: Target, location: str, first_day: str | None = None
) -> list[str]:
    """Create workgroup, database, tables and views; what exists stays. Names of what was made.

    Raises:
        EngineError: Athena refused a statement.
        UsageError: location or names cannot be used.
    """
    statements = athena_ddl.lake(location, target.database, first_day)
    made = [f"workgroup {target.workgroup}"] if _workgroup(client, target) else []
    athena.execute(f"CREATE DATABASE IF NOT EXISTS `{athena_ddl.check_name(target.database)}`")
    for statement in statements:
        athena.execute(statement.sql)
        made.append(f"{statement.kind} {statement.name}")
    return made


def results(client: Any, target: Target) -> str:
    """The s3:// prefix under which a run may keep tables, without a trailing slash.

    Raises:
        EngineError: there is no such workgroup.
        UsageError: no prefix is set, or the workgroup keeps all results where it wants.
    """
    with _aws():
        reply = client.get_work_group(WorkGroup=target.workgroup)
    if "WorkGroup" not in reply:
        raise EngineError(f"Athena: there is no workgroup {target.workgroup}")
    settings = reply["WorkGroup"].get("Configuration", {})
    if settings.get("EnforceWorkGroupConfiguration"):
        raise UsageError(
            f"workgroup {target.workgroup} keeps all results where it wants, tables too",
            hint="flowscan athena setup LAKE --workgroup NAME makes one that does not",
        )
    place = target.output or settings.get("ResultConfiguration", {}).get("OutputLocation")
    if not place:
        raise UsageError(
            f"workgroup {target.workgroup} has no place for results", hint="--results s3://…"
        )
    return athena_ddl.check_location(str(place))


def _workgroup(client: Any, target: Target) -> bool:
    import botocore.exceptions

    if target.workgroup == "primary":
        return False
    settings: dict[str, Any] = {"EnforceWorkGroupConfiguration": False}
    if target.output:
        settings["ResultConfiguration"] = {"OutputLocation": target.output}
    try:
        client.create_work_group(
            Name=target.workgroup, Configuration=settings, Description="flowscan"
        )
    except botocore.exceptions.ClientError as error:
        if "already" in str(error).lower():
            return False
        raise EngineError(f"Athena: {error}"[:500]) from None
    return True


@contextmanager
def _aws() -> Iterator[None]:
    """Turns what boto3 raises into one line."""
    import botocore.exceptions

    try:
        yield
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        raise EngineError(f"Athena: {' '.join(str(error).split())[:500]}") from None


def _value(text: str | None, kind: str) -> object:
    if text is None:
        return None
    if kind in _INTEGERS:
        return int(text)
    if kind in _FLOATS:
        return float(text)
    if kind == "decimal":
        return Decimal(text)
    return text == "true" if kind == "boolean" else text


def _arrow(info: Mapping[str, Any]) -> Any:
    import pyarrow as pa

    kind = str(info["Type"])
    if kind == "decimal":
        return pa.decimal128(int(info["Precision"]), int(info["Scale"]))
    if kind in _INTEGERS:
        return pa.int64() if kind == "bigint" else pa.int32()
    if kind in _FLOATS:
        return pa.float64()
    return pa.bool_() if kind == "boolean" else pa.string()
