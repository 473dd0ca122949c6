"""Flow logs in Parquet, as AWS delivers them and as others convert them → sink.

Invariant: a record means the same as in text: `-`, `None` and the empty string are NULL, the same
ranges hold, and a row that breaks them is a reject. Memory is bounded by a batch of rows, however
large the row groups and however often a long string repeats.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flowscan.arrays import (
    Ints,
    Mask,
    boolean_array,
    filled,
    integer_array,
    mask_of,
    picked,
    rows_of,
)
from flowscan.errors import RejectedObject
from flowscan.parse.columns import Columns, Reader, numbers_of, wrong_texts
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
        typed = self.reader.timed(columns, late, self.options.default_time, None)
        fed = Fed(records=batch.num_rows)
        self._reject(batch, typed["start"], reasons, late, fed)
        good = (reasons < 0) & ~late
        holder = Holder(self.reader.schema)
        holder.keep(typed if good.all() else picked(typed, np.flatnonzero(good)), fed)
        self.row += batch.num_rows
        flows, coverage = holder.drain()
        self.sink.table(flows, coverage, fed)

    def _typed(self, name: str, array: Any) -> tuple[Any, Mask]:
        highest = limit(name)
        array = _plain(array)
        if highest is None:
            return _encoded(*_texts(array, name, self.options.max_line), name)
        values, null, bad = _integers(array)
        most = min(highest, 1000 * MILLISECONDS - 1) if name in ("start", "end") else highest
        bad = bad | (~null & ((values < 0) | (values > most)))
        null = null | bad
        typed = integer_array(np.where(null, 0, values), null)
        return typed.cast(self.reader.schema.field(name).type), bad

    def _reject(
        self, batch: pa.RecordBatch, start: Any, reasons: Any, late: Mask, fed: Fed
    ) -> None:
        for index in np.flatnonzero((reasons >= 0) | late)[:MAX_REJECTS].tolist():
            row = batch.slice(index, 1).to_pylist()[0]
            text = " ".join("-" if v is None else str(v)[:64] for v in row.values())
            if reasons[index] >= 0:
                reason = f"bad {self.plan.columns[reasons[index]]}"
            else:
                reason = "end before start" if start[index].is_valid else "no time"
            shown = reject_text(text.encode("utf-8", "replace"))
            fed.rejects.append(Reject(self.row + index, reason, shown))


def _plain(array: Any) -> Any:
    """Times become epoch seconds, floats that are whole numbers integers."""
    if pa.types.is_timestamp(array.type):
        return array.cast(pa.timestamp("s"), safe=False).cast(pa.int64())
    return array


def _integers(array: Any) -> tuple[Ints, Mask, Mask]:
    """Values of an integer column, which rows are NULL, and which hold no integer."""
    kind = array.type
    null = mask_of(array.is_null())
    bad: Mask = np.zeros(len(array), np.bool_)
    if pa.types.is_null(kind):
        return np.zeros(len(array), np.int64), null, bad
    if pa.types.is_floating(kind):
        floats = array.cast(pa.float64()).fill_null(np.nan).to_numpy()
        null = np.isnan(floats)
        whole = (np.floor(floats) == floats) & (np.abs(floats) < 2**53)
        return np.where(whole, floats, 0).astype(np.int64), null, ~(null | whole)
    if pa.types.is_integer(kind):
        # an unsigned one that is too large becomes negative, which none may be
        return filled(array, 0).astype(np.int64), null, bad
    texts, wrong, rows = _texts(array, "", 64)
    found, other = numbers_of(texts)
    numbers = filled(found, 0).copy()
    for i in np.flatnonzero(other).tolist():  # few
        text = texts[i].as_py()
        if text.isdigit() and len(text) <= 19 and int(text) < 2**63:
            numbers[i] = int(text)
        else:
            wrong[i] = True
    return numbers[rows], mask_of(texts.is_null())[rows], wrong[rows]


def _encoded(texts: Any, bad: Mask, rows: Ints, name: str) -> tuple[Any, Mask]:
    """Dictionary column of rows that each mean one of some texts, and which hold a bad one."""
    values = texts.dictionary_encode()
    wrong = wrong_texts(values.dictionary, name)
    if wrong is not None:
        bad = bad | rows_of(values.indices, wrong)
    return values.take(integer_array(rows, None)), bad[rows]


def _texts(array: Any, name: str, most: int) -> tuple[Any, Mask, Ints]:
    """Distinct values of a string column, which cannot stand in a flow log, and each row's value.

    They are never put side by side for all rows: one long string may be meant by each of them.
    """
    kind = array.type
    if pa.types.is_floating(kind):
        array = array.cast(pa.int64(), safe=False)  # pandas makes floats of integers with NULLs
        kind = array.type
    if pa.types.is_integer(kind) or pa.types.is_null(kind):
        texts = array.cast(pa.string())
        bad: Mask = np.zeros(len(array), np.bool_)
        if name == "account_id":
            texts = pc.utf8_lpad(texts, 12, "0")
            accounts = pc.match_substring_regex(texts, "^[0-9]{12}$")
            bad = ~mask_of(accounts.fill_null(True))
        return texts, bad, np.arange(len(array))
    if not pa.types.is_dictionary(kind):
        array = array.dictionary_encode()
    values = array.dictionary.cast(pa.large_binary())
    odd = _odd_values(values, most)
    plain = values.filter(boolean_array(~odd)).cast(pa.string())
    judged = [_value(v, most) for v in values.filter(boolean_array(odd)).to_pylist()]
    kept = [v if isinstance(v, str) else None for v in judged]
    texts = pa.concat_arrays([plain, pa.array([*kept, None], pa.string())])
    bad = np.zeros(len(texts), np.bool_)
    bad[len(plain) : -1] = [v is False for v in judged]
    # where each value went; what is NULL points at the last
    places = np.append(
        np.where(odd, len(plain) + np.cumsum(odd), np.cumsum(~odd)) - 1, len(bad) - 1
    )
    rows = filled(array.indices.cast(pa.int64()), len(values))
    return texts, bad, places[rows]


def _odd_values(values: Any, most: int) -> Mask:
    """Which values are not surely texts as they stand: blank, not ASCII, long, or maybe NULL."""
    _, ends, data = values.buffers()
    offsets = np.frombuffer(ends, np.int64)[values.offset :][: len(values) + 1]
    lengths = np.diff(offsets)
    odd: Mask = (lengths > most) | (lengths <= max(map(len, _NULLS)))
    if len(values):
        first = int(offsets[0])
        text = np.frombuffer(data or b"", np.uint8)[first : int(offsets[-1])]
        at = np.flatnonzero(text - np.uint8(0x21) > 0x7E - 0x21)
        odd[np.searchsorted(offsets[1:] - first, at, side="right")] = True
    return odd


def _value(raw: bytes | None, most: int) -> str | bool | None:
    """A string as it is kept, None for NULL, False when it is no printable ASCII or too long."""
    if raw is None:
        return None
    text = raw.decode("latin-1").strip(" \t")
    if text in _NULLS:
        return None
    return text if len(text) <= most and text.isascii() and text.isprintable() else False
