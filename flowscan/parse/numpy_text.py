"""Text lines → typed columns with NumPy: what reads text where the kernel was not compiled.

Invariant: same rows, counts and rejects as `lines.LineParser` line by line. Clean lines are read
by whole-array operations; only suspects are judged one by one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from flowscan.parse.blocks import Block
from flowscan.parse.columns import Columns, Reader, joined, taken
from flowscan.parse.holder import Holder
from flowscan.parse.lines import LineParser, Value
from flowscan.parse.model import (
    MAX_REJECTS,
    Data,
    Fed,
    Plan,
    Reject,
    Times,
    reject_text,
)
from flowscan.parse.tokens import Ints, Mask

SMALL = 64
"""Blocks of fewer lines are read line by line: it takes less time than to set the reader up."""


@dataclass(slots=True)
class _Judged:
    """Suspects after they were judged one by one."""

    flows: list[list[Value]] = field(default_factory=list)
    flow_lines: list[int] = field(default_factory=list)
    idle: list[list[Value]] = field(default_factory=list)
    idle_lines: list[int] = field(default_factory=list)
    stop: int | None = None
    """The line at which the block was left for a header of another format."""


class NumpyText:
    """See `model.TextColumns`."""

    def __init__(self, plan: Plan, *, max_line: int, small: int = SMALL) -> None:
        self.plan = plan
        self._small = small
        self._max_line = max_line
        self._parser = LineParser(plan, max_line)
        self._reader = Reader(plan)
        self._held = Holder(self._reader)

    @property
    def rows(self) -> int:
        """Flows held and not drained."""
        return self._held.rows

    def feed(self, data: Data, line: int, *, final: bool, times: Times = None) -> Fed:
        """Parse the whole lines of a block."""
        header = self._own_header(data)
        if not header:
            return self._feed(data, line, final=final, times=times)
        # As a suspect it would cost the search for all others
        later = times[1:] if isinstance(times, np.ndarray) else times
        fed = self._feed(memoryview(data)[header:], line + 1, final=final, times=later)
        fed.lines += 1
        fed.consumed += header
        return fed

    def _own_header(self, data: Data) -> int:
        """Length of the first line if it is the plan's header, else 0."""
        first = bytes(data[: self._max_line])
        end = first.find(b"\n") + 1
        own = end and first[:1].isalpha() and self._parser.parse(first[:end], None).kind == "none"
        return end if own else 0

    def _feed(self, data: Data, line: int, *, final: bool, times: Times) -> Fed:
        text = bytes(data if final else data[: _last_line_end(data)])
        if not text:
            return Fed()
        block = Block(text, self.plan, self._max_line)
        if len(block) < self._small or not self._reader.vectorised:
            columns, lines, suspects = None, None, np.arange(len(block))
        else:
            columns, lines, suspects = self._read(block, times)
        fed = Fed()
        judged = self._judge(block, suspects, fed, line, times)
        fed.lines = len(block) if judged.stop is None else judged.stop
        fed.consumed = len(text) if judged.stop is None else block.start(judged.stop)
        fed.foreign_header = judged.stop is not None
        if columns is not None and judged.stop is not None:
            where = np.arange(len(block)) if lines is None else lines
            before = np.flatnonzero(where < judged.stop)
            columns, lines = taken(columns, before), where[before]
        self._keep(columns, lines, judged, fed)
        return fed

    def _read(self, block: Block, times: Times) -> tuple[Columns | None, Ints | None, Ints]:
        """Typed good rows, their lines (None: all), and the lines of the suspects."""
        regular = block.regular()
        if regular.tokens is None:
            return None, None, np.arange(len(block))
        columns, bad = self._reader.read(regular.tokens)
        columns = self._reader.timed(columns, bad, times, regular.lines)
        if regular.lines is None and not bad.any():
            return columns, None, np.zeros(0, np.int64)
        lines = np.arange(len(block)) if regular.lines is None else regular.lines
        good = np.flatnonzero(~bad)
        suspects: Mask = np.ones(len(block), np.bool_)
        suspects[lines[good]] = False
        return taken(columns, good), lines[good], np.flatnonzero(suspects)

    def _judge(self, block: Block, suspects: Ints, fed: Fed, line: int, times: Times) -> _Judged:
        judged = _Judged()
        for index in suspects.tolist():
            raw = block.raw(index)
            got = self._parser.parse(raw, _time_of(times, index))
            if got.kind == "header":
                judged.stop = index
                break
            fed.records += got.kind != "none"
            if got.kind == "flow":
                judged.flows.append(got.values)
                judged.flow_lines.append(index)
            elif got.kind == "reject":
                if len(fed.rejects) < MAX_REJECTS:
                    fed.rejects.append(Reject(line + index, got.reason, reject_text(raw)))
            elif got.kind != "none":
                judged.idle.append(got.values)
                judged.idle_lines.append(index)
        return judged

    def _keep(self, columns: Columns | None, lines: Ints | None, judged: _Judged, fed: Fed) -> None:
        """Keep flows and coverage of a block, in the order of the lines."""
        parts = [self._reader.of_values(r) for r in (judged.flows, judged.idle) if r]
        numbers = [np.asarray(n) for n in (judged.flow_lines, judged.idle_lines) if n]
        if columns is not None:
            rows = len(columns["start"].values)
            fed.records += rows
            parts.append(columns)
            numbers.append(np.arange(rows) if lines is None else lines)
        if not parts:
            return
        whole = joined(parts)
        if len(parts) > 1:
            whole = taken(whole, np.argsort(np.concatenate(numbers), kind="stable"))
        self._held.keep(whole, fed)

    def drain(self) -> tuple[pa.RecordBatch, pa.RecordBatch]:
        """Give out flows and coverage rows, and hold none."""
        return self._held.drain()


def _last_line_end(data: Data) -> int:
    """Offset behind the last LF, 0 when there is none."""
    view, stop = memoryview(data), len(data)
    while stop > 0:
        begin = max(0, stop - (64 << 10))
        found = bytes(view[begin:stop]).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        stop = begin
    return 0


def _time_of(times: Times, index: int) -> int | None:
    if isinstance(times, np.ndarray):
        time = int(times[index])
        return time if time >= 0 else None
    return None if times is None else int(times)
