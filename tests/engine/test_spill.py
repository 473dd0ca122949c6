"""What does not fit into memory goes to a folder, which ends with the engine."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from flowscan.engine import Engine
from flowscan.errors import EngineError
from flowscan.lake import Lake


@pytest.fixture
def spill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def used(folder: Path) -> int:
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())


def test_large_tables_spill_and_leave_nothing(samples: Lake, spill: Path) -> None:
    with Engine(samples.snapshot(), memory_limit="150MB", threads=2) as engine:
        engine.make("large", "SELECT md5(CAST(x AS VARCHAR)) AS k FROM range(6000000) AS t(x)")
        assert engine.execute("SELECT count(DISTINCT k) AS n FROM large").to_pylist() == [
            {"n": 6_000_000}
        ]
        assert used(spill) > 50_000_000
    assert list(spill.iterdir()) == []


def test_an_engine_that_does_not_open_leaves_nothing(samples: Lake, spill: Path) -> None:
    with pytest.raises(EngineError):
        Engine(samples.snapshot(), memory_limit="much")
    assert list(spill.iterdir()) == []


def test_without_a_folder_to_write_it_works_in_memory(
    samples: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere/to/write")
    with Engine(samples.snapshot()) as engine:
        assert engine.query("SELECT count(*) AS n FROM flows").to_pylist()[0]["n"] > 0
