"""`flowscan lake …` as a user types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import lake_kit as kit
import pytest

from flowscan.lake import Lake

ROOT = Path(__file__).parent.parent.parent


def flowscan(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flowscan", "lake", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    kit.ingest(Lake.open(tmp_path / "lake", create=True), ["a", "b", "c"], size=1)
    return tmp_path / "lake"


def test_status(root: Path) -> None:
    shown = flowscan("status", "--lake", root)
    assert shown.returncode == 0, shown.stderr
    for text in ("2026-08-01", "12", "15 flows", "3 NODATA", "3 rejects", "3 refused"):
        assert text in shown.stdout
    assert "traffic   derived from 0 flows in 0 B, 15 are due" in shown.stdout
    body = json.loads(flowscan("status", "--lake", root, "--format", "json").stdout)
    assert (body["flows"], body["totals"]["sources"]) == (15, 3)
    assert [d["flows"] for d in body["dates"]] == [12, 3]
    rows = flowscan("status", "--lake", root, "--format", "csv").stdout.splitlines()
    assert rows[0] == "date,files,flows,bytes,first_start,last_start"


def test_verify_says_what_is_wrong_and_repairs(root: Path) -> None:
    sound = flowscan("verify", "--lake", root, "--full")
    assert (sound.returncode, sound.stdout) == (0, "the lake is sound\n")
    path = kit.live_files(root)[0]
    stray = path.with_name(path.name.replace("-0.", "-7."))
    stray.write_bytes(path.read_bytes())
    found = flowscan("verify", "--lake", root)
    assert found.returncode == 3
    assert f"wrong: {stray.relative_to(root)}: no commit names this file" in found.stdout
    repaired = flowscan("verify", "--lake", root, "--repair")
    assert repaired.returncode == 0
    assert repaired.stdout.startswith(f"repaired: set aside {stray.relative_to(root)}")
    path.unlink()
    assert "the file is missing" in flowscan("verify", "--lake", root).stdout


def test_compact_and_expire(root: Path) -> None:
    shown = flowscan("compact", "--lake", root)
    assert shown.returncode == 0, shown.stderr
    kit.check(root, ["a", "b", "c"])
    gone = flowscan("expire", "--lake", root, "--older-than", "2026-08-02", "--grace", "0h")
    assert gone.returncode == 0, gone.stderr
    assert gone.stdout.startswith("took out 4 files, 12 flows, ")
    assert Lake.open(root).snapshot().rows("flows") == 3
    assert flowscan("expire", "--lake", root, "--older-than", "soon").returncode == 2
    assert "expired   12 flows" in flowscan("status", "--lake", root).stdout


def test_no_lake_is_one_line(tmp_path: Path) -> None:
    for verb in ("status", "verify", "compact"):
        shown = flowscan(verb, "--lake", tmp_path / "none")
        assert shown.returncode == 3
        assert shown.stderr.count("\n") == 1
        assert "no lake here" in shown.stderr
    (tmp_path / "file").write_text("x")
    shown = flowscan("status", "--lake", tmp_path / "file")
    assert shown.returncode == 3
    assert shown.stderr.count("\n") == 1
