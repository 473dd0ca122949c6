"""Distinct addresses of flow files, and their text as numbers, a million at a time.

Invariant: `numbers` agrees with `parse_address` on every text. The text stays beside the number,
because the semi-join compares what the file says. Local files give their addresses from the
column dictionaries; a lake that is not local is asked through the engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flowscan.feeds.address import parse_address
from flowscan.feeds.columns import Texts, quads
from flowscan.feeds.intervals import Array, Int64, pack
from flowscan.schema import ADDRESS_COLUMNS

_CHUNK: Final = 1 << 18
_BATCH: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class Numbers:
    """Addresses of one family: values, and their positions in the array of texts."""

    values: Array
    positions: Int64


def numbers(texts: Any) -> dict[int, Numbers]:
    """Values of an Arrow string array, by family; texts that are no address are left out."""
    texts = texts.cast(pa.large_string())
    parts = [_quads(texts.slice(at, _CHUNK)) for at in range(0, len(texts), _CHUNK)]
    values = np.concatenate([p[0] for p in parts]) if parts else np.zeros(0, np.uint32)
    valid = np.concatenate([p[1] for p in parts]) if parts else np.zeros(0, bool)
    where = np.flatnonzero(~valid)
    found: dict[int, tuple[list[int], list[int]]] = {4: ([], []), 6: ([], [])}
    for at, text in zip(where.tolist(), texts.take(pa.array(where)).to_pylist(), strict=True):
        one = parse_address(text) if text is not None else None
        if one is not None:
            found[one[0]][0].append(one[1])
            found[one[0]][1].append(at)
    four = Numbers(
        np.concatenate([values[valid], pack(4, found[4][0])]),
        np.concatenate([np.flatnonzero(valid), np.array(found[4][1], np.int64)]),
    )
    return {4: four, 6: Numbers(pack(6, found[6][0]), np.array(found[6][1], np.int64))}


def _quads(texts: Any) -> tuple[Array, Array]:
    """Read strict dotted quads: values, and which are valid."""
    value, valid = quads(Texts.of_arrow(texts))
    if texts.null_count:
        valid &= ~np.asarray(texts.is_null())
    return value, valid


@dataclass(frozen=True, slots=True)
class FileAddresses:
    """Dictionaries of the address columns of one file."""

    uri: str
    dictionaries: tuple[Any, ...]

    def holds(self, texts: Any) -> bool:
        """Tell whether the file has one of these texts in an address column."""
        return any(
            bool(pc.any(pc.is_in(one, value_set=texts)).as_py()) for one in self.dictionaries
        )


def is_local(uris: Sequence[str]) -> bool:
    """Tell whether all files can be opened by path."""
    return not any("://" in uri for uri in uris)


def of_files(files: Iterable[tuple[str, Sequence[str]]]) -> Iterator[list[FileAddresses]]:
    """Column dictionaries of local Parquet files (path, columns), in batches of some million."""
    batch: list[FileAddresses] = []
    size = 0
    for uri, columns in files:
        one = _of_file(uri, [name for name in ADDRESS_COLUMNS if name in columns])
        batch.append(one)
        size += sum(len(d) for d in one.dictionaries)
        if size >= _BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _of_file(uri: str, columns: list[str]) -> FileAddresses:
    found = []
    with pq.ParquetFile(uri, read_dictionary=columns, memory_map=True) as file:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=columns)
            for column in table.columns:
                found += [c.dictionary for c in column.chunks if len(c.dictionary)]
    return FileAddresses(uri, tuple(found))


def distinct(batch: Sequence[FileAddresses]) -> Any:
    """Distinct texts of a batch as one Arrow string array."""
    every = [one for file in batch for one in file.dictionaries]
    return pc.unique(pa.chunked_array(every, pa.string())) if every else pa.array([], pa.string())
