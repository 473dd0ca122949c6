"""Which source object each row is of, kept as runs of rows until the rows are given out.

Invariant: the runs stand in the order of the rows, and name every row once.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from flowscan.arrays import integer_array
from flowscan.schema import SOURCE_ID


class Runs:
    """Numbers of source objects, each for so many rows."""

    def __init__(self) -> None:
        self._sources: list[int] = []
        self._rows: list[int] = []

    def add(self, source: int, rows: int) -> None:
        """Note that the next rows are of this source."""
        if not rows:
            return
        if self._sources and self._sources[-1] == source:
            self._rows[-1] += rows
        else:
            self._sources.append(source)
            self._rows.append(rows)

    def number(self, rows: pa.Table) -> pa.Table:
        """The rows with the numbers as their last column; without runs, as they are."""
        if not self._sources:
            return rows
        numbers = np.repeat(np.array(self._sources, np.int64), np.array(self._rows))
        assert len(numbers) == rows.num_rows
        return rows.append_column(SOURCE_ID, integer_array(numbers, None))
