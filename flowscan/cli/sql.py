"""`flowscan sql`: an interactive prompt on the lake's views, with history and completion."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flowscan.cli.options import LakeOption, SinceOption, UntilOption
from flowscan.cli.render import Format

if TYPE_CHECKING:
    from flowscan.engine import Engine

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
    from flowscan.engine import Engine

    first, last = moment(since), moment(until)
    snapshot = open_lake(lake).snapshot(first, last)
    with Engine(snapshot, since=first, until=last, timeout=timeout) as engine:
        session = _Session(engine, format_)
        if sys.stdin.isatty():
            _interactive(session)
        else:
            for line in sys.stdin:
                session.line(line)
            session.end()


class _Session:
    """Collects lines to statements and runs them; errors are shown, and the prompt goes on."""

    def __init__(self, engine: Engine, fmt: Format) -> None:
        self._engine = engine
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
            self._show(lambda: self._engine.query(sql))

    def cancel(self) -> None:
        """Forget what was collected."""
        self._pending = []

    def _dot(self, text: str) -> bool:
        from flowscan import queries

        verb, *words = text.split()
        if verb in (".quit", ".exit", ".q"):
            return False
        if verb == ".tables":
            self._show(lambda: self._engine.query("SHOW TABLES"))
        elif verb == ".queries":
            for query in queries.catalogue():
                typer.echo(f"{query.id:42} {query.title}")
        elif verb == ".format" and words and words[0] in Format.__members__:
            self._format = Format(words[0])
        elif verb == ".run" and words:
            from flowscan.cli.query import parameters

            self._show(lambda: self._engine.run(queries.load(words[0]), parameters(words[1:])))
        elif verb == ".show" and words:
            self._guarded(lambda: typer.echo(queries.load(words[0]).sql.rstrip()))
        else:
            typer.echo(_HELP)
        return True

    def _show(self, work: Any) -> None:
        from flowscan.cli.render import emit

        def run() -> None:
            rows = work()
            for note in self._engine.notes:
                typer.echo(f"note: {note}", err=True)
            emit(rows, self._format)
            if self._format is Format.table:
                typer.echo(f"{rows.num_rows:,} rows")

        self._guarded(run)

    def _guarded(self, work: Any) -> None:
        from flowscan.cli.render import plain
        from flowscan.errors import FlowscanError

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

    words = [*schema.BY_NAME, *schema.SMALL_TABLES, "flows", "sessions", "SELECT", "FROM"]
    words += ["WHERE", "GROUP BY", "ORDER BY", "LIMIT", "COUNT(*)", "SUM("]
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
