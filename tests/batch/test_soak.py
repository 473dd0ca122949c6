"""Cycle after cycle with new, late and repeated objects and random kills: nothing lost or doubled.

The seed is fixed; the kills are as random as the machine's timing. At the end the lake holds
what one ingest of everything would hold, and its ledger says so too.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from itertools import count
from pathlib import Path

import pytest
from estate import Bucket, Estate, Folder, lake_rows
from s3_server import Server

from flowscan.lake import Lake

NUMBERS = count(1)
NOW = int(time.time()) // 300 * 300
ROOT = Path(__file__).parents[2]


def cycle(config: Path, kill_after: float | None) -> int:
    """One `flowscan run` in a process of its own; its exit code, negative when killed."""
    run = subprocess.Popen(
        [sys.executable, "-m", "flowscan", "run", "--config", str(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        _, err = run.communicate(timeout=kill_after)
    except subprocess.TimeoutExpired:
        run.send_signal(signal.SIGKILL)
        _, err = run.communicate()
    assert run.returncode in (0, -signal.SIGKILL), err
    return run.returncode


def change(estate: Estate, chance: random.Random, step: int) -> None:
    """What arrives between two cycles: new objects, late ones, old ones put again."""
    slot = NOW - 24 * 3600 + step * 300
    for _ in range(chance.randrange(1, 6)):
        estate.add(slot, chance.randrange(1, 30))
    if chance.random() < 0.3:
        estate.add(slot - chance.randrange(1, 20) * 3600, chance.randrange(1, 30))
    if chance.random() < 0.3:
        estate.put(chance.choice(list(estate.made)))


def soak(estate: Estate, config: Path, lake: str, cycles: int) -> Counter[int]:
    chance = random.Random(20260801)
    codes: Counter[int] = Counter()
    began = time.monotonic()
    usual = 1.0
    for step in range(cycles):
        change(estate, chance, step)
        kill = chance.uniform(0.3, 1.1) * usual if chance.random() < 0.5 else None
        started = time.monotonic()
        code = cycle(config, kill)
        codes[code] += 1
        if kill is None:
            usual = time.monotonic() - started
    assert cycle(config, None) == 0
    found = lake_rows(Lake.open(lake))
    doubled = [row for row, times in Counter(found).items() if times > 1]
    assert not doubled, f"{len(doubled)} doubled, such as {doubled[:3]}"
    assert found == estate.rows()
    print(json.dumps({"cycles": cycles, "codes": codes, "objects": len(estate.made),
                      "flows": estate.flows, "seconds": round(time.monotonic() - began)}))  # fmt: skip
    return codes


def config_file(folder: Path, source: str, lake: str) -> Path:
    path = folder / "flowscan.toml"
    path.write_text(
        f'[lake]\npath = "{lake}"\n[ingest]\nsources = ["{source}"]\nworkers = 2\n'
        '[run]\nstages = ["ingest", "match", "upkeep"]\nhold = "2s"\n[upkeep]\nevery = "1s"\n'
    )
    return path


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_soak_local(tmp_path: Path) -> None:
    estate = Estate(Folder(tmp_path / "logs"))
    config = config_file(tmp_path, "logs", "lake")
    codes = soak(estate, config, str(tmp_path / "lake"), int(os.environ.get("SOAK_CYCLES", "200")))
    assert codes[-signal.SIGKILL] >= 10


@pytest.mark.slow
@pytest.mark.s3
@pytest.mark.timeout(3600)
def test_soak_s3(s3: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in s3.env.items():
        monkeypatch.setenv(name, value)
    number = next(NUMBERS)
    logs, lake = s3.bucket(f"soak-logs-{number}"), s3.bucket(f"soak-lake-{number}")
    estate = Estate(Bucket(s3.client(), logs))
    config = config_file(tmp_path, f"s3://{logs}", f"s3://{lake}/lake")
    codes = soak(
        estate, config, f"s3://{lake}/lake", int(os.environ.get("SOAK_CYCLES", "200")) // 4
    )
    assert codes[-signal.SIGKILL] >= 3
