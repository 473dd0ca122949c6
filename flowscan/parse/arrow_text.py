"""Text lines → typed columns with Arrow: what reads text where the kernel was not compiled.

Invariant: same rows, counts and rejects as `lines.LineParser` line by line. Clean lines are read
by Arrow's CSV reader; only suspects are judged one by one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from flowscan.arrays import Ints, Mask, picked
from flowscan.parse.batches import joined, of_values
from flowscan.parse.blocks import Block
from flowscan.parse.columns import Reader
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


class ArrowText:
    """See `model.TextColumns`."""

    def __init__(self, plan: Plan, *, max_line: int, small: int = SMALL) -> None:
        self.plan = plan
        self._small = small
        self._max_line = max_line
        self._parser = LineParser(plan, max_line)
        self._reader = Reader(plan)
        self._held = Holder(self._reader.schema)

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
        text = memoryview(data)[: len(data) if final else _last_line_end(data)]
        if not text:
            return Fed()
        block = Block(text, self.plan, self._max_line)
        if len(block) < self._small or not self._reader.vectorised:
            batch, lines, suspects = None, None, np.arange(len(block))
        else:
            batch, lines, suspects = self._read(block, times)
        fed = Fed()
        judged = self._judge(block, suspects, fed, line, times)
        fed.lines = len(block) if judged.stop is None else judged.stop
        fed.consumed = len(text) if judged.stop is None else block.start(judged.stop)
        fed.foreign_header = judged.stop is not None
        if batch is not None and judged.stop is not None:
            where = np.arange(len(block)) if lines is None else lines
            before = np.flatnonzero(where < judged.stop)
            batch, lines = picked(batch, before), where[before]
        self._keep(batch, lines, judged, fed)
        return fed

    def _read(self, block: Block, times: Times) -> tuple[pa.RecordBatch | None, Ints | None, Ints]:
        """Typed good rows, their lines (None: all), and the lines of the suspects."""
        everything = np.arange(len(block))
        for exact in (False, True):
            regular = block.regular(exact=exact)
            read = regular.text and self._reader.read(regular.text, careful=block.odd_numbers)
            numbers = everything if regular.lines is None else regular.lines
            if read and len(read[1]) == len(numbers):  # the reader leaves empty lines out
                break
        else:
            return None, None, everything
        columns, bad = read
        batch = self._reader.timed(columns, bad, times, regular.lines)
        if regular.lines is None and not bad.any():
            return batch, None, np.zeros(0, np.int64)
        suspects: Mask = np.ones(len(block), np.bool_)
        suspects[numbers[~bad]] = False
        return picked(batch, np.flatnonzero(~bad)), numbers[~bad], np.flatnonzero(suspects)

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

    def _keep(
        self, batch: pa.RecordBatch | None, lines: Ints | None, judged: _Judged, fed: Fed
    ) -> None:
        """Keep flows and coverage of a block, in the order of the lines."""
        if batch is None and not judged.idle:
            self._held.add(judged.flows, fed)
            return
        parts = [of_values(r, self._reader.schema) for r in (judged.flows, judged.idle) if r]
        numbers = [np.asarray(n) for n in (judged.flow_lines, judged.idle_lines) if n]
        if batch is not None:
            fed.records += batch.num_rows
            parts.append(batch)
            numbers.append(np.arange(batch.num_rows) if lines is None else lines)
        whole = parts[0]
        if len(parts) > 1:
            (whole,) = joined(parts, self._reader.schema).combine_chunks().to_batches()
            whole = picked(whole, np.argsort(np.concatenate(numbers), kind="stable"))
        self._held.keep(whole, fed)

    def drain(self) -> tuple[pa.Table, pa.Table]:
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
