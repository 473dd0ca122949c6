"""No text that came from outside becomes a path that leaves the lake."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flowscan.errors import LakeError
from flowscan.lake import layout
from flowscan.lake.local_store import LocalStore

BATCH = "20260801T120000Z-0123456789abcdef"
HOSTILE = [
    "..", "../x", "/etc/passwd", "flows/../../x", "flows//x", "", ".", "flows/./x", "a\\b", "a\0b",
    "flows/date=2026-08-01/../x.parquet", "%2e%2e/x", "flows/\u202e", "x" * 300, "a b", "a\n",
]  # fmt: skip


@given(st.text() | st.sampled_from(HOSTILE))
@example("flows/date=2026-13-45/" + BATCH + "-0.parquet")
def test_keys_stay_inside(text: str) -> None:
    root = "/lake"
    try:
        pieces = layout.check_key(text)
    except LakeError:
        return
    assert os.path.normpath(f"{root}/{text}") == "/".join([root, *pieces])


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_keys_are_refused_everywhere(text: str, tmp_path: Path) -> None:
    with pytest.raises(LakeError):
        layout.check_key(text)
    store = LocalStore(tmp_path)
    for work in (store.read, store.size, store.delete, store.writer, store.address):
        with pytest.raises(LakeError):
            work(text)
    with pytest.raises(LakeError):
        store.create(text, b"")


@given(st.text(), st.text())
def test_ledger_paths_are_of_their_table(table: str, path: str) -> None:
    with pytest.raises(LakeError):
        layout.check_live(table, path)


@pytest.mark.parametrize(
    ("table", "path"),
    [
        ("flows", f"flows/{BATCH}-0.parquet"),
        ("flows", f"flows/date=2026-02-30/{BATCH}-0.parquet"),
        ("flows", f"flows/date=2026-08-01/{BATCH}-0.parquet/x"),
        ("flows", f"flows/date=2026-08-01/{BATCH}.parquet"),
        ("flows", f"flows/date=2026-08-01/../{BATCH}-0.parquet"),
        ("flows", f"coverage/{BATCH}-0.parquet"),
        ("coverage", f"coverage/date=2026-08-01/{BATCH}-0.parquet"),
        ("nonsense", f"nonsense/{BATCH}-0.parquet"),
        ("_flowscan", f"_flowscan/{BATCH}-0.parquet"),
    ],
)
def test_ledger_paths_that_no_lake_has(table: str, path: str) -> None:
    with pytest.raises(LakeError):
        layout.check_live(table, path)


@given(st.integers(0, layout.LAST_DAY))
def test_dates_go_there_and_back(day: int) -> None:
    path = layout.live_key("flows", BATCH, 3, day)
    assert layout.check_live("flows", path) == path
    assert layout.day_of_path(path) == day
    assert layout.batch_of(path) == BATCH
    for key in (path, layout.staged_key(path), layout.removed_key(path)):
        layout.check_key(key)


@given(st.text())
def test_any_name_of_a_blob_is_only_hashed(name: str) -> None:
    key = layout.blob_key("feed", name)
    assert key.count("/") == 3
    assert layout.check_key(key)


def test_batches_differ() -> None:
    assert len({layout.new_batch() for _ in range(1000)}) == 1000
    assert layout.check_batch(layout.new_batch())
