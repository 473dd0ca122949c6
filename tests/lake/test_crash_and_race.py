"""Exactly once, shown by killing and by power cuts at every operation, and by races of four."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import lake_kit as kit
import pytest
from race_child import SOURCES

from flowscan.lake import Lake

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


def start(
    script: str, *arguments: object, env: dict[str, str] | None = None
) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", str(HERE / script), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **(env or {})}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def finish(process: subprocess.Popen[str]) -> str:
    out, error = process.communicate(timeout=900)
    assert process.returncode == 0, error
    return out


def test_killed_at_every_operation_of_an_ingest(ram: Path) -> None:
    operations = int(finish(start("crash_matrix.py", ram, "ingest")))
    assert operations > 100


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_killed_at_every_operation_of_every_kind_of_write(ram: Path) -> None:
    operations = int(finish(start("crash_matrix.py", ram, "everything")))
    assert operations > 500


def test_power_cut_at_every_operation_of_an_ingest(ram: Path) -> None:
    states = int(finish(start("power_loss.py", ram, "ingest")))
    assert states > 500


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_power_cut_at_every_operation_of_every_kind_of_write(ram: Path) -> None:
    states = int(finish(start("power_loss.py", ram, "everything")))
    assert states > 1500


def test_four_processes_ingest_the_same_sources(ram: Path) -> None:
    racers = [start("race_child.py", ram / "lake", seed, 0) for seed in range(4)]
    brought = [int(finish(racer)) for racer in racers]
    assert sum(brought) == len(SOURCES)
    kit.check(ram / "lake", SOURCES)


def test_four_processes_killed_at_random(ram: Path) -> None:
    dice = random.Random(7)
    for _ in range(3):
        racers = [
            start("race_child.py", ram / "lake", seed, dice.randint(20, 700)) for seed in range(4)
        ]
        for racer in racers:
            racer.communicate(timeout=120)
            assert racer.returncode in {0, -9}
    finish(start("race_child.py", ram / "lake", 9, 0))
    kit.check(ram / "lake", SOURCES)


def test_readers_see_whole_commits_only(ram: Path) -> None:
    """While two processes write, every snapshot has exactly its sources' records."""
    lake = Lake.open(ram / "lake", create=True)
    racers = [start("race_child.py", ram / "lake", seed, 0) for seed in range(2)]
    seen = set()
    while any(racer.poll() is None for racer in racers):
        snapshot = Lake.open(ram / "lake").snapshot()
        names = kit.snapshot_names(lake, snapshot)
        assert len(names) == len(set(names)) == snapshot.totals.flows == snapshot.rows("flows")
        seen.add(snapshot.version)
    for racer in racers:
        finish(racer)
    assert len(seen) > 1
