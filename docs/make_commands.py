"""Write docs/commands.md: the help of every command, as the program prints it.

python docs/make_commands.py [--check]
"""

from __future__ import annotations

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

    from flowscan.cli.main import program

    paths: list[list[str]] = [[]]

    def walk(group: object, path: list[str]) -> None:
        for name, command in getattr(group, "commands", {}).items():
            paths.append([*path, name])
            walk(command, [*path, name])

    walk(typer.main.get_command(program()), [])
    return paths


def page() -> str:
    """The whole page."""
    from typer.testing import CliRunner

    from flowscan.cli.main import program

    parts = [INTRO]
    runner = CliRunner(env={"COLUMNS": "80", "TERMINAL_WIDTH": "80", "NO_COLOR": "1"})
    for path in command_paths():
        name = " ".join(["flowscan", *path])
        shown = runner.invoke(
            program(path), [*path, "--help"], prog_name="flowscan"
        ).stdout.rstrip()
        text = "\n".join(line.rstrip() for line in shown.splitlines())
        parts.append(f"\n{'#' * (1 + max(1, len(path)))} {name}\n\n```text\n{text}\n```\n")
    return "".join(parts)


if __name__ == "__main__":
    if "--check" in sys.argv:
        same = PAGE.read_text() == page()
        sys.exit(0 if same else "docs/commands.md is not what the program says")
    PAGE.write_text(page())
