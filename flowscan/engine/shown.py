"""Shown: the views of an engine, each made when a statement first names it.

Making a view opens files that it reads, and few are named. Invariant: the files and tables bound
here are all that the engine may read; what is shown of them never changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from flowscan import schema
from flowscan.engine import views

if TYPE_CHECKING:
    import duckdb

_LISTS: Final = {"show", "describe", "desc", "information_schema", "pg_catalog", "sqlite_master"}
"""Words of statements that may list the tables there are, so that all have to be there."""


class Shown:
    """`flows` over a window (epoch seconds), the small tables, kept ones and those given."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        files: views.Files,
        since: int | None,
        until: int | None,
    ) -> None:
        """Bind nothing yet."""
        self._con, self._files, self._since, self._until = con, files, since, until
        self._later: dict[str, Callable[[], str]] = {}
        self._given: frozenset[str] = frozenset()
        self._columns: tuple[str, ...] = ()

    def bind(self, given: Mapping[str, Any], kept: Mapping[str, views.Kept]) -> list[str]:
        """Bind the lake's files, Arrow tables by name and kept tables; the files that they read."""
        files = getattr(self._files, "filesystem", lambda: None)()
        if files is not None:
            self._con.register_filesystem(files)
        paths = self._variable("flows", self._files.uris("flows"))
        for name in schema.SMALL_TABLES:
            paths += self._variable(name, self._files.uris(name))
            self._later[name] = partial(views.small_sql, self._files, name)
        self._given = frozenset(given)
        for name, table in given.items():
            self._con.register(f"arrow_{name}", table)
            self.create(name, f"SELECT * FROM {views.identifier(f'arrow_{name}')}")
            self._later.pop(name, None)
        for name, part in kept.items():
            paths += self._variable(f"kept_{name}", part.uris)
            self._later[name] = partial(views.kept_sql, name, part)
        return paths

    def names(self) -> set[str]:
        """Names that are shown, or would be."""
        return {"flows", *self._later}

    def show(self, named: set[str]) -> None:
        """Make the views that are named, and columns of `flows` that no file has."""
        if named & _LISTS:
            named = {*named, *self.names()}
        columns = tuple(views.flow_columns(self._files.columns("flows"), {*self._columns, *named}))
        if "flows" in named - self._given and columns != self._columns:
            self._columns = columns
            self.create("flows", views.flows_sql(self._files, columns, self._since, self._until))
        for name in sorted(self._later.keys() & named):
            self.create(name, self._later.pop(name)())

    def create(self, name: str, select: str) -> None:
        """Let a SELECT stand for a name, whatever stood for it."""
        self._con.execute(f"CREATE OR REPLACE VIEW {views.identifier(name)} AS {select}")

    def _variable(self, name: str, uris: Any) -> list[str]:
        self._con.execute(f"SET VARIABLE {name} = $1", [list(uris)])
        return list(uris)
