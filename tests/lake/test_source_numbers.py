"""Numbers of source objects: unique in a lake whatever races and crashes, whoever draws them."""

from __future__ import annotations

from pathlib import Path

import lake_kit as kit
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowscan.errors import LakeConflict, LakeError
from flowscan.lake import Lake, SourceRecord, checkpoint, layout, numbers
from flowscan.lake.share import Share

BATCH = "20260801T120000Z-0123456789abcdef"


@given(st.lists(st.integers(0, 300_000), unique=True, max_size=20))
def test_a_batch_gives_each_object_another(ordinals: list[int]) -> None:
    given = [numbers.number(BATCH, ordinal) for ordinal in ordinals]
    assert len(set(given)) == len(ordinals)
    assert all(0 <= number < 1 << 53 for number in given)


def test_numbers_stay_what_they_are() -> None:
    """They stand in files that other versions read and add to."""
    assert numbers.number(BATCH, 0) & 0xFFFF == 0
    assert numbers.number(BATCH, 65_535) - numbers.number(BATCH, 0) == 65_535
    assert [numbers.number(BATCH, n) for n in (0, 7, 65_536)] == [
        8_638_176_090_914_816,
        8_638_176_090_914_823,
        5_840_404_513_488_896,
    ]
    assert len(numbers.block_hashes([5, 6, None, 65_536])) == 2


def source(name: str, number: int | None) -> SourceRecord:
    return SourceRecord(name, "e", 1, None, "text", 1, 1, 0, 0, 0, number)


def write(lake: Lake):
    transaction = lake.begin()
    transaction.write_flows(pa.record_batch({"start": pa.array([kit.NOON], pa.int64())}))
    return transaction


def test_a_block_that_is_taken_is_refused(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path / "lake", create=True)
    write(lake).commit([source("a", 3 << 16 | 9)])
    for opened in (lake, Lake.open(tmp_path / "lake")):
        late = write(opened)
        with pytest.raises(LakeConflict, match="numbers") as caught:
            late.commit([source("b", 3 << 16 | 8)])
        assert caught.value.known == ()
        late.abort()
        checkpoint.write(lake.store, lake.fold())  # the second one knows it from there
    write(lake).commit([source("b", 4 << 16 | 8)])
    assert [s.source_id for _, s in lake.state().sources()] == [3 << 16 | 9, 4 << 16 | 8]


def test_two_sources_of_a_commit_have_two_numbers(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path / "lake", create=True)
    transaction = write(lake)
    with pytest.raises(LakeError, match="one number"):
        transaction.commit([source("a", 5), source("b", 5)._replace(records=0, flows=0)])
    transaction.abort()


def test_transactions_number_and_shares_are_told(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path / "lake", create=True)
    transaction = lake.begin()
    assert [transaction.number(uri) for uri in "ab"] == [
        numbers.number(transaction.batch, n) for n in range(2)
    ]
    share = Share(lake, transaction.batch, 5, {"a": 17})
    assert share.number("a") == share.number("a") == 17
    transaction.abort()


def test_columns_come_last(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path / "lake", create=True)
    kit.ingest(lake, ["a"])
    columns = lake.snapshot().columns("flows")
    assert columns[-1] == "source_id"
    assert layout.FORMAT == 2
