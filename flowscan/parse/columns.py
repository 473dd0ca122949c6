"""Regular lines → typed columns of NumPy arrays, and which rows must be judged one by one.

Invariant: a row that is not marked bad has exactly the values that `lines` gives it. Strings are
codes of one dictionary, so that a value is checked once, not once a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import polars as pl

from flowscan.parse.dictionary import CODES, Codes, Dictionary
from flowscan.parse.digits import integers
from flowscan.parse.lines import ACTIONS, STATUSES, Value, limit
from flowscan.parse.model import MILLISECONDS, Plan, Times
from flowscan.parse.tokens import LONGEST, Ints, Mask, Tokens
from flowscan.schema import ADDRESS_COLUMNS

_MOST_BYTES = 32 << 20
"""A dictionary that takes more does not live on after a drain."""


class Column(NamedTuple):
    """Integers (int64), or codes of strings (int32) of which 0 is NULL.

    `null` says which integers are NULL (None: none is); what stands in their place has no meaning.
    """

    values: Any
    null: Mask | None = None


Columns: TypeAlias = dict[str, Column]


def taken(columns: Columns, rows: Ints) -> Columns:
    """Rows by their numbers."""
    return {
        name: Column(values.take(rows), None if null is None else null.take(rows))
        for name, (values, null) in columns.items()
    }


def joined(parts: Sequence[Columns]) -> Columns:
    """The rows of all parts (at least one), which have the same columns."""
    if len(parts) == 1:
        return parts[0]
    return {name: _joined([part[name] for part in parts]) for name in parts[0]}


def _joined(parts: Sequence[Column]) -> Column:
    null = None
    if any(part.null is not None for part in parts):
        null = np.concatenate(
            [np.zeros(len(p.values), np.bool_) if p.null is None else p.null for p in parts]
        )
    return Column(np.concatenate([part.values for part in parts]), null)


class Reader:
    """Reads regular text of one plan into the columns of its flows.

    `dictionary` is that of the string columns, whose names are `strings`.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.strings = frozenset(n for n in plan.flow_columns if limit(n) is None)
        self.dictionary = Dictionary()
        kinds = np.array([n in self.strings for n in plan.columns])
        self._texts, self._numbers = np.flatnonzero(kinds), np.flatnonzero(~kinds)
        self._limits = np.array([limit(plan.columns[i]) for i in self._numbers], np.int64)[:, None]

    @property
    def vectorised(self) -> bool:
        """False when the plan has no integer column: then a header could pass for a record."""
        return len(self._numbers) > 0

    def forget(self) -> None:
        """Let go of a dictionary that has grown large: what is read from here on has a new one."""
        if self.dictionary.nbytes > _MOST_BYTES:
            self.dictionary = Dictionary()

    def read(self, tokens: Tokens) -> tuple[Columns, Mask]:
        """Typed columns and the mask of bad rows; the plan is `vectorised`."""
        names = self.plan.columns
        values, null, wrong = integers(tokens, self._numbers)
        over = values > self._limits
        if null is not None:
            over &= ~null
        bad: Mask = np.logical_or.reduce(over if wrong is None else over | wrong)
        columns: Columns = {
            names[i]: Column(values[row], None if null is None else null[row])
            for row, i in enumerate(self._numbers.tolist())
        }
        if len(self._texts):
            codes = self.dictionary.encode(tokens.texts(self._texts)).reshape(-1, len(tokens))
            if tokens.lengths.max() > LONGEST:
                bad |= (tokens.lengths > LONGEST).any(axis=0)
            for row, i in enumerate(self._texts.tolist()):
                columns[names[i]] = Column(codes[row])
                bad |= self.wrong(names[i], codes[row])
        return columns, bad

    def wrong(self, name: str, codes: Codes) -> Any:
        """Which values cannot stand in a string column (False: none)."""
        if name in ADDRESS_COLUMNS:
            return self.dictionary.no_address(codes)
        if name == "action":
            return codes > CODES[ACTIONS[-1]]
        if name == "log_status":
            return (codes > CODES[STATUSES[-1]]) | ((codes > 0) & (codes < CODES[STATUSES[0]]))
        return False

    def timed(self, columns: Columns, bad: Mask, times: Times, lines: Ints | None) -> Columns:
        """Fill in start and end, and mark the rows that have no time or end before they start."""
        start, end = (_seconds(columns.get(name), bad) for name in ("start", "end"))
        if start.null is not None or end.null is not None:
            given = _given(times, lines, len(bad))
            start, end = _first(start, end, given), _first(end, start, given)
        bad |= end.values < start.values
        if start.null is not None:
            bad |= start.null
        columns |= {"start": start, "end": end}
        return {name: columns[name] for name in self.plan.flow_columns}

    def of_values(self, rows: list[list[Value]]) -> Columns:
        """Columns of records that were judged one by one."""
        columns: Columns = {}
        for i, name in enumerate(self.plan.flow_columns):
            values = [row[i] for row in rows]
            if name in self.strings:
                texts = pl.Series(values, dtype=pl.String)
                columns[name] = Column(self.dictionary.of_texts(texts))
            else:
                null = np.array([value is None for value in values])
                columns[name] = Column(np.array([v or 0 for v in values], np.int64), null)
        return columns


def _seconds(times: Column | None, bad: Mask) -> Column:
    """Times in seconds, whether they came in seconds or in milliseconds."""
    if times is None:
        return Column(np.zeros(len(bad), np.int64), np.ones(len(bad), np.bool_))
    values, null = times
    if values.max(initial=0) < MILLISECONDS:
        return times
    values = np.where(values >= MILLISECONDS, values // 1000, values)
    wrong = values >= MILLISECONDS
    bad |= wrong if null is None else wrong & ~null
    return Column(values, null)


def _first(*columns: Column) -> Column:
    """Of each row the first value that is not NULL."""
    values, null = columns[0]
    for other, others_null in columns[1:]:
        if null is None or not null.any():
            return Column(values)
        values = np.where(null, other, values)
        null = None if others_null is None else null & others_null
    return Column(values, null)


def _given(times: Times, lines: Ints | None, height: int) -> Column:
    """Times that the rows have from elsewhere."""
    if isinstance(times, np.ndarray):
        chosen = times[lines] if lines is not None else times[:height]
        return Column(chosen, chosen < 0)
    none = np.full(height, times is None)
    return Column(np.full(height, -1 if times is None else int(times), np.int64), none)
