"""Flow logs in Parquet: AWS's, converted ones, and hostile ones."""

from __future__ import annotations

import io
import random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parsing import DEFAULT, LINE, NODATA, SKIPDATA, dictionary_of, run

from flowscan.errors import RejectedObject
from flowscan.parse.arrow_text import ArrowText
from flowscan.parse.model import Plan
from flowscan.schema import BY_NAME, DEFAULT_FORMAT, arrow_schema

NAMES = [n.replace("-", "_") for n in DEFAULT.split()]


def parquet(columns: dict | pa.Table, **options) -> bytes:
    out = io.BytesIO()
    pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), out, **options)
    return out.getvalue()


def aws(lines: list[str]) -> pa.Table:
    """A table as AWS types it."""
    rows = []
    for line in lines:
        tokens = dict(zip(NAMES, line.split(), strict=True))
        rows.append({
            n: None if t == "-" else t if BY_NAME[n].type == "string" else int(t)
            for n, t in tokens.items()
        })  # fmt: skip
    return pa.Table.from_pylist(rows, schema=arrow_schema(NAMES))


LINES = [LINE, NODATA, SKIPDATA, LINE.replace("22 6", "443 6"), LINE.replace("172.31.16.21", "::1")]
OPTIONS = [
    {"compression": "gzip"}, {"use_dictionary": False, "compression": "snappy"},
    {"row_group_size": 2, "compression": "zstd"}, {"data_page_version": "2.0"},
]  # fmt: skip


@pytest.mark.parametrize("options", OPTIONS)
def test_as_aws_delivers_it(options: dict) -> None:
    got = run(parquet(aws(LINES * 50), **options))
    assert got.numbers == (250, 150, 50, 50, 0)
    want = run("\n".join([DEFAULT, *LINES * 50]).encode())
    assert (got.flows, got.coverage) == (want.flows, want.coverage)


def test_rows_are_judged_as_in_text() -> None:
    lines = [
        LINE, LINE.replace("22 6", "70000 6"), LINE.replace("172.31.16.21", "1.2.3"),
        LINE.replace("ACCEPT", "DROP"), LINE.replace("1418530070", "1418530000"),
        LINE.replace("1418530010 1418530070", "- -"), LINE.replace("6 20", "256 20"),
        LINE.replace("1418530010 1418530070", "1418530010000 1418530070000"),
        LINE.replace("1418530010 1418530070", "1418530010 999999999999999"),
    ]  # fmt: skip
    got = run(parquet(aws(lines)))
    want = run("\n".join([DEFAULT, *lines]).encode())
    assert got.flows == want.flows
    assert got.reasons == [(line - 1, reason) for line, reason in want.reasons]
    assert got.numbers == (9, 2, 0, 0, 7)


@pytest.mark.parametrize("kind", ["int8", "int16", "int32", "int64", "uint16", "uint32", "uint64",
                                  "float32", "float64", "string", "large_string", "binary"])  # fmt: skip
def test_integers_come_in_many_types(kind: str) -> None:
    numbers = pa.array([22, None, 7], pa.int64())
    if "string" in kind or kind == "binary":
        numbers = pa.array(["22", "None", "7"]).cast(getattr(pa, kind)())
    else:
        numbers = numbers.cast(getattr(pa, kind)())
    flows = run(parquet({"srcaddr": ["1.1.1.1"] * 3, "start": [5] * 3, "srcport": numbers})).flows
    assert [f["srcport"] for f in flows] == [22, None, 7]


def test_bad_values_of_other_types() -> None:
    table = {
        "srcaddr": ["1.1.1.1"] * 6,
        "start": pa.array([1, 2, 3, 4, 5, 6], pa.timestamp("s")).cast(pa.timestamp("us")),
        "srcport": pa.array([1.0, 1.5, float("nan"), float("inf"), -1.0, 1e300]),
        "bytes": pa.array([1, 2, 3, 4, 5, 2**64 - 1], pa.uint64()),
    }
    got = run(parquet(table))
    assert [f["start"] for f in got.flows] == [1, 3]
    assert [f["srcport"] for f in got.flows] == [1, None]
    assert {r.reason for r in got.rejects} == {"bad srcport"}
    table["srcport"] = pa.array([1] * 6)
    assert run(parquet(table)).reasons == [(6, "bad bytes")]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("interface_id", "x" * 65_537), ("interface_id", "\u00e9"), ("interface_id", "a\x7f"),
        ("packets", "00000000000000000005"), ("packets", "9223372036854775808"), ("packets", "+5"),
        ("packets", "-0"), ("packets", "0x5"), ("packets", 2**64 - 1), ("packets", float("inf")),
    ],
)  # fmt: skip
def test_values_that_text_could_not_have(column: str, value: object) -> None:
    kind = pa.uint64() if isinstance(value, int) else None
    columns = {"srcaddr": ["10.0.0.1"] * 3, "start": [1] * 3}
    good = type(value)(5)
    columns[column] = pa.array([good, value, good], kind)
    got = run(parquet(pa.table(columns)))
    assert got.numbers == (3, 2, 0, 0, 1)
    assert [(r.line, r.reason) for r in got.rejects] == [(2, f"bad {column}")]


def test_account_ids_that_lost_their_zeros() -> None:
    table = {"srcaddr": ["1.1.1.1"] * 3, "start": [5] * 3}
    for ids in ([12345, None, -1], [12345.0, None, -1.0]):
        got = run(parquet(table | {"account_id": ids}))
        assert [f["account_id"] for f in got.flows] == ["000000012345", None]
        assert got.reasons == [(3, "bad account_id")]


def test_nulls_odd_strings_and_unknown_columns() -> None:
    table = {
        "dstaddr": ["1.1.1.1"] * 6,
        "end": [5] * 6,
        "vpc-id": ["-", "None", "", " vpc ", "v\x1bpc", "é"],
        "New-Field": [1, 2, 3, 4, 5, 6],
        "nested": [[1]] * 6,
    }
    got = run(parquet(table))
    assert [f["vpc_id"] for f in got.flows] == [None, None, None, "vpc"]
    assert [f["new_field"] for f in got.flows] == ["1", "2", "3", "4"]
    assert [r.reason for r in got.rejects] == ["bad vpc_id"] * 2
    assert all(r.text.isprintable() for r in got.rejects)


@pytest.mark.parametrize(
    ("why", "table"),
    [
        ("without the columns", {"a": [1], "b": [2]}),
        ("without the columns", {"srcaddr": ["1.1.1.1"], **{f"c{i}": [1] for i in range(9)}}),
        ("with 2000 columns", {f"c{i}": [1] for i in range(2000)}),
        ("column srcport is of type list", {"srcaddr": ["1.1.1.1"], "srcport": [[1]]}),
        ("column start is of type bool", {"srcaddr": ["1.1.1.1"], "start": [True]}),
        ("srcaddr is of type struct", {"srcaddr": [{"a": 1}], "dstaddr": ["x"], "start": [1]}),
        ("field srcaddr twice", {"srcaddr": ["x"], "SrcAddr": ["x"], "start": [1]}),
    ],
)
def test_refused(why: str, table: dict) -> None:
    with pytest.raises(RejectedObject, match=why):
        run(parquet(table))


@pytest.mark.slow
def test_a_hundred_thousand_columns() -> None:
    names = [f"c{i}" for i in range(100_000)]
    schema = pa.schema([(n, pa.int32()) for n in names])
    out = io.BytesIO()
    pq.ParquetWriter(out, schema).close()
    with pytest.raises(RejectedObject, match="100000 columns"):
        run(out.getvalue())


def test_corrupt_bytes_anywhere_are_refused_or_read() -> None:
    """Footer, page headers, pages: whatever is flipped or cut, nothing but RejectedObject."""
    data = parquet(aws(LINES * 20), compression="gzip")
    rng = random.Random(7)
    places = [*range(8), *range(len(data) - 40, len(data)), *rng.sample(range(len(data)), 250)]
    refused = 0
    for at in places:
        bad = bytearray(data)
        bad[at] ^= 1 << rng.randrange(8)
        try:
            run(bytes(bad)).numbers  # noqa: B018 - it asserts
        except RejectedObject:
            refused += 1
    assert refused > 100
    for size in (4, 5, 12, 100, len(data) - 8, len(data) - 1):
        with pytest.raises(RejectedObject, match="Parquet is corrupt"):
            run(data[:size])


def test_no_rows() -> None:
    assert run(parquet(aws([]))).numbers == (0, 0, 0, 0, 0)


VALUES = st.fixed_dictionaries({
    "srcaddr": st.sampled_from([None, "10.0.0.1", "::1", "1.2.3.400", "None", "-", ""]),
    "dstport": st.sampled_from([None, 0, 22, 65535, 65536, -1]),
    "bytes": st.sampled_from([None, 0, 2**63 - 1, -5]),
    "start": st.sampled_from([None, 1_600_000_000, 1_600_000_000_000, 10**14]),
    "end": st.sampled_from([None, 1_600_000_060, 5]),
    "log_status": st.sampled_from([None, "OK", "NODATA", "SKIPDATA", "??"]),
})  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(rows=st.lists(VALUES, min_size=1, max_size=12), time=st.sampled_from([None, 9]))
def test_same_as_text(rows: list[dict], time: int | None) -> None:
    schema = arrow_schema(list(rows[0]))
    got = run(parquet(pa.Table.from_pylist(rows, schema=schema)), default_time=time)
    null = (None, "", "None")
    lines = [
        " ".join("-" if v in null else str(v) for v in (row[n] for n in rows[0])) for row in rows
    ]
    columns = ArrowText(Plan(tuple(rows[0])), max_line=999)
    fed = columns.feed("\n".join(lines).encode(), 1, final=True, times=time)
    flows, coverage = columns.drain()
    assert got.reasons == [(r.line, r.reason) for r in fed.rejects]
    assert (got.flows, got.coverage) == (flows.to_pylist(), coverage.to_pylist())


def test_many_batches_have_one_dictionary() -> None:
    from flowscan.parse import ParseOptions, Sink, parse

    count = 150_000
    table = pa.table({
        "srcaddr": np.array([f"10.{i % 7}.0.1" for i in range(count)]), "start": np.arange(count),
        "interface_id": np.array([f"eni-{i // 50_000}" for i in range(count)]),
    })  # fmt: skip
    sink = Sink()
    for _ in range(2):
        assert len(list(parse([parquet(table)], ParseOptions(), sink))) >= 3
    (flows,) = sink.drain().flows
    assert flows.num_rows == 2 * count
    assert sorted(dictionary_of(flows.column("interface_id"))) == ["eni-0", "eni-1", "eni-2"]
    assert set(DEFAULT_FORMAT) > {"srcaddr"}
