"""What detect and report need of an engine: to make tables of their own, and to ask for rows.

Invariant: whoever works through this protocol cannot tell DuckDB from Athena. The SQL handed over
is what both read, or was translated by the workspace; its tables end with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Protocol, Self

from flowscan.engine.views import Files


class Workspace(Protocol):
    """The lake's tables and those made here, until it is closed. A context manager."""

    def __enter__(self) -> Self:
        """The workspace itself."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Drop everything that was made."""
        ...

    def translate(self, sql: str) -> str:
        """A SELECT in Athena's dialect as this engine takes it.

        Raises:
            QueryError: the text is none.
        """
        ...

    def native(self, sql: str) -> str:
        """A SELECT that every engine reads, but for names of functions, as this one takes it.

        What it means must not depend on NULL in least and greatest, nor on rounding: `translate`
        sees to these.
        """
        ...

    def execute(self, sql: str, params: Mapping[str, object] | None = None) -> Any:
        """Run a statement of the library itself; rows of a SELECT as an Arrow table.

        Raises:
            EngineError: it failed.
        """
        ...

    def make(self, name: str, select: str, params: Mapping[str, object] | None = None) -> None:
        """Keep the rows of a SELECT as a table, which then stands for that name.

        Raises:
            EngineError: it failed.
        """
        ...

    def view(self, name: str, select: str) -> None:
        """Let a SELECT stand for that name; as a table where that is cheaper.

        Raises:
            EngineError: it failed.
        """
        ...

    def encode(self, name: str, kinds: Mapping[str, str]) -> None:
        """Hold the texts of a table that was made here as numbers, where that saves anything.

        `kinds` says for each column of which kind its texts are: only columns of one kind are
        compared or stand for each other.

        Raises:
            EngineError: there is no such table or column.
        """
        ...

    def drop(self, name: str) -> None:
        """Give up a table that was made here, where that saves anything.

        Raises:
            EngineError: there is none.
        """
        ...

    def put(self, name: str, rows: Any) -> None:
        """Keep an Arrow table as a table of that name.

        Raises:
            EngineError: it failed.
        """
        ...


class Opener(Protocol):
    """Opens a workspace over the flows of `since <= start < until` (epoch seconds)."""

    def __call__(self, snapshot: Files, since: int, until: int) -> Workspace:
        """The workspace, to be entered."""
        ...
