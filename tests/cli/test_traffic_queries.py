"""`query` and `sql` bring tables of traffic when a text first names one, and say what they derive."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import flowscan
from flowscan import traffic

LOG = """2 123456789012 eni-1 10.0.1.5 52.1.2.3 40000 443 6 12 1500 1785715200 1785715220 ACCEPT OK
2 123456789012 eni-1 52.1.2.3 10.0.1.5 443 40000 6 10 6500 1785715200 1785715220 ACCEPT OK
"""
DERIVED = "traffic of 1 day (2 flows) is derived first\n"


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    (tmp_path / "a.log").write_text(LOG)
    flowscan.ingest(str(tmp_path / "a.log"), tmp_path / "lake")
    return tmp_path / "lake"


def run(lake: Path, *arguments: str, text: str = "") -> tuple[str, str]:
    command = [sys.executable, "-m", "flowscan", *arguments, "--lake", str(lake)]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    return done.stdout, done.stderr


def test_a_query_derives_once(lake: Path) -> None:
    plain = "SELECT count(*) AS sessions FROM flows"
    assert run(lake, "query", plain, "--format", "csv") == ("sessions\n2\n", "")
    told = "SELECT client, bytes_in FROM sessions"
    rows = "client,bytes_in\n10.0.1.5,6500\n"
    assert run(lake, "query", told, "--format", "csv") == (rows, DERIVED)
    assert run(lake, "query", told, "--format", "csv") == (rows, "")
    out, err = run(lake, "query", "top-talkers", "--format", "csv")
    assert out.splitlines()[1].startswith("10.0.1.5,8000,1500,6500,22,1")
    assert err == ""


def test_the_prompt_keeps_what_was_declared(lake: Path) -> None:
    text = """CREATE EXTERNAL TABLE mine (version int, account string) LOCATION 's3://b/x/';
SELECT count(*) AS n FROM flows;
SELECT sum(sessions) AS n FROM volumes;
SELECT count(*) AS n FROM mine;
.run top-pairs top=1
"""
    out, err = run(lake, "sql", "--format", "csv", text=text)
    assert out.count("n\n2\n") == 2
    assert "n\n1\n" in out
    assert "52.1.2.3,10.0.1.5,6500" in out
    assert err == DERIVED


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("SELECT 1 FROM flows f, sessions s", True),
        ("SELECT sessions FROM flows -- FROM volumes", False),
        ("WITH hosts AS (SELECT 1 AS n) SELECT n FROM hosts", False),
        ("EXPLAIN SELECT * FROM contacts", True),
        ("DESCRIBE volumes", True),
        ('SELECT * FROM "lake"."hosts"', True),
        ("SELECT", False),
        ("", False),
        ("SELECT 1; SELECT 2", False),
    ],
)
def test_what_names_a_table_of_traffic(sql: str, named: bool) -> None:
    assert traffic.names_traffic(sql) == named
