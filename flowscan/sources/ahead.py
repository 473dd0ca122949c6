"""Several slow streams of pages, given one after the other, filled at the same time.

Invariant: pages come in the order of the streams; at most `PAGES` of each wait; leaving the
iteration early stops every thread.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, Full, Queue
from typing import Generic, TypeVar

__all__ = ["in_order"]

T = TypeVar("T")
PAGES = 8
POLL = 0.2  # seconds until a waiting thread looks whether it shall stop


def in_order(pool: ThreadPoolExecutor, streams: Sequence[Iterator[T]]) -> Iterator[T]:
    """The items of all streams. An exception of a stream is raised at its place."""
    stop = threading.Event()
    # The pool takes them in this order, so the one waited for is always being filled.
    waiting = [_Stream(stream, stop) for stream in streams]
    for one in waiting:
        pool.submit(one.fill)
    try:
        for one in waiting:
            yield from one.items()
    finally:
        stop.set()
        for one in waiting:
            one.drain()


class _Stream(Generic[T]):
    def __init__(self, stream: Iterator[T], stop: threading.Event) -> None:
        self._stream = stream
        self._stop = stop
        self._queue: Queue[tuple[T] | Exception | None] = Queue(PAGES)

    def fill(self) -> None:
        if self._stop.is_set():
            return
        try:
            for item in self._stream:
                self._put((item,))
                if self._stop.is_set():
                    return
        except Exception as error:  # noqa: BLE001 - raised again in the consumer's thread
            self._put(error)
        self._put(None)

    def _put(self, item: tuple[T] | Exception | None) -> None:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=POLL)
            except Full:
                continue
            return

    def items(self) -> Iterator[T]:
        while (item := self._queue.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield item[0]

    def drain(self) -> None:
        try:
            while True:
                self._queue.get_nowait()
        except Empty:
            return
