"""The `flowscan` program: registers the verbs, turns errors into one line and an exit code.

Invariant: exit codes are 0 done, 1 findings at or above `--fail-on`, 2 usage, 3 input or
environment trouble; a traceback is shown only with `--debug`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from flowscan import __version__
from flowscan.errors import FlowscanError

VERBS = (
    "ingest", "query", "sql", "report", "serve", "detect", "findings", "feeds", "match", "lookup",
    "rejects", "init", "run", "lake", "athena",
)  # fmt: skip
"""Modules of this package, in the order of a first walk through the tool."""


def program(arguments: Sequence[str] = ()) -> typer.Typer:
    """The program with the verb that the arguments name, or with all where they name none.

    Building the others would take longer than many a command.
    """
    verb = next((a for a in arguments if not a.startswith("-")), None)
    app = typer.Typer(
        name="flowscan",
        help="Answers from AWS VPC flow logs: ingest them into a lake, query, detect, report.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        epilog="Start with: flowscan ingest s3://BUCKET/AWSLogs/ && flowscan report",
        context_settings={"help_option_names": ["-h", "--help"]},
        callback=_options,
    )
    for name in [verb] if verb in VERBS else VERBS:
        module = import_module(f"flowscan.cli.{name}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name)
        else:
            app.command(name)(module.command)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        from flowscan.parse import kernel_name

        typer.echo(f"flowscan {__version__} (parser: {kernel_name()})")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Answers from AWS VPC flow logs: ingest them into a lake, query, detect, report.

    `--debug` anywhere on the line shows log messages and full tracebacks.
    """


def _take_debug_flag(arguments: list[str]) -> tuple[list[str], bool]:
    end = arguments.index("--") if "--" in arguments else len(arguments)
    rest = [a for a in arguments[:end] if a != "--debug"] + arguments[end:]
    return rest, len(rest) != len(arguments)


def _describe(error: BaseException) -> str:
    from flowscan.cli.render import plain
    from flowscan.config import redact

    return plain(redact(f"flowscan: {error}"))


def _traceback(error: BaseException) -> str:
    import traceback

    from flowscan.config import redact

    return redact("".join(traceback.format_exception(error)).rstrip())


class _Redacted(logging.Formatter):
    """Log lines without secrets; libraries may put whole requests into theirs."""

    def format(self, record: logging.LogRecord) -> str:
        from flowscan.config import redact

        return redact(super().format(record))


def _start_logging(*, debug: bool) -> None:
    """Only flowscan's own messages reach debug level: the SDK's show signed requests."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Redacted("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("flowscan").setLevel(logging.DEBUG if debug else logging.WARNING)


def _exit_code(arguments: list[str], *, debug: bool) -> int:
    """Run one command; whatever it ends with becomes an exit code."""
    try:
        program(arguments)(args=arguments, prog_name="flowscan")
        sys.stdout.flush()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BrokenPipeError:
        # The reader of stdout left (`| head`); closing it again at exit would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    except (FlowscanError, OSError, MemoryError) as error:
        typer.echo(_traceback(error) if debug else _describe(error), err=True)
        return error.exit_code if isinstance(error, FlowscanError) else 3
    except Exception as error:  # noqa: BLE001 - a defect must not look like "findings" (1)
        what = FlowscanError(f"{type(error).__name__}: {error}", where="internal error")
        what.hint = "please report it with what --debug shows"
        typer.echo(_traceback(error) if debug else _describe(what), err=True)
        return 3
    return 0


def run() -> None:
    """Entry point of the console script."""
    from flowscan.config import start_no_idle_threads

    start_no_idle_threads()
    arguments, debug = _take_debug_flag(sys.argv[1:])
    _start_logging(debug=debug)
    code = _exit_code(arguments, debug=debug)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    # Not sys.exit: while the interpreter goes down, pyarrow 26 sometimes aborts the process
    # ("terminate called without an active exception") after all work is done.
    os._exit(code)
