"""Engine: runs SQL over one snapshot of a lake.

Invariant: `query` and `run` accept what `lockdown.check` accepts and nothing else; `execute` is
for SQL of the library itself. The connection is locked before the first statement of a user.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from flowscan import queries, schema
from flowscan.engine import lockdown, views
from flowscan.errors import EngineError, QueryError


class Engine:
    """A locked-down in-memory DuckDB over one snapshot. Not thread-safe: one per thread.

    Args:
        snapshot: the files to read, as `Lake.snapshot()` gives them.
        since: first `start` that `flows` shows, epoch seconds.
        until: end of the window of `flows`, epoch seconds, exclusive.
        memory_limit: such as `2GB`; DuckDB's own default (80 % of the machine) if None.
        threads: worker threads; one per core if None.
        temp_directory: where large sorts spill to; nothing spills if None.
        timeout: seconds that one query may run.
        tables: Arrow tables that appear as views beside, or in place of, those of the lake.
    """

    def __init__(
        self,
        snapshot: views.Files,
        *,
        since: int | None = None,
        until: int | None = None,
        memory_limit: str | None = None,
        threads: int | None = None,
        temp_directory: str | None = None,
        timeout: float | None = None,
        tables: Mapping[str, Any] | None = None,
    ) -> None:
        self._files = snapshot
        self._since, self._until = since, until
        self._timeout = timeout
        self._con = lockdown.connect()
        lockdown.limit(
            self._con, memory=memory_limit, threads=threads, temp_directory=temp_directory
        )
        self._present = tuple(snapshot.columns("flows"))
        self._shown: list[str] = []
        self._has_sessions = False
        paths = list(self._variable("flows"))
        self._show_flows(set())
        for name in schema.SMALL_TABLES:
            paths += self._variable(name)
            self._create(name, views.small_sql(snapshot, name))
        for name, table in (tables or {}).items():
            self._con.register(f"arrow_{name}", table)
            self._create(name, f"SELECT * FROM {views.identifier(f'arrow_{name}')}")
        lockdown.lock(self._con, paths)

    def __enter__(self) -> Self:
        """The engine itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the database."""
        self.close()

    def close(self) -> None:
        """Drop the database and everything that was made in it."""
        self._con.close()

    def interrupt(self) -> None:
        """Stop what is running; it raises EngineError. May be called from another thread."""
        self._con.interrupt()

    def query(self, sql: str, params: Mapping[str, object] | None = None) -> Any:
        """Run a user's SQL (one SELECT, EXPLAIN or DESCRIBE) and give its rows as an Arrow table.

        Raises:
            QueryError: the text is no such statement, or names what does not exist.
            EngineError: it failed while running, or took too long.
        """
        return self._read(sql, params)

    def run(self, query: queries.Query, values: Mapping[str, object] | None = None) -> Any:
        """Run a query file; `values` are its parameters, defaults stand for the rest.

        Raises:
            QueryError: a parameter is unknown or of the wrong type.
            EngineError: it failed while running, or took too long.
        """
        given = {"since": self._since, "until": self._until, **(values or {})}
        bound = queries.bind(query, given)
        return self._read(bound.sql, bound.values)

    def execute(self, sql: str, params: Mapping[str, object] | None = None) -> Any:
        """Run SQL of the library itself, such as CREATE TEMP TABLE; rows as an Arrow table.

        Raises:
            EngineError: it failed.
        """
        self._prepare(sql)
        return self._fetch(sql, dict(params or {}))

    def _read(self, sql: str, params: Mapping[str, object] | None) -> Any:
        statement = lockdown.check(self._con, sql)
        self._prepare(sql)
        wanted = {k: v for k, v in (params or {}).items() if k in statement.named_parameters}
        return views.as_trino(self._fetch(statement, wanted))

    def _fetch(self, statement: Any, params: Mapping[str, object]) -> Any:
        import duckdb

        try:
            with lockdown.deadline(self._con, self._timeout):
                relation = (
                    self._con.sql(statement, params=params) if params else self._con.sql(statement)
                )
                return relation.to_arrow_table() if relation is not None else None
        except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException) as error:
            raise QueryError(lockdown.one_line(error)) from None
        except duckdb.Error as error:
            raise EngineError(lockdown.one_line(error)) from None

    def _prepare(self, sql: str) -> None:
        named = views.words(sql)
        self._show_flows(named)
        if "sessions" in named and not self._has_sessions:
            path = queries.queries_dir() / "sessions.sql"
            if path.exists():
                text = queries.read(path).sql.strip().rstrip(";")
                self._show_flows(views.words(text))
                self._create("sessions", text)
                self._has_sessions = True

    def _show_flows(self, named: set[str]) -> None:
        columns = views.flow_columns(self._present, {*self._shown, *named} - {"date"})
        columns = [c for c in columns if c in self._shown or c in named or self._is_plain(c)]
        if columns != self._shown:
            self._shown = columns
            self._create("flows", views.flows_sql(self._files, columns, self._since, self._until))

    def _is_plain(self, column: str) -> bool:
        return column in self._present or column in schema.DEFAULT_FORMAT

    def _variable(self, table: str) -> list[str]:
        uris = list(self._files.uris(table))
        self._con.execute(f"SET VARIABLE {table} = $1", [uris])
        return uris

    def _create(self, name: str, select: str) -> None:
        self._con.execute(f"CREATE OR REPLACE VIEW {views.identifier(name)} AS {select}")
