"""Which commits the flows of a day came with: unchanged by compaction, changed by all else."""

from __future__ import annotations

import json
from pathlib import Path

import lake_kit as kit
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowscan.errors import LakeCorrupt
from flowscan.lake import Lake, checkpoint, layout, lineage
from flowscan.lake.compact import compact
from flowscan.lake.expire import expire

DAYS = (kit.TODAY, kit.TODAY + 1)
versions = st.sets(st.integers(1, 60)).map(lambda found: tuple(sorted(found)))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    kit.ingest(Lake.open(tmp_path / "lake", create=True), ["a", "b", "c"], size=1)
    return tmp_path / "lake"


@given(versions)
def test_runs_there_and_back(found: tuple[int, ...]) -> None:
    text = lineage.to_text(found)
    assert lineage.from_text(text, 60) == found
    assert lineage.union([found, (7,), ()]) == tuple(sorted({*found, 7}))


def test_runs_are_short() -> None:
    assert lineage.to_text((*range(1, 6), 7, 9, 10)) == "1-5,7,9-10"


@pytest.mark.parametrize(
    "text", ["0", "1,1", "2,1", "5-4", "1-9", "9", "-1", "1-", "a", " 1", "1,", "1-99999999999"]
)
def test_texts_that_are_no_versions(text: str) -> None:
    with pytest.raises(ValueError):
        lineage.from_text(text, 8)


def test_an_ingest_adds_its_own_version(root: Path) -> None:
    lake = Lake.open(root)
    before = lake.snapshot()
    assert before.lineage(kit.TODAY) == (1, 2, 3)
    kit.ingest(lake, ["d"])
    after = lake.snapshot()
    assert after.lineage(kit.TODAY) == (1, 2, 3, 4)
    assert before.lineage(kit.TODAY) == (1, 2, 3)
    assert before.lineage_digest(kit.TODAY) != after.lineage_digest(kit.TODAY)
    assert after.lineage(5) == ()


def test_compaction_changes_no_lineage(root: Path) -> None:
    lake = Lake.open(root)
    for source in ("d", "e"):
        before = lake.snapshot()
        names = {e.path for e in before.files("flows")}
        assert len(list(compact(lake, now=kit.FAR))) == 2
        after = lake.snapshot()
        assert not names & {e.path for e in after.files("flows")}
        for day in DAYS:
            assert after.lineage(day) == before.lineage(day)
            assert after.lineage_digest(day) == before.lineage_digest(day)
        kit.ingest(lake, [source])


def test_a_window_hides_files_and_no_lineage(root: Path) -> None:
    pruned = Lake.open(root).snapshot(until=kit.NOON)
    assert pruned.files("flows") == ()
    assert pruned.lineage(kit.TODAY) == (1, 2, 3)


def test_expiry_takes_a_days_lineage(root: Path) -> None:
    lake = Lake.open(root)
    list(compact(lake, now=kit.FAR))
    expire(lake, before=(kit.TODAY + 1) * kit.DAY)
    assert lake.snapshot().lineage(kit.TODAY) == ()
    assert lake.snapshot().lineage(kit.TODAY + 1) == (1, 2, 3)


def test_checkpoints_and_other_processes_know_it(root: Path) -> None:
    lake = Lake.open(root)
    list(compact(lake, now=kit.FAR))
    kit.ingest(lake, ["d"])
    expected = [(lake.snapshot().lineage(day), lake.snapshot().lineage_digest(day)) for day in DAYS]
    files = [e.lineage for e in lake.snapshot().files("flows")]
    for written in (False, True):
        if written:
            checkpoint.write(lake.store, lake.fold())
        found = Lake.open(root).snapshot()
        assert [(found.lineage(day), found.lineage_digest(day)) for day in DAYS] == expected
        assert [e.lineage for e in found.files("flows")] == files


def test_the_ledger_says_only_what_is_not_plain(root: Path) -> None:
    lake = Lake.open(root)
    list(compact(lake, now=kit.FAR))
    first = json.loads((root / layout.commit_key(1)).read_text())
    assert all("lineage" not in item for item in first["adds"])
    (compacted,) = json.loads((root / layout.commit_key(4)).read_text())["adds"]
    assert compacted["lineage"] == "1-3"


@pytest.mark.parametrize("text", ["5", "2-1", 7, None, "1-3000000"])
def test_a_ledger_that_names_commits_to_come_is_damaged(root: Path, text: object) -> None:
    list(compact(Lake.open(root), now=kit.FAR))
    commit = root / layout.commit_key(4)
    body = json.loads(commit.read_text())
    body["adds"][0]["lineage"] = text
    if text is None:
        body["adds"][0]["mark"] = "x" * 201
    commit.write_text(json.dumps(body))
    with pytest.raises(LakeCorrupt, match="00000004"):
        Lake.open(root).state()
