"""Distinct addresses of flow files, as the files spell them: the semi-join compares texts.

Local files give their addresses from the column dictionaries; a lake that is not local is asked
through the engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flowscan.schema import ADDRESS_COLUMNS

_BATCH: Final = 4_000_000


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
