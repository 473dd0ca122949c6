"""A lake that cannot be written: who has to write says so first, who only reads answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import low_client_ports, write
from commands import list_strangers

import flowscan
from flowscan.detect import detect
from flowscan.errors import LakeError
from flowscan.lookup import lookup
from flowscan.match import match

NOW = 1_785_900_000


@pytest.fixture
def lake(tmp_path: Path) -> flowscan.Lake:
    """A lake without tables of traffic, on a disk that takes nothing more."""
    case = low_client_ports()
    flowscan.ingest(str(write(case, tmp_path)), tmp_path / "lake")
    list_strangers(case, tmp_path / "lake", tmp_path)

    def refuse(operation: str, key: str) -> None:
        if operation in {"lock", "mkdir", "write", "link", "open"}:
            raise PermissionError(1, "read-only", key)

    lake = flowscan.Lake.open(tmp_path / "lake")
    lake.store.fault = refuse  # type: ignore[attr-defined]
    return lake


@pytest.mark.parametrize("incremental", [False, True])
def test_match_says_it_before_it_works(
    lake: flowscan.Lake, incremental: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(LakeError, match="read-only"):
        match(lake, incremental=incremental, now=NOW)
    assert caplog.text == ""


def test_detect_says_it_before_it_works(
    lake: flowscan.Lake, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(LakeError, match="read-only"):
        detect(lake, now=NOW)
    assert caplog.text == ""


def test_who_only_reads_is_answered(lake: flowscan.Lake, caplog: pytest.LogCaptureFixture) -> None:
    assert match(lake, since=0, now=NOW).rows["bytes"].to_pylist() == [40_000]
    assert "for this answer only" in caplog.text
    assert lookup(lake, "10.0.1.5", now=NOW).activity.bytes_sent == 7_500
