"""Flow-log text → sink: feeds blocks of whole lines and follows changing headers.

Invariant: the result does not depend on how the text is cut into chunks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from flowscan.errors import RejectedObject
from flowscan.parse.header import plan_of
from flowscan.parse.model import Data, ParseOptions, Plan, Times, reject_text
from flowscan.parse.sink import Sink

BLOCK = 8 << 20
"""Bytes fed at once; after each the caller may drain, so it bounds what piles up."""
_SMALL = 1 << 10
"""Bytes fed first behind a header of another format; doubled as long as none follows."""
MAX_HEADERS = 10_000
"""Changes of format within one object; beyond, it is an attack on the time of the reader."""
MAX_FORMATS = 64
"""Different sets of fields within one object: each costs files of its own in the lake."""


class TextFeed:
    """Feeds the text of one object into a sink, as a stream or as blocks of whole lines."""

    def __init__(self, plan: Plan, options: ParseOptions, sink: Sink) -> None:
        self.plan = plan
        self.options = options
        self.sink = sink
        self.line = 1
        self._tail = bytearray()  # a line that has not ended yet
        self._skipping = False  # inside a line that is too long
        self._headers = 0
        self._fields = {frozenset(plan.columns)}
        self._window = BLOCK
        self._room = options.max_line + 2  # a line may have that many bytes with CR and LF

    def stream(self, chunks: Iterable[Data]) -> Iterator[None]:
        """Take a whole text in pieces; yields after each block."""
        for chunk in chunks:
            view = memoryview(chunk)
            while view.nbytes:
                if self._tail or self._skipping:
                    view = self._continue(view)
                    continue
                headers = self._headers
                consumed = self._block(view[: self._window], final=False)
                if not consumed and self._headers == headers:
                    consumed = self._begin(view)  # no line ends in the block
                view = view[consumed:]
                yield
        if self._tail:
            self.lines(bytes(self._tail), self.options.default_time)
            self._tail.clear()
        yield

    def lines(self, text: bytes, times: Times, plan: Plan | None = None) -> None:
        """Take whole lines with their times; `plan` is for these lines only."""
        while text:
            consumed, lines = self._feed(text, times, plan, final=True)
            text = text[consumed:]
            times = times[lines:] if isinstance(times, np.ndarray) else times

    def _block(self, data: Data, *, final: bool) -> int:
        return self._feed(data, self.options.default_time, None, final=final)[0]

    def _feed(self, data: Data, times: Times, plan: Plan | None, *, final: bool) -> tuple[int, int]:
        fed = self.sink.text(plan or self.plan, data, self.line, final=final, times=times)
        self.line += fed.lines
        if fed.foreign_header:
            self._switch(bytes(data[fed.consumed : fed.consumed + self._room]))
        else:
            self._window = min(BLOCK, self._window * 2)
        return fed.consumed, fed.lines

    def _switch(self, at: bytes) -> None:
        self._headers += 1
        plan = plan_of(at.split(b"\n", 1)[0])
        if plan:
            self._fields.add(frozenset(plan.columns))
        if plan is None or self._headers > MAX_HEADERS or len(self._fields) > MAX_FORMATS:
            raise RejectedObject("the format changes too often", where=f"line {self.line}")
        self.plan = plan
        # what a block holds behind the next header is read again: so no more than was consumed
        self._window = _SMALL

    def _begin(self, view: memoryview) -> int:
        """Keep what may still become a line."""
        if self._window < BLOCK and self._window < view.nbytes:
            self._window = BLOCK  # the line may end behind a window that was made small
            return 0
        self._tail += view[: self._room]
        return min(view.nbytes, self._room)

    def _continue(self, view: memoryview) -> memoryview:
        """Complete the line begun in the chunk before, or skip the rest of a long one."""
        if self._skipping:
            end = _line_end(view)
            self._skipping = not end
            self.line += bool(end)
            return view[end or view.nbytes :]
        part = bytes(view[: self._room - len(self._tail)])
        end = part.find(b"\n") + 1
        self._tail += part[: end or len(part)]
        if end:
            # a header among these bytes changes the plan and is then read again
            data = bytes(self._tail)
            self._tail.clear()
            while data:
                data = data[self._block(data, final=False) :]
        elif len(self._tail) == self._room:
            self.sink.reject(self.line, "line too long", reject_text(self._tail))
            self._tail.clear()
            self._skipping = True
        return view[end or len(part) :]


def _line_end(view: memoryview) -> int:
    """Offset behind the first LF, 0 without one; copies little at a time."""
    step = 1 << 20
    for at in range(0, view.nbytes, step):
        end = bytes(view[at : at + step]).find(b"\n")
        if end >= 0:
            return at + end + 1
    return 0


def whole_lines(chunks: Iterable[Data], max_line: int) -> Iterator[bytes]:
    """Blocks of whole lines (the last may lack its LF); a line far too long comes cut."""
    tail, skipping, room = b"", False, max_line + 1024
    for chunk in chunks:
        view = memoryview(chunk)
        for at in range(0, view.nbytes, BLOCK):
            data = bytes(view[at : at + BLOCK])
            if skipping:
                end = data.find(b"\n")
                if end < 0:
                    continue
                data, skipping = data[end:], False
            data = tail + data
            cut = data.rfind(b"\n") + 1
            tail = data[cut:]
            if len(tail) > room:
                tail, skipping = tail[:room], True
            if cut:
                yield data[:cut]
    if tail:
        yield tail
