"""Every command on a lake without anything in it says what to do next, in every form."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from flowscan.cli.main import program
from flowscan.lake import Lake
from flowscan.report import Report, build, render_html, render_markdown, render_terminal

DAY = 1_785_715_200
NEXT = [
    ("report", "flowscan ingest"),
    ("report --format markdown", "no flows in this lake yet"),
    ("report --format html", "flowscan ingest"),
    ("findings list", "no findings"),
    ("findings export", "no findings"),
    ("feeds list", "flowscan feeds add"),
    ("feeds update", "flowscan feeds add"),
    ("match", "flowscan feeds add"),
    ("rejects", "no rejects"),
    ("lake status", "flowscan ingest"),
    ("query rejected-ports", "flowscan ingest"),
    ("detect", "flowscan ingest"),
    ("lookup 203.0.113.7", "none in the lake"),
]


@pytest.mark.parametrize(("command", "said"), NEXT, ids=[c for c, _ in NEXT])
def test_an_empty_lake_leads_on(empty_lake: Lake, command: str, said: str) -> None:
    result = CliRunner().invoke(
        program(), [*command.split(), "--lake", str(empty_lake.store.where)]
    )
    assert result.exit_code == 0, result.output
    assert said in result.output
    assert "Traceback" not in result.output
    assert len(result.output.splitlines()) < 9 or "html" in command


@pytest.mark.parametrize(
    "command", ["feeds list", "rejects", "lake status", "query rejected-ports", "report"]
)
def test_data_formats_stay_data(empty_lake: Lake, command: str) -> None:
    base = [*command.split(), "--lake", str(empty_lake.store.where), "--format"]
    as_json = CliRunner().invoke(program(), [*base, "json"])
    assert json.loads(as_json.stdout) is not None
    as_csv = CliRunner().invoke(program(), [*base, "csv"])
    assert as_csv.exit_code == 0
    assert "," in as_csv.stdout.splitlines()[0]


@pytest.mark.parametrize("width", [80, 160])
@pytest.mark.parametrize("color", [True, False])
def test_the_report_of_nothing_is_two_lines(empty_lake: Lake, width: int, color: bool) -> None:
    text = render_terminal(build(empty_lake), width=width, color=color)
    assert len(text.splitlines()) == 2
    assert max(map(len, text.splitlines())) <= width


def test_a_query_outside_of_the_lake_says_what_the_lake_has(lake: Lake) -> None:
    where = str(lake.store.where)
    command = ["query", "rejected-ports", "--until", "2026-01-01", "--lake", where]
    result = CliRunner().invoke(program(), command)
    assert "no rows" in result.stdout
    assert "the lake has flows from 2026-08-03T00:00:" in result.stderr


def test_a_period_without_flows_says_which_the_lake_has(lake: Lake) -> None:
    report: Report = build(lake, DAY - 9_000_000, DAY - 8_000_000)
    for render in (render_terminal, render_html, render_markdown):
        assert "2026-08-03T00:" in render(report)
        assert "There are no flows in this period" in render(report)
