"""Arrow's arrays from and to NumPy's, by their buffers.

Invariant: nothing here calls `pa.array`, `pa.scalar` or an array's `to_numpy`: where pandas is
installed they import it, which takes as long as to read half a million lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]
Integers: TypeAlias = npt.NDArray[np.signedinteger[Any]]

MUCH_TEXT = 4 << 20
"""To take more is left to Arrow: what it needs (pyarrow.compute) is slow to load, but NumPy takes
16 bytes of memory for each of these."""


def integer_array(values: Integers, null: Mask | None) -> pa.Array:
    """Arrow array of the same integers, with NULL where the mask says so."""
    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, len(values), [_valid(null), pa.py_buffer(values)])


def _valid(null: Mask | None) -> pa.Buffer | None:
    """Bitmap of the rows that are not NULL, None when all are."""
    if null is None or not null.any():
        return None
    return pa.py_buffer(np.packbits(~null, bitorder="little"))


def boolean_array(mask: Mask) -> pa.Array:
    """Arrow array of a mask, to filter by."""
    bits = pa.py_buffer(np.packbits(mask, bitorder="little"))
    return pa.Array.from_buffers(pa.bool_(), len(mask), [None, bits])


def string_array(texts: Sequence[str]) -> pa.StringArray:
    """Arrow array of texts."""
    data = [text.encode() for text in texts]
    ends = np.cumsum([0, *map(len, data)], dtype=np.int32)
    return pa.StringArray.from_buffers(len(data), pa.py_buffer(ends), pa.py_buffer(b"".join(data)))


def dictionary_array(texts: Sequence[str | None]) -> pa.DictionaryArray:
    """Texts as a dictionary column; None is NULL."""
    numbers: dict[str, int] = {}
    rows = [0 if text is None else numbers.setdefault(text, len(numbers)) for text in texts]
    null: Mask = np.array([text is None for text in texts], np.bool_)
    indices = integer_array(np.array(rows, np.int32), null)
    return pa.DictionaryArray.from_arrays(indices, string_array(list(numbers)), safe=False)


def repeated(text: str, rows: int) -> pa.DictionaryArray:
    """One text on every row, as a dictionary column."""
    indices = integer_array(np.zeros(rows, np.int32), None)
    return pa.DictionaryArray.from_arrays(indices, string_array([text]))


def decoded(column: pa.DictionaryArray) -> pa.StringArray:
    """The texts of a dictionary column, row by row."""
    texts = column.dictionary
    if not len(texts):
        return pa.nulls(len(column), pa.string())
    return taken_texts(texts, filled(column.indices, 0), null_mask(column.indices))


def mask_of(booleans: pa.BooleanArray) -> Mask:
    """NumPy's mask of Arrow's booleans, none of them NULL."""
    return _bits(booleans, 1)


def null_mask(array: pa.Array) -> Mask | None:
    """Which rows are NULL (None: none is)."""
    return ~_bits(array, 0) if array.null_count else None


def _bits(array: pa.Array, buffer: int) -> Mask:
    """A bitmap of an array: 0 is that of the values that are not NULL, 1 that of booleans."""
    if not len(array):
        return np.zeros(0, np.bool_)
    first, skipped = divmod(array.offset, 8)
    held = np.frombuffer(array.buffers()[buffer], np.uint8, offset=first)
    bits = np.unpackbits(held, count=skipped + len(array), bitorder="little")
    return bits[skipped:].view(np.bool_)


def integers(array: pa.Array) -> Integers:
    """The integers of an array without a copy; where it is NULL, whatever its buffer holds."""
    kind = np.dtype(str(array.type))
    if not len(array):
        return np.zeros(0, kind)
    return np.frombuffer(array.buffers()[1], kind, len(array), array.offset * kind.itemsize)


def filled(array: pa.Array, instead: int) -> Integers:
    """The integers of an array, with another one instead of NULL."""
    null = null_mask(array)
    values = integers(array)
    return values if null is None else np.where(null, values.dtype.type(instead), values)


def string_buffers(texts: pa.StringArray) -> tuple[npt.NDArray[np.uint8], Integers]:
    """The bytes of all texts, and the offsets between which each has its own."""
    _, ends, data = texts.buffers()
    if not len(texts):
        return np.zeros(0, np.uint8), np.zeros(1, np.int32)
    offsets = np.frombuffer(ends, np.int32, len(texts) + 1, 4 * texts.offset)
    held = np.frombuffer(data or b"", np.uint8)[offsets[0] : offsets[-1]]
    return held, offsets - offsets[0]


def taken_texts(texts: pa.StringArray, rows: Integers, null: Mask | None) -> pa.StringArray:
    """The texts with some numbers, NULL where the mask says so; none of the texts is NULL.

    Raises:
        pyarrow.ArrowInvalid: they have more than 2 GiB.
    """
    data, offsets = string_buffers(texts)
    starts, lengths = offsets[:-1].take(rows), np.diff(offsets).take(rows)
    if null is not None:
        lengths[null] = 0
    if lengths.sum(dtype=np.int64) > MUCH_TEXT:
        return texts.take(integer_array(rows, null))
    ends = np.cumsum(np.append(0, lengths), dtype=np.int32)
    bytes_ = np.arange(ends[-1]) + np.repeat(starts - ends[:-1], lengths)
    buffers = pa.py_buffer(ends), pa.py_buffer(data.take(bytes_)), _valid(null)
    return pa.StringArray.from_buffers(len(rows), *buffers)


def rows_of(indices: pa.Int32Array, values: Mask) -> Mask:
    """Which rows of a dictionary column have one of the values that the mask names; NULL none."""
    rows: Mask = np.append(values, False)[filled(indices, len(values))]
    return rows


def picked(batch: pa.RecordBatch, rows: Ints) -> pa.RecordBatch:
    """The rows of a batch by their numbers: four times as fast as Arrow's own `filter`.

    Columns are integers or dictionaries with indices of int32; any others are left to Arrow.
    """
    arrays = [_picked(array, rows) for array in batch.columns]
    return pa.RecordBatch.from_arrays(arrays, schema=batch.schema)


def _picked(array: pa.Array, rows: Ints) -> pa.Array:
    if pa.types.is_dictionary(array.type):
        indices = _picked(array.indices, rows)
        return pa.DictionaryArray.from_arrays(indices, array.dictionary, safe=False)
    if not pa.types.is_integer(array.type):
        return array.take(integer_array(rows, None))
    null = null_mask(array)
    return integer_array(integers(array).take(rows), None if null is None else null.take(rows))
