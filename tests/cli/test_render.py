"""Rows on standard output: every column is shown, whatever it is called."""

from __future__ import annotations

import io
import json

import pyarrow as pa
import pytest

from flowscan.cli.render import Format, _write

TWICE = pa.Table.from_arrays(
    [pa.array([1]), pa.array(["x"]), pa.array([3]), pa.array([4])], names=["n", "n", "n_2", "n"]
)


def shown(fmt: Format) -> str:
    stream = io.StringIO()
    _write(TWICE, fmt, stream, None)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("fmt", "text"),
    [
        (Format.csv, "n,n,n_2,n\n1,x,3,4\n"),
        (Format.markdown, "| n | n | n_2 | n |\n| --- | --- | --- | --- |\n| 1 | x | 3 | 4 |\n"),
    ],
)
def test_columns_of_one_name(fmt: Format, text: str) -> None:
    assert shown(fmt).replace("\\_", "_") == text


def test_columns_of_one_name_in_a_table() -> None:
    assert shown(Format.table).split()[-4:] == ["1", "x", "3", "4"]


@pytest.mark.parametrize("fmt", [Format.json, Format.ndjson])
def test_columns_of_one_name_as_keys(fmt: Format) -> None:
    found = json.loads(shown(fmt))
    row = found[0] if fmt is Format.json else found
    assert row == {"n": 1, "n_3": "x", "n_2": 3, "n_4": 4}
