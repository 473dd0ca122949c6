"""Engine: runs SQL over one snapshot of a lake.

Invariant: `query` and `run` accept what `lockdown.check` accepts and nothing else; `execute` is
for SQL of the library itself. The connection is locked before the first statement of a user.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, Self

from flowscan import queries
from flowscan.engine import functions, lockdown, results, script, sources, views
from flowscan.engine.codes import encode
from flowscan.engine.shown import Shown
from flowscan.errors import EngineError, EngineMemoryError, QueryError

_SHOW: Final = re.compile(
    r"\s*(?:(?P<describe>DESC(?:RIBE)?|SHOW\s+COLUMNS\s+(?:FROM|IN)|SHOW\s+CREATE\s+TABLE)"
    r"|(?P<partitions>SHOW\s+PARTITIONS))\s+(?P<name>[\w`\".-]+)\s*\Z",
    re.IGNORECASE,
)


class Engine:
    """A locked-down in-memory DuckDB over one snapshot. Not thread-safe: one per thread.

    Integers divide as in Trino: `7 / 2` is 3, also for `execute`. What does not fit into memory
    goes to a folder of the engine's own in the system's temporary folder (`TMPDIR` moves it),
    which ends with the engine; where there is none that can be written, nothing spills.

    Args:
        snapshot: the files to read, as `Lake.snapshot()` gives them.
        since: first `start` that `flows` shows, epoch seconds.
        until: end of the window of `flows`, epoch seconds, exclusive.
        memory_limit: such as `2GB`; DuckDB's own default (80 % of the machine) if None.
        threads: worker threads; one per core if None.
        timeout: seconds that one query may run.
        tables: Arrow tables that appear as views beside, or in place of, those of the lake.
        kept: tables of traffic that stand in Parquet files, by name; they show whole UTC days.
        derived: make `sessions` and the like of the flows when they are named and not kept; False
            for a caller that makes tables of these names itself: it has joins done in the order
            of the text, since DuckDB guesses wrong how few rows its conditions leave.
    """

    def __init__(
        self,
        snapshot: views.Files,
        *,
        since: int | None = None,
        until: int | None = None,
        memory_limit: str | None = None,
        threads: int | None = None,
        timeout: float | None = None,
        tables: Mapping[str, Any] | None = None,
        kept: Mapping[str, views.Kept] | None = None,
        derived: bool = True,
    ) -> None:
        self._files = snapshot
        self._since, self._until = since, until
        self._timeout = timeout
        self._con = lockdown.connect()
        self._spill = _spill()
        self._shown = Shown(self._con, snapshot, since, until)
        self._listed = "sources" in (tables or {})
        self._macros: set[str] = set()
        self._declared: dict[str, Any] = {}
        self._notes: list[str] = []
        self._mapped: set[str] = set()
        kept = kept or {}
        self._derived = {q.id for q in queries.derived()} - kept.keys() if derived else set()
        try:
            spill = self._spill.name if self._spill else None
            lockdown.limit(
                self._con,
                memory=memory_limit,
                threads=threads,
                temp_directory=spill,
                as_written=not derived,
            )
            lockdown.lock(self._con, self._shown.bind(tables or {}, kept))
        except BaseException:
            self.close()
            raise

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
        if self._spill:
            self._spill.cleanup()

    def interrupt(self) -> None:
        """Stop what is running; it raises EngineError. May be called from another thread."""
        self._con.interrupt()

    @property
    def notes(self) -> tuple[str, ...]:
        """What the last query's tables were read as, where their names did not say it."""
        return tuple(self._notes)

    def query(self, sql: str, params: Mapping[str, object] | None = None) -> Any:
        """Run a user's SQL (one SELECT, EXPLAIN or DESCRIBE) and give its rows as an Arrow table.

        The text is Athena's dialect; what only DuckDB reads runs as DuckDB's. DDL of Athena
        tables may stand before the query: it declares names and columns, and creates nothing.

        Raises:
            QueryError: the text is no such statement, or names what does not exist.
            EngineError: it failed while running, or took too long.
        """
        relation = self._relation(sql, params or {})
        with self._running():
            kinds = [str(kind) for kind in relation.types]
            return results.convert(relation.to_arrow_reader(), kinds).read_all()

    def reader(self, sql: str, params: Mapping[str, object] | None = None) -> Any:
        """As `query`, batch by batch: an Arrow RecordBatchReader. No timeout holds for it.

        Raises:
            QueryError, EngineError: as `query`; failures of later batches come from the reader.
        """
        relation = self._relation(sql, params or {})
        with self._running():
            kinds = [str(kind) for kind in relation.types]
            return results.convert(relation.to_arrow_reader(), kinds)

    def run(self, query: queries.Query, values: Mapping[str, object] | None = None) -> Any:
        """Run a query file; `values` are its parameters, defaults stand for the rest.

        Raises:
            QueryError: a parameter is unknown or of the wrong type.
            EngineError: it failed while running, or took too long.
        """
        given = {"since": self._since, "until": self._until, **(values or {})}
        bound = queries.bind(query, given)
        return self.query(bound.sql, bound.values)

    def execute(self, sql: str, params: Mapping[str, object] | None = None) -> Any:
        """Run SQL of the library itself, such as CREATE TEMP TABLE; rows as an Arrow table.

        The text is DuckDB's own dialect.

        Raises:
            EngineError: it failed.
        """
        self._show(sql)
        with self._running():
            relation = self._con.sql(sql, params=dict(params) if params else None)
            return relation.to_arrow_table() if relation is not None else None

    def make(self, name: str, select: str, params: Mapping[str, object] | None = None) -> None:
        """Keep the rows of a SELECT of the library as a temporary table of that name.

        Raises:
            EngineError: it failed.
        """
        self.execute(f"CREATE OR REPLACE TEMP TABLE {views.identifier(name)} AS {select}", params)

    def view(self, name: str, select: str) -> None:
        """Let a SELECT of the library stand for that name; it runs whenever the name is read.

        Raises:
            EngineError: it failed.
        """
        self.execute(f"CREATE OR REPLACE TEMP VIEW {views.identifier(name)} AS {select}")

    def encode(self, name: str, kinds: Mapping[str, str]) -> None:
        """Hold the texts of a table that was made here as numbers: column → its kind of text.

        Raises:
            EngineError: there is no such table or column.
        """
        with self._running():
            encode(self._con, name, kinds)

    def drop(self, name: str) -> None:
        """Drop a table that was made here, before the end.

        Raises:
            EngineError: there is none.
        """
        self.execute(f"DROP TABLE {views.identifier(name)}")

    def stream(self, sql: str, rows: int) -> Iterator[Any]:
        """As `execute`, in Arrow tables of at most so many rows; at least one, though empty.

        Raises:
            EngineError: it failed.
        """
        import pyarrow as pa

        self._show(sql)
        with self._running():
            reader = self._con.sql(sql).to_arrow_reader(rows)
            batch = None
            for batch in reader:
                yield pa.Table.from_batches([batch])
            if batch is None:
                yield reader.schema.empty_table()

    def put(self, name: str, rows: Any) -> None:
        """Keep an Arrow table as a temporary table of that name.

        Raises:
            EngineError: it failed.
        """
        given = f"arrow_{name}"
        self._con.register(given, rows)
        try:
            self.make(name, f"SELECT * FROM {views.identifier(given)}")
        finally:
            self._con.unregister(given)

    def translate(self, sql: str) -> str:
        """The DuckDB SQL that `query` runs for this text.

        Raises:
            QueryError: as `query`.
        """
        from flowscan.engine import dialect  # sqlglot takes a while to load

        parts = script.read(sql)
        self._notes = []
        self._declared.update({table.name: table for table in parts.declared})
        if not parts.query:
            return self._about_tables(parts)
        special = self._special(parts.query)
        if special is not None:
            return special
        explain = script.EXPLAIN.match(parts.query)
        query = parts.query[explain.end() :] if explain else parts.query
        prefix = f"EXPLAIN {explain[1] or ''}" if explain else ""
        try:
            return prefix + dialect.translate(query, self._resolve)
        except dialect.Unreadable:
            # Not Trino's grammar: DuckDB's own, if it reads it. If not, its message is shown.
            return parts.query

    def native(self, sql: str) -> str:
        """A SELECT that every engine reads, but for names of functions, as DuckDB takes it.

        What it means must not depend on NULL in least and greatest, nor on rounding.
        """
        return functions.named(sql.strip().rstrip(";"))

    def _translated(self, sql: str) -> str:
        text = self.translate(sql)
        self._show(text)
        lockdown.check(self._con, text)
        return text

    def _relation(self, sql: str, params: Mapping[str, object]) -> Any:
        text = self.translate(sql)
        self._show(text, by_user=True)
        statement = lockdown.check(self._con, text)
        wanted = {k: v for k, v in params.items() if k in statement.named_parameters}
        with self._running():
            return self._con.sql(statement, params=wanted or None)

    @contextmanager
    def _running(self) -> Iterator[None]:
        import duckdb
        import pyarrow as pa

        try:
            with lockdown.deadline(self._con, self._timeout):
                yield
        except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException) as error:
            raise QueryError(lockdown.one_line(error)) from None
        except duckdb.OutOfMemoryException as error:
            raise EngineMemoryError(lockdown.one_line(error)) from None
        except (duckdb.Error, pa.ArrowException) as error:
            raise EngineError(lockdown.one_line(error)) from None

    def _about_tables(self, parts: script.Script) -> str:
        names = [t.name for t in parts.declared] or list(parts.touched)
        if not names:
            raise QueryError("the SQL text is empty")
        known = ", ".join(f"'{n}'" for n in names if re.fullmatch(r"[\w-]+", n)) or "''"
        return f"SELECT unnest([{known}]) AS table_name, 'read as the flow logs' AS result"

    def _special(self, sql: str) -> str | None:
        match = _SHOW.match(sql.strip().rstrip(";"))
        if match is None:
            return None
        name = match["name"].split(".")[-1].strip('`"')
        if match["partitions"]:
            return 'SELECT DISTINCT "date" FROM flows ORDER BY "date"'
        from flowscan.engine import dialect

        self._resolve(dialect.parse(f"SELECT * FROM {views.identifier(name)}"))
        return f"DESCRIBE {views.identifier(name)}"

    def _resolve(self, tree: Any) -> None:
        from flowscan.engine import tables

        for view in tables.resolve(tree, self._tables(), self._declared):
            self._show(view.select)
            self._shown.create(view.name, view.select)
            self._mapped.add(view.name)
            if view.note:
                self._notes.append(view.note)

    def _tables(self) -> set[str]:
        rows = self._con.execute(
            "SELECT table_name FROM duckdb_tables() UNION "
            "SELECT view_name FROM duckdb_views() WHERE NOT internal"
        ).fetchall()
        known = {str(name).lower() for (name,) in rows} | self._derived | self._shown.names()
        return (known | {"sources"}) - self._mapped

    def _is_table(self, name: str) -> bool:
        sql = "SELECT count(*) FROM duckdb_tables() WHERE table_name = $1"
        return bool(self._con.execute(sql, [name]).fetchall()[0][0])

    def _show(self, sql: str, *, by_user: bool = False) -> None:
        """Make what the text names: macros, absent columns of `flows`, tables of traffic.

        The library's own texts are read by their words; a user's may call things as they like.
        """
        for name in functions.needed(sql):
            if name not in self._macros:
                functions.create(self._con, name)
                self._macros.add(name)
        named = views.words(sql)
        with self._running():
            self._shown.show(named)
        if not self._listed and sources.named(sql):
            self._listed = True
            self.put("sources", sources.table(self._files))
        if named & self._derived:
            self._derive(self._derived & (_reads(sql) if by_user else queries.read_from(sql)))

    def _derive(self, wanted: set[str]) -> None:
        """Make the tables of traffic that are named, and those that they read, as they are needed.

        Tables, not views: each is read several times by those behind it.
        """
        needed: list[queries.Query] = []
        for query in reversed(queries.derived()):
            if query.id in wanted:
                wanted |= queries.read_from(query.sql)
                needed.append(query)
        for query in reversed(needed):
            if query.id in self._derived:
                self._derived.discard(query.id)
                if not self._is_table(query.id):
                    self.make(query.id, self._translated(queries.inline(query, {})))


def _reads(sql: str) -> frozenset[str]:
    from flowscan.engine import named  # sqlglot takes a while to load

    return named.read(sql)


def _spill() -> tempfile.TemporaryDirectory[str] | None:
    try:
        return tempfile.TemporaryDirectory(prefix="flowscan-", ignore_cleanup_errors=True)
    except OSError:
        return None
