"""The documentation is held to the program: commands, examples, links."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import flowscan

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]
README = (ROOT / "README.md").read_text()


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)


def test_command_reference_is_what_the_program_says() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "make_commands.py", "--check"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_table_of_detections_is_what_the_files_say() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "make_detections.py", "--check"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_every_command_has_help_with_an_example() -> None:
    reference = (ROOT / "docs" / "commands.md").read_text()
    leaves = re.findall(
        r"^#+ (flowscan [a-z ]+)\n\n```text\n(.*?)```", reference, re.DOTALL | re.MULTILINE
    )
    assert len(leaves) > 25
    without = [name for name, text in leaves if "Example" not in text and "\nCommands:" not in text]
    assert not without


def test_readme_names_only_commands_that_exist() -> None:
    reference = (ROOT / "docs" / "commands.md").read_text()
    known = set(re.findall(r"^#+ flowscan (.+)$", reference, re.MULTILINE))
    for text in [README, *(p.read_text() for p in PAGES if p.name != "commands.md")]:
        for block in blocks(text, "console"):
            for line in block.splitlines():
                match = re.match(r" *\$ flowscan ([a-z]+)(?: ([a-z]+))?", line)
                if match:
                    assert {match[1], f"{match[1]} {match[2]}"} & known, line


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if not target.startswith(("http", "mailto")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_readme_python_examples_run(tmp_path: Path) -> None:
    (tmp_path / "sample_logs").symlink_to(ROOT / "sample_logs")
    code = "\n".join(blocks(README, "python"))
    assert "flowscan.ingest" in code
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_changelog_has_entries() -> None:
    newest = (ROOT / "CHANGELOG.md").read_text().split("\n## [")[1]
    assert newest.startswith(flowscan.__version__)
    assert newest.count("\n- ") > 5
