"""Write docs/commands.md: the help of every command, as the program prints it.

    python docs/make_commands.py [--check]
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parent / "commands.md"
INTRO = """# Commands

What `flowscan COMMAND --help` prints, made by `docs/make_commands.py` and held by a test.
Exit codes: 0 done, 1 findings at or above `--fail-on`, 2 usage, 3 input or environment trouble.
stdout is data, stderr is progress and messages. `--debug` anywhere shows log messages and
full tracebacks.
"""


def command_paths() -> list[list[str]]:
    """Every command, groups before their members."""
    import typer.main

    from flowscan.cli.main import app

    paths: list[list[str]] = [[]]

    def walk(group: object, path: list[str]) -> None:
        for name, command in getattr(group, "commands", {}).items():
            paths.append([*path, name])
            walk(command, [*path, name])

    walk(typer.main.get_command(app), [])
    return paths


def page() -> str:
    """The whole page."""
    parts = [INTRO]
    environment = {**os.environ, "COLUMNS": "100", "TERMINAL_WIDTH": "100", "NO_COLOR": "1"}
    for path in command_paths():
        name = " ".join(["flowscan", *path])
        shown = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "flowscan", *path, "--help"],
            check=True,
            capture_output=True,
            text=True,
            env=environment,
        ).stdout.rstrip()
        text = "\n".join(line.rstrip() for line in shown.splitlines())
        parts.append(f"\n{'#' * (1 + max(1, len(path)))} {name}\n\n```text\n{text}\n```\n")
    return "".join(parts)


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(0 if PAGE.read_text() == page() else "docs/commands.md is not what the program says")
    PAGE.write_text(page())
