"""Regular lines → typed Polars columns, and which of them must be judged one by one.

Invariant: a row that is not marked bad has exactly the values that `lines` gives it. Strings are
categorical over one dictionary per column, so that a value is checked once, not once a row.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from flowscan.parse.blocks import Ints, Mask
from flowscan.parse.lines import ACTIONS, STATUSES, Value, is_address, limit
from flowscan.parse.model import MILLISECONDS, Plan, Times
from flowscan.schema import ADDRESS_COLUMNS, BY_NAME

_TYPES = {"int32": pl.Int32(), "int64": pl.Int64(), "string": pl.String()}
_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_QUAD = rf"^{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}$"
_CODES = {"action": ACTIONS, "log_status": STATUSES}
_ZEROS, _LARGE = b"0" * 7, 10**13
"""A number of more than 19 digits is no int64, or begins with 7 zeros, or is that large."""


class Dictionary:
    """The distinct values of one string column since the last drain, and which are bad."""

    def __init__(self, column: str) -> None:
        self.type = pl.Categorical(pl.Categories.random())
        # Polars forgets the values when no column uses them any more
        self._alive = pl.Series([], dtype=self.type)
        self._column = column
        self._checked = column in ADDRESS_COLUMNS or column in _CODES
        self.bad: Mask = np.zeros(0, np.bool_)
        self._any = False
        self.codes: dict[str, int] = {}
        """Codes of action and log_status values."""

    def cast(self, texts: pl.Series) -> tuple[pl.Series, Mask | None]:
        """Encode a column; the mask says which rows hold a bad value (None: none does)."""
        column = texts.cast(self.type)
        return column, self.check(texts, column.to_physical())

    def check(self, texts: pl.Series, codes: pl.Series) -> Mask | None:
        """Which rows hold a bad value, by the codes of an encoded column (None: none does)."""
        if not self._checked:
            return None
        top = codes.max()
        if isinstance(top, int) and top >= len(self.bad):
            self._learn(texts, codes, top + 1)
        if not self._any:
            return None
        mask: Mask = self.bad[codes.fill_null(0).to_numpy()] & codes.is_not_null().to_numpy()
        return mask

    def _learn(self, texts: pl.Series, codes: pl.Series, size: int) -> None:
        """Judge the values that came with this column."""
        seen = len(self.bad)
        fresh = pl.DataFrame({"code": codes, "text": texts}).filter(pl.col("code") >= seen)
        fresh = fresh.unique("code")
        self.bad = np.concatenate((self.bad, np.zeros(size - seen, np.bool_)))
        self.bad[fresh["code"].to_numpy()] = self._judge(fresh["text"])
        self._any = bool(self.bad.any())
        if self._column in _CODES:
            self.codes.update(zip(fresh["text"], fresh["code"], strict=True))

    def _judge(self, fresh: pl.Series) -> Mask:
        if self._column in _CODES:
            return ~np.isin(np.asarray(fresh.to_list(), object), _CODES[self._column])
        bad = ~fresh.str.contains(_QUAD).to_numpy()
        for i in np.flatnonzero(bad):
            bad[i] = not is_address(fresh[int(i)])
        mask: Mask = bad
        return mask


class Reader:
    """Reads regular text of one plan into frames with the columns of its flows."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        names = plan.flow_columns
        self.types = {n: _TYPES[BY_NAME[n].type if n in BY_NAME else "string"] for n in names}
        self._integers = [n for n in plan.columns if self.types[n] != pl.String()]
        self.reset()

    @property
    def vectorised(self) -> bool:
        """False when the plan has no integer column: then a header could pass for a record."""
        return bool(self._integers)

    def reset(self) -> None:
        """Forget the dictionaries: what is read from here on has new ones."""
        strings = [n for n, t in self.types.items() if t == pl.String()]
        self.dictionaries = {n: Dictionary(n) for n in strings}

    def read(self, text: bytes, *, careful: bool) -> tuple[pl.DataFrame, Mask] | None:
        """Typed columns and the mask of bad rows; None when the text needs a `careful` reading.

        The careful reading takes the text as strings first, and never fails on clean lines.
        """
        types = {n: self.types[n] for n in self.plan.columns}
        if careful:
            frame = self._csv(text, dict.fromkeys(types, pl.String()))
            bad = self._integers_of_strings(frame)
            frame = frame.with_columns(
                pl.col(n).cast(types[n], strict=False) for n in self._integers
            )
        else:
            if self._padded(text):
                return None
            try:
                frame = self._csv(text, types)
            except pl.exceptions.PolarsError:
                return None
            bad = np.zeros(frame.height, np.bool_)
        if not self._in_range(frame, bad, careful=careful):
            return None
        return self._encoded(frame, bad), bad

    def _padded(self, text: bytes) -> bool:
        """Whether some token begins with so many zeros that it may be too long."""
        if text.startswith(_ZEROS):
            return True
        at = text.find(_ZEROS)
        while at >= 0:
            if text[at - 1] in b" ,\n":
                return True
            at = text.find(_ZEROS, at + len(_ZEROS))
        return False

    def _csv(self, text: bytes, types: dict[str, Any]) -> pl.DataFrame:
        return pl.read_csv(
            text,
            has_header=False,
            separator=self.plan.delimiter.decode(),
            quote_char=None,
            null_values="-",
            schema=types,
            raise_if_empty=False,
        )

    def _integers_of_strings(self, frame: pl.DataFrame) -> Mask:
        bad = np.zeros(frame.height, np.bool_)
        for n in self._integers:
            texts = frame[n]
            digits = (
                texts.str.contains("^[0-9]{1,19}$")
                & texts.cast(self.types[n], strict=False).is_not_null()
            )
            # NULL is no number, and in order
            bad |= ~(digits | texts.is_null()).to_numpy()
        return bad

    def _in_range(self, frame: pl.DataFrame, bad: Mask, *, careful: bool) -> bool:
        """Mark values out of range; False when they might be numbers of too many digits."""
        if not self._integers or not frame.height:
            return True
        highs = frame.select(pl.col(self._integers).max()).row(0)
        for n, high in zip(self._integers, highs, strict=True):
            if high is None:
                continue
            if high >= _LARGE and not careful:
                return False
            most = limit(n)
            assert most is not None
            if high > most:
                bad |= (frame[n] > most).fill_null(False).to_numpy()
        return True

    def _encoded(self, frame: pl.DataFrame, bad: Mask) -> pl.DataFrame:
        known = {n: d for n, d in self.dictionaries.items() if n in frame.columns}
        # in one call, so that Polars encodes the columns side by side
        encoded = frame.with_columns(pl.col(n).cast(d.type) for n, d in known.items())
        for n, dictionary in known.items():
            wrong = dictionary.check(frame[n], encoded[n].to_physical())
            if wrong is not None:
                bad |= wrong
        return encoded

    def timed(self, frame: pl.DataFrame, bad: Mask, times: Times, lines: Ints | None) -> Any:
        """Fill in start and end, and mark the rows that have no time or end before they start."""
        names = [n for n in ("start", "end") if n in frame.columns]
        highs = frame.select(pl.col(names).max()).row(0) if names and frame.height else ()
        if any(high is not None and high >= MILLISECONDS for high in highs):
            frame = frame.with_columns(
                pl.when(pl.col(n) >= MILLISECONDS).then(pl.col(n) // 1000).otherwise(pl.col(n))
                for n in names
            )
            for n in names:
                bad |= (frame[n] >= MILLISECONDS).fill_null(False).to_numpy()
        if len(names) == 2 and not any(frame[n].null_count() for n in names):
            bad |= (frame["end"] < frame["start"]).to_numpy()
            return frame
        given = _given(times, lines, frame.height)
        found = [pl.col(n) for n in names]
        frame = frame.with_columns(given.alias("#given")).with_columns(
            pl.coalesce([*found, pl.col("#given")]).alias("start"),
            pl.coalesce([*found[::-1], pl.col("#given")]).alias("end"),
        )
        wrong = frame["start"].is_null() | (frame["end"] < frame["start"])
        bad |= wrong.fill_null(True).to_numpy()
        return frame.select(list(self.types))

    def of_values(self, rows: list[list[Value]]) -> pl.DataFrame:
        """A frame of records that were judged one by one."""
        frame = pl.DataFrame(rows, schema=self.types, orient="row")
        return frame.with_columns(d.cast(frame[n])[0] for n, d in self.dictionaries.items())


def _given(times: Times, lines: Ints | None, height: int) -> pl.Series:
    if isinstance(times, np.ndarray):
        chosen = pl.Series(times[lines] if lines is not None else times[:height], dtype=pl.Int64)
        return chosen.set(chosen < 0, None)
    return pl.Series([times], dtype=pl.Int64).new_from_index(0, height)
