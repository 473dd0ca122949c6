"""Flow-log text → sink: finds the plan, feeds blocks of whole lines, follows changing headers.

Invariant: the result does not depend on how the text is cut into chunks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flowscan.errors import RejectedObject
from flowscan.parse.header import plan_of
from flowscan.parse.model import Data, ParseOptions, Plan, reject_text
from flowscan.parse.sink import Sink

BLOCK = 8 << 20
"""Bytes fed at once; after each the caller may drain, so it bounds what piles up."""
_SMALL = 64 << 10
MAX_HEADERS = 10_000
"""Changes of format within one object; beyond, it is an attack on the time of the reader."""


class TextFeed:
    """Feeds the text of one object into a sink."""

    def __init__(self, plan: Plan, options: ParseOptions, sink: Sink) -> None:
        self.plan = plan
        self.options = options
        self.sink = sink
        self.line = 1
        self._tail = bytearray()  # a line that has not ended yet
        self._skipping = False  # inside a line that is too long
        self._headers = 0
        self._window = BLOCK

    def feed(self, chunk: Data) -> Iterator[None]:
        """Take the next piece of text; yields after each block."""
        view = memoryview(chunk)
        while view.nbytes:
            if self._tail or self._skipping:
                view = self._continue(view)
                continue
            consumed = self._block(view[: self._window], final=False)
            if consumed == 0:
                consumed = self._long(view)
            view = view[consumed:]
            yield

    def finish(self) -> None:
        """The text has ended: its last line may lack the line feed."""
        data = bytes(self._tail)
        self._tail.clear()
        while data:
            data = data[self._block(data, final=True) :]
        self._skipping = False

    def _block(self, data: Data, *, final: bool) -> int:
        fed = self.sink.text(
            self.plan, data, self.line, final=final, times=self.options.default_time
        )
        self.line += fed.lines
        if fed.foreign_header:
            self._switch(bytes(data[fed.consumed : fed.consumed + self.options.max_line + 2]))
        else:
            self._window = min(BLOCK, self._window * 2)
        return fed.consumed

    def _switch(self, at: bytes) -> None:
        self._headers += 1
        plan = plan_of(at.split(b"\n", 1)[0])
        if plan is None or self._headers > MAX_HEADERS:
            raise RejectedObject("the format changes too often", where=f"line {self.line}")
        self.plan = plan
        self._window = _SMALL  # what a block holds behind a header is read again

    def _long(self, view: memoryview) -> int:
        """No line ended in the window: keep what may still become a line."""
        end = bytes(view[: self.options.max_line + 2]).find(b"\n") + 1
        if end:
            self._window = max(self._window, end)
            return 0
        self._tail += view[: self.options.max_line + 2]
        return min(len(view), self.options.max_line + 2)

    def _continue(self, view: memoryview) -> memoryview:
        """Complete the line begun in the chunk before."""
        room = self.options.max_line + 2 - len(self._tail)
        if self._skipping:
            end = _find(view)
            self._skipping = not end
            self.line += bool(end)
            return view[end or len(view) :]
        part = bytes(view[:room])
        end = part.find(b"\n") + 1
        if end or len(part) < room:
            self._tail += part[: end or len(part)]
            if end:
                data = bytes(self._tail)
                self._tail.clear()
                while data:
                    data = data[self._block(data, final=False) :]
            return view[end or len(part) :]
        self.sink.reject(self.line, "line too long", reject_text(self._tail + part))
        self._tail.clear()
        self._skipping = True
        return view


def _find(view: memoryview) -> int:
    step = 1 << 20
    for at in range(0, len(view), step):
        end = bytes(view[at : at + step]).find(b"\n")
        if end >= 0:
            return at + end + 1
    return 0


def feed_all(chunks: Iterable[Data], feed: TextFeed) -> Iterator[None]:
    """Feed all chunks and finish."""
    for chunk in chunks:
        yield from feed.feed(chunk)
    feed.finish()
    yield
