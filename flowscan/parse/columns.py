"""Regular lines → typed Arrow columns, and which rows must be judged one by one.

Invariant: a row that is not marked bad has exactly the values that `lines` gives it. Strings are
dictionaries, so that a value is checked once a block, not once a row.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc_csv

from flowscan.arrays import (
    Ints,
    Mask,
    filled,
    integer_array,
    integers,
    mask_of,
    null_mask,
    rows_of,
    string_buffers,
)
from flowscan.parse.lines import ACTIONS, STATUSES, is_address, limit
from flowscan.parse.model import MILLISECONDS, Data, Plan, Times, flow_schema
from flowscan.parse.quads import all_quads
from flowscan.schema import ADDRESS_COLUMNS

Columns: TypeAlias = dict[str, Any]
"""Arrow arrays by column name, of the types of `model.flow_schema`."""

_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_QUAD = rf"^{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}$"
_ONE_OF = {"action": ACTIONS, "log_status": STATUSES}
_DIGITS = "^[0-9]{1,18}$"
_UNSIGNED = {pa.int32(): pa.uint32(), pa.int64(): pa.uint64()}
_LARGE = 10**13
"""A number of more than 19 digits is no int64, or begins with 7 zeros, or is that large."""


class Reader:
    """Reads regular text of one plan into the columns of its flows."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.schema = flow_schema(plan.flow_columns)
        self._limits = {n: most for n in plan.columns if (most := limit(n)) is not None}
        self._strings = [n for n in plan.columns if n not in self._limits]
        strings = {n: self._type(n) for n in self._strings}
        # Arrow takes -0 for a number, but not for an unsigned one
        self._unsigned = strings | {n: _UNSIGNED[self._type(n)] for n in self._limits}
        self._texts = strings | dict.fromkeys(self._limits, pa.string())

    @property
    def vectorised(self) -> bool:
        """False when the plan has no integer column: then a header could pass for a record."""
        return bool(self._limits)

    def read(self, text: Data, *, careful: bool) -> tuple[Columns, Mask] | None:
        """Typed columns and the mask of bad rows; the plan is `vectorised`.

        None when there are lines that have not the right number of fields. What Arrow takes for a
        number needs a `careful` reading where the text has odd ones (see `blocks.Block`).
        """
        try:
            read = None if careful else self._fast(text)
            columns, bad = read or self._careful(text)
        except _Uneven:
            return None
        for name in self._strings:
            wrong = wrong_texts(columns[name].dictionary, name)
            if wrong is not None:
                bad |= rows_of(columns[name].indices, wrong)
        return columns, bad

    def _fast(self, text: Data) -> tuple[Columns, Mask] | None:
        """Integers read as such; None when some are not, or may have too many digits."""
        columns = self._csv(text, self._unsigned)
        if columns is None:
            return None
        bad: Mask = np.zeros(len(columns[self.plan.columns[0]]), np.bool_)
        for name, most in self._limits.items():
            # NULL has a zero in its place; anything larger would only send it the careful way
            high = int(integers(columns[name]).max(initial=0))
            if high >= _LARGE:
                return None
            if high > most:
                bad |= _over(columns[name], most)
            columns[name] = columns[name].view(self._type(name))
        return columns, bad

    def _careful(self, text: Data) -> tuple[Columns, Mask]:
        """Integers read as strings first, and the mask of those that are none."""
        columns = self._csv(text, self._texts)
        assert columns is not None
        bad: Mask = np.zeros(len(columns[self.plan.columns[0]]), np.bool_)
        for name, most in self._limits.items():
            numbers, other = numbers_of(columns[name])
            bad |= other | _over(numbers, most)
            # what does not fit was marked as bad and has no meaning
            columns[name] = numbers.cast(self._type(name), safe=False)
        return columns, bad

    def _csv(self, text: Data, types: dict[str, pa.DataType]) -> Columns | None:
        """Columns as Arrow reads them; None when a number is none.

        Raises:
            _Uneven: there are lines that have not the right number of fields.
        """
        uneven = False

        def refuse(row: object) -> str:
            nonlocal uneven
            uneven = True
            return "error"

        try:
            table = pc_csv.read_csv(
                pa.BufferReader(pa.py_buffer(text)),
                # one block, in this thread: the caller runs a reader for each core already
                read_options=pc_csv.ReadOptions(
                    use_threads=False, block_size=len(text) + 1, column_names=self.plan.columns
                ),
                parse_options=pc_csv.ParseOptions(
                    delimiter=self.plan.delimiter.decode(),
                    quote_char=False,
                    invalid_row_handler=refuse,
                ),
                convert_options=pc_csv.ConvertOptions(
                    column_types=types,
                    null_values=["-"] if self.plan.delimiter == b" " else ["-", ""],
                    strings_can_be_null=True,
                    check_utf8=False,
                ),
            )
        except pa.ArrowInvalid:
            if uneven:
                raise _Uneven from None
            return None
        return {n: _whole(table[n]) for n in self.plan.columns}

    def _type(self, name: str) -> pa.DataType:
        return self.schema.field(name).type

    def timed(self, columns: Columns, bad: Mask, times: Times, lines: Ints | None) -> Any:
        """Record batch with start and end filled in.

        Marks the rows that have no time or end before they start.
        """
        start, end = (_seconds(columns.get(name), bad) for name in ("start", "end"))
        if start.null is not None or end.null is not None:
            given = _given(times, lines, len(bad))
            start, end = _first(start, end, given), _first(end, start, given)
        bad |= end.values < start.values
        if start.null is not None:
            bad |= start.null
        columns |= {"start": start.array(), "end": end.array()}
        arrays = [columns[name] for name in self.schema.names]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


class _Uneven(Exception):  # noqa: N818 - no mistake, a signal inside this module
    """There are lines that have not the right number of fields."""


class _Times(NamedTuple):
    """Times as int64; `null` says which are NULL (None: none is)."""

    values: Ints
    null: Mask | None = None

    def array(self) -> pa.Array:
        return integer_array(self.values, self.null)


def wrong_texts(texts: pa.StringArray, column: str) -> Mask | None:
    """Which distinct values cannot stand in a string column (None: none is)."""
    wrong: Mask
    if column in ADDRESS_COLUMNS:
        if all_quads(texts):
            return None
        import pyarrow.compute as pc  # takes a while to load, and is rarely needed

        wrong = ~mask_of(pc.match_substring_regex(texts, _QUAD))
        for i in np.flatnonzero(wrong).tolist():
            wrong[i] = not is_address(texts[i].as_py())
    elif column in _ONE_OF:
        known = [text in _ONE_OF[column] for text in texts.to_pylist()]
        wrong = ~np.array(known, np.bool_)
    else:
        wrong = np.diff(string_buffers(texts)[1]) == 0
    return wrong if wrong.any() else None


def numbers_of(texts: pa.StringArray) -> tuple[pa.Int64Array, Mask]:
    """Texts of up to 18 digits as numbers, which surely fit; and which are something else.

    The others are NULL, as NULL is, which is nothing else.
    """
    import pyarrow.compute as pc

    digits = pc.match_substring_regex(texts, _DIGITS).fill_null(True)
    return pc.if_else(digits, texts, None).cast(pa.int64()), ~mask_of(digits)


def _over(column: pa.Array, most: int) -> Mask:
    """Which rows hold a larger number."""
    rows: Mask = filled(column, 0) > most
    return rows


def _seconds(times: pa.Int64Array | None, bad: Mask) -> _Times:
    """Times in seconds, whether they came in seconds or in milliseconds."""
    if times is None:
        return _Times(np.zeros(len(bad), np.int64), np.ones(len(bad), np.bool_))
    null, values = null_mask(times), filled(times, 0)
    if values.max(initial=0) < MILLISECONDS:
        return _Times(values, null)
    values = np.where(values >= MILLISECONDS, values // 1000, values)
    bad |= values >= MILLISECONDS
    return _Times(values, null)


def _first(*columns: _Times) -> _Times:
    """Of each row the first value that is not NULL."""
    values, null = columns[0]
    for other, others_null in columns[1:]:
        if null is None or not null.any():
            return _Times(values)
        values = np.where(null, other, values)
        null = None if others_null is None else null & others_null
    return _Times(values, null)


def _given(times: Times, lines: Ints | None, height: int) -> _Times:
    """Times that the rows have from elsewhere."""
    if isinstance(times, np.ndarray):
        chosen = times[lines] if lines is not None else times[:height]
        return _Times(chosen, chosen < 0)
    none = np.full(height, times is None)
    return _Times(np.full(height, -1 if times is None else int(times), np.int64), none)
