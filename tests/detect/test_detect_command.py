"""`flowscan detect` and `flowscan findings` from the outside."""

from __future__ import annotations

import json

import pytest
from detect.detect_kit import BEGIN, Calls, write
from typer.testing import CliRunner

from flowscan.cli.main import program


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    calls = Calls()
    calls.add(BEGIN, client="10.0.0.5", server="81.20.30.40", port=1000, count=30, vary="port",
              closed=True)  # fmt: skip
    where = tmp_path_factory.mktemp("cli") / "lake"
    write(where, calls.flows(), v2=True)
    return str(where)


def run(*words):
    from flowscan.errors import FlowscanError

    done = CliRunner().invoke(program(), list(words))
    if done.exception and not isinstance(done.exception, SystemExit | FlowscanError):
        raise done.exception
    return done


def test_detect_shows_explains_and_fails_on_severity(lake):
    done = run("detect", "--lake", lake, "--only", "portscan", "--explain")
    assert done.exit_code == 0
    assert "with reduced confidence: portscan" in done.stderr
    for part in ("portscan", "all rows: SELECT * FROM flows", "do: ", "T1046", "81.20.30.40"):
        assert part in done.stdout
    assert run("detect", "--lake", lake, "--fail-on", "medium").exit_code == 1
    assert run("detect", "--lake", lake, "--fail-on", "high").exit_code == 0


def test_detect_lists_how_detections_stand(lake):
    done = run("detect", "--lake", lake, "--list", "--format", "json")
    rows = {r["detection"]: r for r in json.loads(done.stdout)}
    assert len(rows) >= 40
    assert rows["portscan"]["here"] == "reduced"
    assert rows["spambot"]["here"] == "runs"
    assert rows["tor-client"]["here"] == "cannot"


def test_findings_life(lake):
    run("detect", "--lake", lake)
    (one,) = json.loads(run("findings", "list", "--lake", lake, "--format", "json").stdout)
    short = one["id"][:6]
    assert "actors (1)" in run("findings", "show", short, "--lake", lake).stdout
    assert run("findings", "archive", short, "--lake", lake, "--reason", "ours").exit_code == 0
    assert json.loads(run("findings", "list", "--lake", lake, "--format", "json").stdout) == []
    listed = run("findings", "list", "--lake", lake, "--status", "archived", "--format", "json")
    assert json.loads(listed.stdout)[0]["status_reason"] == "ours"
    assert run("findings", "reopen", short, "--lake", lake).exit_code == 0
    assert "no finding" in str(run("findings", "show", "zzz", "--lake", lake).exception)


def test_findings_export(lake, tmp_path):
    run("detect", "--lake", lake)
    path = tmp_path / "out.ndjson"
    done = run("findings", "export", "--lake", lake, "--format", "ocsf", "-o", str(path))
    assert done.exit_code == 0
    assert json.loads(path.read_text())["class_uid"] == 2004
