"""`flowscan sql`: an interactive prompt on the lake's views, with history and completion.

Invariant: an engine reads exactly the files that it was opened with, so the tables of traffic come
with another engine, which is opened when a statement first names one and then serves all.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer

from flowscan.cli.options import LakeOption, SinceOption, UntilOption
from flowscan.cli.render import Format
from flowscan.errors import FlowscanError

if TYPE_CHECKING:
    from flowscan.engine import Engine
    from flowscan.lake import Lake

_HELP = """A statement ends with ; and may span lines. Athena's dialect, one SELECT at a time.
.tables            the views        .queries           the named queries
.run NAME [k=v …]  run one          .show NAME         its SQL
.format FORMAT     table, csv, json, ndjson, markdown
.help              this             .quit              leave (or Ctrl-D)"""


def command(
    lake: LakeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    format_: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.table,
    timeout: Annotated[float | None, typer.Option("--timeout", help="Seconds.")] = None,
) -> None:
    """Open a prompt on the lake. Input that is no terminal is run statement by statement.

    Example: flowscan sql --lake flowscan-lake
    """
    import sys

    from flowscan.cli.options import moment, open_lake

    opened = open_lake(lake)
    with _Engines(opened, moment(since), moment(until), timeout) as engines:
        session = _Session(engines, format_)
        if sys.stdin.isatty():
            _interactive(session)
        else:
            for line in sys.stdin:
                session.line(line)
            session.end()


class _Engines:
    """The engine of the prompt: a plain one until a statement names a table of traffic."""

    def __init__(
        self, lake: Lake, since: int | None, until: int | None, timeout: float | None
    ) -> None:
        self._lake = lake
        self._window = since, until
        self._timeout = timeout
        self._stack = contextlib.ExitStack()
        self._declared: list[str] = []
        self._knows_traffic = False
        self.now: Engine

    def __enter__(self) -> Self:
        self._open("")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def of(self, sql: str) -> Engine:
        """The engine that can answer a text; what earlier ones declared stays declared."""
        from flowscan import traffic
        from flowscan.cli.query import tell_due

        if not self._knows_traffic and traffic.names_traffic(sql):
            tell_due(self._lake, *self._window)
            self._open(sql)
            self._knows_traffic = True
        self._declared += [sql] if "TABLE" in sql.upper() else []
        return self.now

    def _open(self, sql: str) -> None:
        from flowscan import traffic

        before = self._stack.pop_all()
        with before:
            engine = traffic.asked(self._lake, sql, *self._window, timeout=self._timeout)
            self.now = self._stack.enter_context(engine)
        for text in self._declared:
            with contextlib.suppress(FlowscanError):
                self.now.translate(text)


class _Session:
    """Collects lines to statements and runs them; errors are shown, and the prompt goes on."""

    def __init__(self, engines: _Engines, fmt: Format) -> None:
        self._engines = engines
        self._format = fmt
        self._pending: list[str] = []

    @property
    def waiting(self) -> bool:
        """True while a statement is not finished."""
        return bool(self._pending)

    def line(self, text: str) -> bool:
        """Take one line; False when the user wants to leave."""
        if not self._pending and text.strip().startswith("."):
            return self._dot(text.strip())
        if text.strip() or self._pending:
            self._pending.append(text.rstrip("\n"))
        if text.rstrip().endswith(";"):
            self.end()
        return True

    def end(self) -> None:
        """Run what was collected."""
        sql, self._pending = "\n".join(self._pending).strip(), []
        if sql:
            self._show(lambda: self._engines.of(sql).query(sql))

    def cancel(self) -> None:
        """Forget what was collected."""
        self._pending = []

    def _dot(self, text: str) -> bool:
        from flowscan import queries

        verb, *words = text.split()
        if verb in (".quit", ".exit", ".q"):
            return False
        if verb == ".tables":
            self._show(lambda: self._engines.now.query("SHOW TABLES"))
        elif verb == ".queries":
            for query in queries.catalogue():
                typer.echo(f"{query.id:42} {query.title}")
        elif verb == ".format" and words and words[0] in Format.__members__:
            self._format = Format(words[0])
        elif verb == ".run" and words:
            self._show(lambda: self._run(words[0], words[1:]))
        elif verb == ".show" and words:
            self._guarded(lambda: typer.echo(queries.load(words[0]).sql.rstrip()))
        else:
            typer.echo(_HELP)
        return True

    def _run(self, name: str, given: list[str]) -> Any:
        from flowscan import queries
        from flowscan.cli.query import parameters

        query = queries.load(name)
        return self._engines.of(query.sql).run(query, parameters(given))

    def _show(self, work: Any) -> None:
        from flowscan.cli.render import emit

        def run() -> None:
            rows = work()
            for note in self._engines.now.notes:
                typer.echo(f"note: {note}", err=True)
            emit(rows, self._format)
            if self._format is Format.table:
                typer.echo(f"{rows.num_rows:,} rows")

        self._guarded(run)

    def _guarded(self, work: Any) -> None:
        from flowscan.cli.render import plain

        try:
            work()
        except FlowscanError as error:
            typer.echo(plain(str(error)), err=True)
        except KeyboardInterrupt:
            typer.echo("interrupted", err=True)


def _interactive(session: _Session) -> None:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import WordCompleter
    from prompt_toolkit.history import FileHistory

    from flowscan import queries, schema

    words = [*schema.BY_NAME, *schema.SMALL_TABLES, *schema.TRAFFIC_TABLES, "flows", "SELECT"]
    words += ["FROM", "WHERE", "GROUP BY", "ORDER BY", "LIMIT", "COUNT(*)", "SUM("]
    words += [query.id for query in queries.catalogue()]
    prompt: PromptSession[str] = PromptSession(
        history=FileHistory(str(_history())),
        completer=WordCompleter(words, ignore_case=True),
        complete_while_typing=False,
    )
    typer.echo("flowscan sql: .help for help, .quit to leave")
    while True:
        try:
            line = prompt.prompt("     ...> " if session.waiting else "flowscan> ")
        except KeyboardInterrupt:
            session.cancel()
            continue
        except EOFError:
            return
        if not session.line(line):
            return


def _history() -> Path:
    path = Path.home() / ".local" / "state" / "flowscan" / "sql-history"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    return path
