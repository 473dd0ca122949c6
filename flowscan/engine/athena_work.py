"""A workspace on Athena: detections and reports over a lake on S3, where the lake lies.

Each run has a database of its own, `flowscan_tmp_…`, with views of the lake's tables and the
tables that are made, whose files lie in a folder of that name under the results' prefix.
Invariant: when the workspace closes, after errors and Ctrl-C too, database and files are gone;
nothing but these is ever written or dropped.
"""

from __future__ import annotations

import io
import logging
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Final, Protocol, Self

from flowscan import queries, schema
from flowscan.engine import athena_ddl, steps
from flowscan.engine.athena import Athena, Progress, Spent, Target, bounds
from flowscan.engine.views import Files, words
from flowscan.errors import EngineError, FlowscanError

log = logging.getLogger(__name__)

PREFIX: Final = "flowscan_tmp_"
# Texts, names and comments come first, so that a $ inside of them is no parameter.
_PARAMETER: Final = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|\$([a-z_]+)", re.DOTALL
)


class Shelf(Protocol):
    """Where files of tables are kept: a lake's store serves, opened at the results' prefix."""

    where: str

    def put(self, key: str, data: bytes) -> None:
        """Write an object."""
        ...

    def walk(self, prefix: str) -> Iterable[Any]:
        """The objects below a folder, each with its `key`."""
        ...

    def delete(self, key: str) -> None:
        """Delete an object."""
        ...


@dataclass
class OnAthena:
    """Opens workspaces on Athena; a `flowscan.engine.workspace.Opener`.

    Args:
        client: `boto3.client("athena")`.
        target: the lake's database, the workgroup, and the prefix for results.
        shelf: the same prefix, for the files of tables.
        root: s3:// prefix of the lake.
        poll: seconds between looks at a running query.
        progress: called with each look.
    """

    client: Any
    target: Target
    shelf: Shelf
    root: str
    poll: float = 0.5
    progress: Callable[[Progress], None] | None = None
    spent: Spent = field(default_factory=Spent)

    def __call__(self, snapshot: Files, since: int, until: int) -> AthenaWorkspace:
        """A workspace over the flows of a window; Athena reads what is live, not the snapshot."""
        return AthenaWorkspace(self, since, until)


class AthenaWorkspace:
    """Tables on Athena that live as long as this does; a `flowscan.engine.Workspace`."""

    def __init__(self, on: OnAthena, since: int, until: int) -> None:
        self._on = on
        stamp = time.strftime("%Y%m%d_%H%M%S", time.gmtime())
        self.name = f"{PREFIX}{stamp}_{secrets.token_hex(4)}"
        self._base = athena_ddl.check_name(on.target.database)
        self._window = bounds(since, until)
        self._shown: set[str] = set()
        self._lake = self._athena(on.target)
        self._own = self._athena(replace(on.target, database=self.name))

    def _athena(self, target: Target) -> Athena:
        on = self._on
        return Athena(on.client, target, poll=on.poll, progress=on.progress, spent=on.spent)

    def __enter__(self) -> Self:
        """Make the database of this run.

        Raises:
            EngineError: Athena refuses, or its `flows` are those of another lake.
        """
        try:
            self._check()
            self._lake.execute(f"CREATE SCHEMA {self.name}")
        except BaseException:
            self._drop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Drop the database and delete its files; what cannot be is logged by name."""
        self._drop()

    def translate(self, sql: str) -> str:
        """The text itself: Athena's dialect is what is asked for."""
        return sql.strip().rstrip(";")

    def native(self, sql: str) -> str:
        """The text itself."""
        return self.translate(sql)

    def execute(self, sql: str, params: Mapping[str, object] | None = None) -> Any:
        """Run a statement; rows of a SELECT as an Arrow table.

        Raises:
            EngineError: Athena refused it, it failed or was cancelled.
        """
        self._show(sql)
        return self._own.execute(inlined(sql, params or {})).rows

    def make(self, name: str, select: str, params: Mapping[str, object] | None = None) -> None:
        """Keep the rows of a SELECT as a table, made in as many steps as Athena can plan.

        Raises:
            EngineError: as `execute`.
        """
        self._show(select)
        for step in steps.plan(name, inlined(select, params or {})):
            self._shown.add(step.table)
            self._own.execute(
                f"CREATE TABLE {step.table} WITH (format = 'PARQUET', "
                f"external_location = '{self._location(step.table)}') AS\n{step.select}"
            )

    def view(self, name: str, select: str) -> None:
        """A table: Athena is paid by what is read, and a table is read as it is.

        Raises:
            EngineError: as `execute`.
        """
        self.make(name, select)

    def encode(self, name: str, kinds: Mapping[str, str]) -> None:
        """Nothing: Parquet's dictionaries are all that Athena has."""

    def drop(self, name: str) -> None:
        """Nothing: tables lie on S3 until the workspace closes, and then all go together."""

    def put(self, name: str, rows: Any) -> None:
        """Keep an Arrow table as a table: one Parquet file under the results.

        Raises:
            EngineError: it cannot be written, or Athena refused it.
        """
        import pyarrow.parquet as pq

        table, columns = athena_ddl.carried(rows)
        sink = io.BytesIO()
        pq.write_table(table, sink, compression="zstd")
        self._shown.add(name)
        self._on.shelf.put(f"{self.name}/{name}/rows.parquet", sink.getvalue())
        self._own.execute(athena_ddl.external(self.name, name, columns, self._location(name)))

    def _location(self, table: str) -> str:
        return f"{self._on.shelf.where}/{self.name}/{table}/"

    def _show(self, sql: str) -> None:
        """Make views of those tables of the lake that the text names."""
        for name in sorted(words(sql) & {"flows", *schema.SMALL_TABLES} - self._shown):
            self._shown.add(name)
            where = f" WHERE {self._window}" if name == "flows" else ""
            self._own.execute(f'CREATE VIEW {name} AS SELECT * FROM "{self._base}"."{name}"{where}')

    def _check(self) -> None:
        """See that the database shows this lake, whose findings are going to be written."""
        sql = f'SELECT "$path" FROM "{self._base}"."flows" WHERE {self._window} LIMIT 1'
        for row in self._lake.execute(sql).rows.to_pylist():
            path = str(next(iter(row.values())))
            if not path.startswith(f"{self._on.root}/flows/"):
                raise EngineError(
                    f"the tables of {self._base} show another lake: {path[:200]}",
                    where=self._on.root,
                    hint="flowscan athena setup LAKE --database NAME",
                )

    def _drop(self) -> None:
        try:
            self._lake.execute(f"DROP SCHEMA IF EXISTS {self.name} CASCADE")
        except FlowscanError as error:
            log.warning("Athena database %s is left behind: %s", self.name, error)
        try:
            for entry in list(self._on.shelf.walk(self.name)):
                self._on.shelf.delete(entry.key)
        except FlowscanError as error:
            log.warning("%s/%s is left behind: %s", self._on.shelf.where, self.name, error)


def inlined(sql: str, params: Mapping[str, object]) -> str:
    """The text with each `$name` as an escaped literal.

    Raises:
        KeyError: a name has no value.
    """

    def literal(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return match[0]
        value = params[name]
        return queries.quote(value if isinstance(value, int | float) else str(value))

    return _PARAMETER.sub(literal, sql).strip()
