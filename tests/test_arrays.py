"""Arrow arrays by their buffers, against pyarrow's own functions; and that pandas stays out."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowscan.arrays import (
    MUCH_TEXT,
    boolean_array,
    decoded,
    dictionary_array,
    filled,
    integer_array,
    integers,
    mask_of,
    null_mask,
    picked,
    repeated,
    rows_of,
    string_array,
    string_buffers,
    taken_texts,
)
from flowscan.parse.lines import is_address
from flowscan.parse.quads import all_quads

NUMBERS = st.lists(st.none() | st.integers(-(2**31), 2**31 - 1), max_size=40)
TEXTS = st.lists(st.none() | st.text(max_size=5), max_size=40)


def cut(array: pa.Array, skipped: int) -> pa.Array:
    """The array behind its first values, still in their buffers."""
    return array.slice(min(skipped, len(array)))


@given(NUMBERS, st.integers(0, 20), st.sampled_from([pa.int32(), pa.int64()]))
def test_integers(values: list[int | None], skipped: int, kind: pa.DataType) -> None:
    array = cut(pa.array(values, kind), skipped)
    null = null_mask(array)
    assert filled(array, -7).tolist() == [-7 if v is None else v for v in array.to_pylist()]
    assert (null is None) == (array.null_count == 0)
    assert integer_array(integers(array), null).equals(array)


@given(st.lists(st.booleans(), max_size=40), st.integers(0, 20))
def test_masks(values: list[bool], skipped: int) -> None:
    array = cut(pa.array(values, pa.bool_()), skipped)
    assert mask_of(array).tolist() == array.to_pylist()
    assert boolean_array(mask_of(array)).equals(array)


@given(TEXTS, st.integers(0, 20))
def test_texts(values: list[str | None], skipped: int) -> None:
    column = dictionary_array(values)
    assert column.equals(pa.array(values, pa.string()).dictionary_encode())
    assert decoded(cut(column, skipped)).equals(cut(pa.array(values, pa.string()), skipped))
    known = [v for v in values if v is not None]
    array = cut(string_array(known), skipped)
    assert array.to_pylist() == known[skipped:]
    data, offsets = string_buffers(array)
    ends = offsets.tolist()
    encoded = [v.encode() for v in known[skipped:]]
    assert [bytes(data[a:b]) for a, b in itertools.pairwise(ends)] == encoded


@given(st.lists(st.text(max_size=5), min_size=1), st.lists(st.integers(0, 99)), st.data())
def test_taken_texts(texts: list[str], numbers: list[int], data: st.DataObject) -> None:
    rows = np.array([n % len(texts) for n in numbers], np.int64)
    null = np.array([data.draw(st.booleans()) for _ in numbers], np.bool_)
    wanted = [None if n else texts[r] for r, n in zip(rows, null, strict=True)]
    assert taken_texts(string_array(texts), rows, null).to_pylist() == wanted


def test_much_text_is_taken_in_little_memory() -> None:
    column = dictionary_array(["x" * 1000, None, "y"] * 5000)
    texts = decoded(column)
    texts.validate(full=True)
    assert texts.nbytes > MUCH_TEXT
    assert texts.equals(column.dictionary_decode())
    with pytest.raises(pa.ArrowInvalid):
        decoded(repeated("x" * 60_000, 1 << 16))


@given(NUMBERS, st.data(), st.integers(0, 20))
def test_picked_rows(values: list[int | None], data: st.DataObject, skipped: int) -> None:
    texts = [None if v is None or v % 3 == 0 else str(v % 5) for v in values]
    arrays = [pa.array(values, pa.int64()), dictionary_array(texts), pa.array(texts, pa.string())]
    batch = pa.RecordBatch.from_arrays(arrays, names=["number", "text", "plain"])
    batch = batch.slice(min(skipped, len(values)))
    most = max(batch.num_rows - 1, 0)
    rows = data.draw(st.lists(st.integers(0, most), max_size=40 if batch.num_rows else 0))
    got = picked(batch, np.array(rows, np.int64))
    got.validate(full=True)
    assert got.to_pylist() == [batch.slice(r, 1).to_pylist()[0] for r in rows]


def test_rows_of_a_value() -> None:
    column = dictionary_array(["a", None, "b", "a"])
    assert rows_of(column.indices, np.array([True, False])).tolist() == [True, False, False, True]
    assert repeated("x", 3).to_pylist() == ["x"] * 3


OCTET = st.integers(0, 255).map(str)
NEAR = st.integers(0, 999).map(str) | st.sampled_from(["", "00", "01", "256", "1a", "-1", "٣"])


@given(st.lists(st.lists(OCTET, min_size=4, max_size=4).map(".".join), max_size=20))
def test_quads_are_addresses(texts: list[str]) -> None:
    assert all_quads(string_array(texts))
    assert all_quads(cut(string_array(["", "1.2", *texts]), 2))


@given(st.lists(st.lists(OCTET | NEAR, min_size=3, max_size=5).map(".".join), max_size=3))
def test_what_is_no_address_is_no_quad(texts: list[str]) -> None:
    assert all_quads(string_array(texts)) == all(map(is_address, texts))


@pytest.mark.parametrize(
    "texts",
    [["1.2.3.4.5", "1.2.3"], ["1.2.3", "4.1.2.3.4"], ["1.2.3.", "4"], ["1.2.3.4", "::1"], [""]],
)
def test_dots_of_one_text_do_not_count_for_another(texts: list[str]) -> None:
    assert not all_quads(string_array(texts))


@pytest.mark.parametrize("kernel", ["auto", "arrow"])
def test_ingest_does_not_import_pandas(tmp_path: Path, kernel: str) -> None:
    """Where it is installed, pyarrow imports it at the slightest occasion: a third of a second."""
    (tmp_path / "pandas.py").write_text("raise SystemExit('pandas was imported')\n")
    line = "2 123456789012 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 40 1700000000 1700000060 ACCEPT OK\n"
    idle = "2 123456789012 eni-1 - - - - - - - 1700000000 1700000060 - NODATA\n"
    tomorrow = line.replace(" 1700", " 1701")
    (tmp_path / "flows.log").write_text(line * 100 + tomorrow * 100 + idle)
    program = (
        "import sys\n"
        "from flowscan.ingest import IngestOptions, ingest\n"
        "from flowscan.lake import Lake\n"
        "from flowscan.sources import open_source\n"
        "lake = Lake.open(sys.argv[2], create=True)\n"
        "got = ingest(lake, [open_source(sys.argv[1])], IngestOptions(kernel=sys.argv[3]))\n"
        "print(got.flows, got.nodata)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "flows.log", tmp_path / "lake", kernel],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["200", "1"], done.stderr
