"""`flowscan report` on the command line: formats, files, exit codes."""

from __future__ import annotations

import csv
import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flowscan.cli.main import program
from flowscan.lake import Lake


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(program(), ["report", *arguments], catch_exceptions=False)
    return done.exit_code, done.stdout


@pytest.fixture(scope="module")
def where(lake: Lake) -> str:
    return str(lake.store.where)


def test_terminal_in_a_pipe_is_plain(where: str) -> None:
    code, text = run("--lake", where)
    assert code == 0
    assert "\x1b" not in text
    assert "312/tcp" in text
    assert max(len(line) for line in text.splitlines()) <= 100


def test_format_follows_the_name(where: str, tmp_path: Path) -> None:
    for name, start in (
        ("a.html", "<!doctype html>"),
        ("a.json", "{"),
        ("a.csv", "section,item,metric,value"),
        ("a.md", "# "),
        ("a.txt", "03 Aug"),
    ):
        code, text = run("--lake", where, "-o", str(tmp_path / name))
        assert (code, text) == (0, "")
        assert (tmp_path / name).read_text().startswith(start)
    assert json.loads((tmp_path / "a.json").read_text())["overview"]["period"] == {
        "since": "2026-08-03T00:00:00Z",
        "until": "2026-08-04T12:00:00Z",
    }
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert {"section": "overview", "item": "now", "metric": "flows", "value": "41734"} in rows


def test_the_file_is_its_owners(where: str, tmp_path: Path) -> None:
    run("--lake", where, "-o", str(tmp_path / "r.html"))
    assert stat.S_IMODE((tmp_path / "r.html").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("floor", "window", "code"),
    [
        ("critical", (), 1),
        ("low", (), 1),
        ("critical", ("--until", "2026-08-03T06:00"), 0),
        ("informational", ("--until", "2026-08-03T06:00"), 0),
    ],
)
def test_fail_on(where: str, floor: str, window: tuple[str, ...], code: int) -> None:
    assert run("--lake", where, "--fail-on", floor, *window)[0] == code


def test_no_lake_is_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flowscan", "report", "--lake", str(tmp_path / "none")],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "flowscan ingest creates one" in done.stderr


def test_an_empty_lake_says_what_to_do(empty_lake: Lake) -> None:
    where = str(empty_lake.store.where)
    assert "flowscan ingest ./logs, or s3://BUCKET/AWSLogs/" in run("--lake", where)[1]
    assert "flowscan ingest s3://BUCKET/AWSLogs/" in run("--lake", where, "--format", "html")[1]
    for name in ("json", "csv", "markdown"):
        assert run("--lake", where, "--format", name)[0] == 0


def test_a_bare_lake_names_the_next_steps(bare_lake: Lake) -> None:
    where = str(bare_lake.store.where)
    for chosen in ("terminal", "html", "markdown"):
        text = run("--lake", where, "--format", chosen)[1]
        assert "flowscan feeds add tor-exit" in text
        assert "flowscan detect" in text
