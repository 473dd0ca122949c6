"""Flow logs in Parquet, as AWS delivers them and as others convert them → sink.

Invariant: a record means the same as in text: `-`, `None` and the empty string are NULL, the same
ranges hold, and a row that breaks them is a reject. Memory is bounded by a batch of rows, however
large the row groups and however often a long string repeats.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flowscan.errors import RejectedObject
from flowscan.parse.columns import Column, Columns, Reader, taken
from flowscan.parse.header import column_name, columns_of, is_flow_format
from flowscan.parse.holder import Holder
from flowscan.parse.lines import limit
from flowscan.parse.model import (
    MAX_REJECTS,
    MILLISECONDS,
    Data,
    Fed,
    ParseOptions,
    Plan,
    Reject,
    reject_text,
)
from flowscan.parse.sink import Sink
from flowscan.parse.tokens import Ints, Mask
from flowscan.schema import field_for

MAX_OBJECT = 512 << 20
"""A Parquet object is held in memory; AWS's are at most 75 MB."""
MAX_LEAVES = 1024
ROWS = 64 << 10
_NULLS = ("-", "None", "")


def stream(chunks: Iterable[Data], options: ParseOptions, sink: Sink) -> Iterator[None]:
    """Feed all rows of a Parquet object; yields after each batch.

    Raises:
        RejectedObject: not readable, too large, or no flow log.
    """
    file, fields = _open(_whole(chunks))
    plan = Plan(tuple(fields.values()))
    rows = _Rows(plan, options, sink)
    try:
        # one thread: the caller runs a reader for each core already
        batches = file.iter_batches(ROWS, columns=list(fields), use_threads=False)
        for batch in batches:
            rows.feed(batch.select(list(fields)).rename_columns(list(plan.columns)))
            yield
    except (pa.ArrowException, OSError, MemoryError) as e:
        raise RejectedObject(f"Parquet is corrupt: {_first_line(e)}") from None


def _whole(chunks: Iterable[Data]) -> pa.Buffer:
    parts, size = [], 0
    for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size > MAX_OBJECT:
            raise RejectedObject(f"a Parquet object of more than {MAX_OBJECT >> 20} MiB")
    return pa.py_buffer(parts[0] if len(parts) == 1 else b"".join(parts))


def _open(buffer: pa.Buffer) -> tuple[Any, dict[str, str]]:
    """The file, and which of its columns to read under which name."""
    try:
        metadata = pq.read_metadata(pa.BufferReader(buffer))
        if metadata.num_columns > MAX_LEAVES:
            raise RejectedObject(f"not a flow log: Parquet with {metadata.num_columns} columns")
        schema = metadata.schema.to_arrow_schema()
        strings = [f.name for f in schema if _is_text(f.type)]
        # dictionaries: a long string that repeats in every row must not be copied for each
        file = pq.ParquetFile(pa.BufferReader(buffer), read_dictionary=strings)
    except (pa.ArrowException, OSError, MemoryError, UnicodeDecodeError) as e:
        raise RejectedObject(f"Parquet is corrupt: {_first_line(e)}") from None
    return file, _fields(schema)


def _first_line(error: BaseException) -> str:
    text = (str(error).splitlines() or ["?"])[0][:200]
    return "".join(c if " " <= c <= "~" else "?" for c in text)


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return any(
        test(kind)
        for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary,
                     pa.types.is_large_binary)
    )  # fmt: skip


def _readable(kind: pa.DataType) -> bool:
    """Types that a value of a flow log may come in."""
    return (
        _is_text(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_timestamp(kind)
        or pa.types.is_null(kind)
    )


def _fields(schema: pa.Schema) -> dict[str, str]:
    """Columns to read → lake columns.

    Raises:
        RejectedObject: no flow log, or a field of one has a type that cannot be.
    """
    known = [f.name for f in schema if field_for(f.name)]
    if not is_flow_format(column_name(n) for n in known) or 2 * len(known) < len(schema):
        raise RejectedObject("not a flow log: Parquet without the columns of flow logs")
    chosen = {}
    for field in schema:
        if _readable(field.type):
            chosen[field.name] = column_name(field.name)
        elif field.name in known:
            kind = str(field.type).split("<", 1)[0]
            raise RejectedObject(f"the column {column_name(field.name)} is of type {kind}")
    try:
        columns_of(chosen.values())
    except ValueError as e:
        raise RejectedObject(str(e)) from None
    if len(set(schema.names)) < len(schema.names):
        raise RejectedObject("the Parquet schema has a column twice")
    return chosen


class _Rows:
    """Types and judges batches of rows."""

    def __init__(self, plan: Plan, options: ParseOptions, sink: Sink) -> None:
        self.plan = plan
        self.options = options
        self.sink = sink
        self.reader = Reader(plan)
        self.row = 1

    def feed(self, batch: pa.RecordBatch) -> None:
        reasons = np.full(batch.num_rows, -1, np.int16)
        columns: Columns = {}
        for i, name in enumerate(self.plan.columns):
            columns[name], bad = self._typed(name, batch.column(i))
            reasons[bad & (reasons < 0)] = i
        late: Mask = np.zeros(batch.num_rows, np.bool_)
        columns = self.reader.timed(columns, late, self.options.default_time, None)
        fed = Fed(records=batch.num_rows)
        self._reject(batch, columns["start"], reasons, late, fed)
        good = (reasons < 0) & ~late
        holder = Holder(self.reader)
        holder.keep(columns if good.all() else taken(columns, np.flatnonzero(good)), fed)
        self.row += batch.num_rows
        flows, coverage = holder.drain()
        self.sink.batch(flows, coverage, fed)

    def _typed(self, name: str, array: Any) -> tuple[Column, Mask]:
        highest = limit(name)
        array = _plain(array)
        if highest is None:
            texts, bad, rows = _texts(array, name, self.options.max_line)
            codes = self.reader.dictionary.of_texts(texts)
            bad = bad | self.reader.wrong(name, codes)
            return Column(codes[rows]), bad[rows]
        values, bad = _integers(array)
        bad |= ((values < 0) | (values > highest)).fill_null(False).to_numpy()
        if name in ("start", "end"):
            bad |= (values // 1000 >= MILLISECONDS).fill_null(False).to_numpy()
        null = values.is_null().to_numpy() | bad
        return Column(values.fill_null(0).to_numpy(), null), bad

    def _reject(
        self, batch: pa.RecordBatch, start: Column, reasons: Any, late: Mask, fed: Fed
    ) -> None:
        for index in np.flatnonzero((reasons >= 0) | late)[:MAX_REJECTS].tolist():
            row = batch.slice(index, 1).to_pylist()[0]
            text = " ".join("-" if v is None else str(v)[:64] for v in row.values())
            if reasons[index] >= 0:
                reason = f"bad {self.plan.columns[reasons[index]]}"
            else:
                no_time = start.null is not None and start.null[index]
                reason = "no time" if no_time else "end before start"
            shown = reject_text(text.encode("utf-8", "replace"))
            fed.rejects.append(Reject(self.row + index, reason, shown))


def _plain(array: Any) -> Any:
    """Times become epoch seconds, floats that are whole numbers integers."""
    if pa.types.is_timestamp(array.type):
        return array.cast(pa.timestamp("s"), safe=False).cast(pa.int64())
    return array


def _integers(array: Any) -> tuple[pl.Series, Mask]:
    """Values of an integer column, and the rows whose value is no integer."""
    kind = array.type
    none: Mask = np.zeros(len(array), np.bool_)
    if pa.types.is_null(kind):
        return pl.Series([None] * len(array), dtype=pl.Int64), none
    if pa.types.is_floating(kind):
        floats = pl.Series(array.cast(pa.float64())).fill_nan(None)
        whole = (floats.floor() == floats) & (floats.abs() < 2**53)
        bad = (~whole).fill_null(False).to_numpy()
        return floats.set(pl.Series(bad), None).cast(pl.Int64), bad
    if pa.types.is_integer(kind):
        if pa.types.is_uint64(kind):
            bad = pc.fill_null(
                pc.greater(array, pa.scalar(2**63 - 1, pa.uint64())), False
            ).to_numpy(zero_copy_only=False)
            values = pl.Series(array.cast(pa.int64(), safe=False))
            return values, np.array(bad)
        return pl.Series(array.cast(pa.int64())), none
    texts, bad, rows = _texts(array, "", 64)
    digits = texts.str.contains("^[0-9]{1,19}$")
    values = texts.cast(pl.Int64, strict=False)
    wrong = texts.is_not_null() & (~digits | values.is_null())
    return values.set(wrong, None).gather(rows), (bad | wrong.to_numpy())[rows]


def _texts(array: Any, name: str, most: int) -> tuple[pl.Series, Mask, Ints]:
    """Distinct values of a string column, which cannot stand in a flow log, and each row's value.

    They are never put side by side for all rows: one long string may be meant by each of them.
    """
    kind = array.type
    if pa.types.is_floating(kind):
        array = array.cast(pa.int64(), safe=False)  # pandas makes floats of integers with NULLs
        kind = array.type
    if pa.types.is_integer(kind) or pa.types.is_null(kind):
        texts = pl.Series(array.cast(pa.string()))
        bad: Mask = np.zeros(len(array), np.bool_)
        if name == "account_id":
            texts = texts.str.zfill(12)
            bad = (~texts.str.contains("^[0-9]{12}$")).fill_null(False).to_numpy()
        return texts, bad, np.arange(len(array))
    if not pa.types.is_dictionary(kind):
        array = array.dictionary_encode()
    values = [_value(v, most) for v in array.dictionary.cast(pa.large_binary()).to_pylist()]
    values.append(None)  # what NULL rows point at
    rows = pc.fill_null(array.indices.cast(pa.int64()), len(values) - 1).to_numpy()
    texts = pl.Series([v if isinstance(v, str) else None for v in values], dtype=pl.String)
    return texts, np.array([v is False for v in values]), rows


def _value(raw: bytes | None, most: int) -> str | bool | None:
    """A string as it is kept, None for NULL, False when it is no printable ASCII or too long."""
    if raw is None:
        return None
    text = raw.decode("latin-1").strip(" \t")
    if text in _NULLS:
        return None
    return text if len(text) <= most and text.isascii() and text.isprintable() else False
