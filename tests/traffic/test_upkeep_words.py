"""What `flowscan lake` says of derived tables: rebuilt, left to another writer, expired."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest
from cases import low_client_ports, write
from typer.testing import CliRunner

import flowscan
from flowscan import traffic
from flowscan.cli.main import program


def rebuilt(lake: Path) -> tuple[str, str]:
    return told("rebuild", lake)


def told(verb: str, lake: Path, *more: str) -> tuple[str, str]:
    words = ("lake", verb, "--lake", str(lake), *more)
    done = CliRunner().invoke(program(words), words)
    assert done.exit_code == 0, done.output
    return done.stdout, done.stderr


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    flowscan.ingest(str(write(low_client_ports(), tmp_path)), tmp_path / "lake")
    return tmp_path / "lake"


def test_what_was_derived_is_said(lake: Path) -> None:
    assert rebuilt(lake) == ("traffic of 1 day derived from 10 flows\n", "")
    assert rebuilt(lake) == ("traffic of 1 day derived from 10 flows\n", "")


def test_a_lost_race_is_said(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("flowscan.traffic.fold")
    derived = module.derived

    def slow(*given: object) -> object:
        """Another writer does the same between the plan of this one and its commit."""
        monkeypatch.setattr(module, "derived", derived)
        traffic.fold(flowscan.Lake.open(lake), again=True)
        return derived(*given)

    monkeypatch.setattr(module, "derived", slow)
    said = "traffic of 1 day is not derived again: another writer changed it meanwhile\n"
    assert rebuilt(lake) == ("", said)
    assert traffic.stale(flowscan.Lake.open(lake).snapshot()) == {}


def test_an_empty_lake(tmp_path: Path) -> None:
    flowscan.Lake.open(tmp_path / "lake", create=True)
    assert rebuilt(tmp_path / "lake") == ("", "no flows yet: flowscan ingest ./logs\n")


def test_status_and_expiry_speak_of_flows(lake: Path) -> None:
    assert "traffic   derived from 0 flows in 0 B, 10 are due" in told("status", lake)[0]
    rebuilt(lake)
    said = told("status", lake)[0]
    assert "traffic   derived from 10 flows in " in said
    assert "due" not in said
    assert " rows" not in said
    body = json.loads(told("status", lake, "--format", "json")[0])
    assert (body["traffic"]["sessions"], body["tables"]) == (5, {})
    said = told("expire", lake, "--older-than", "2026-09-01")[0]
    assert said.startswith("took out 7 files, 10 flows, ")
