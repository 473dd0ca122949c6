"""The queue of new objects: listed beside the work, filtered by the ledger, fetched ahead.

Invariant: every new object is handed out exactly once, in the order of the listing, and never
more than the budget lies downloaded and not yet parsed. A listing that fails ends the queue
early; what was listed before is handed out all the same.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import NamedTuple, TypeAlias

from flowscan.lake import State
from flowscan.sources import Payload, Source, SourceObject, Window

LOOK_AHEAD = 100_000
"""So many objects are listed before they are taken, so that progress knows a total."""

RUN = 256
"""Each time that many more objects were listed, their total is told."""

PATIENCE = 2.0
"""Seconds that a listing has to notice that it is not wanted any more."""

WHOLE = 64 << 20
"""Objects up to this size are read whole before they are parsed; bigger ones stream."""


Found: TypeAlias = tuple[Source, SourceObject]


class Ticket(NamedTuple):
    """One object to read; `fetch` gives its bytes, which may have been downloaded ahead."""

    source: Source
    object: SourceObject
    fetch: Callable[[], Payload]


def fetch(source: Source, item: SourceObject) -> Payload:
    """Read a small object whole, or begin to stream a big one.

    Raises:
        SourceError: it cannot be read now.
    """
    payload = source.read(item)
    if item.size <= WHOLE:
        payload.chunks = iter(list(payload.chunks))
    return payload


class Queue:
    """Hands out new objects to worker threads; a thread of its own lists them.

    `already` counts the objects that the ledger knew, `listed` and `listed_bytes` the new ones
    seen so far, `list_seconds` the time that listing took; `planned` is told of the new ones now
    and then. `failure` says why the listing ended before its end. Sources say with `concurrency`
    how many reads may be under way at once; 0 leaves reading to the worker that takes the object.
    """

    def __init__(
        self,
        sources: Iterable[Source],
        window: Window,
        state: State,
        *,
        fetch_bytes: int,
        planned: Callable[[int, int], None] | None = None,
    ) -> None:
        self.already = 0
        self.listed = 0
        self.listed_bytes = 0
        self.list_seconds = 0.0
        self.failure: Exception | None = None
        self._state = state
        self._fetch_bytes = fetch_bytes
        self._planned = planned
        self._seen: set[tuple[str, str]] = set()
        self._new = self._unknown(sources, window)
        self._found: SimpleQueue[Found | None] = SimpleQueue()  # None: there are no more
        self._lister: threading.Thread | None = None
        self._over = False
        self._stopped = threading.Event()
        self._tickets: deque[Ticket] = deque()
        self._held = 0
        self._pools: dict[int, ThreadPoolExecutor] = {}
        self._lock = threading.Lock()

    def take(self) -> Ticket | None:
        """Hand out the next object, None when there is none left or the queue was stopped."""
        with self._lock:
            if self._stopped.is_set():
                return None
            if self._lister is None:
                self._lister = threading.Thread(target=self._list, name="list", daemon=True)
                self._lister.start()
            while self._has_room():
                following = self._following(wait=not self._tickets)
                if following is None:
                    break
                self._tickets.append(self._ticket(*following))
                self._held += following[1].size
            if not self._tickets:
                return None
            ticket = self._tickets.popleft()
            self._held -= ticket.object.size
            return ticket

    def plan(self) -> Iterator[Found]:
        """Hand out all objects without fetching any, for somebody else to read.

        Raises:
            SourceError: the source cannot be listed further.
        """
        return self._new

    def stop(self) -> None:
        """Hand out nothing more, not even to somebody who waits for the listing."""
        self._stopped.set()
        self._found.put(None)

    def close(self) -> None:
        """Stop, and let go of the threads; one that hangs in a request is left behind."""
        self.stop()
        if self._lister:
            self._lister.join(PATIENCE)
        for pool in self._pools.values():
            pool.shutdown(wait=True, cancel_futures=True)

    def _list(self) -> None:
        try:
            for found in self._new:
                self._found.put(found)
                if self.listed % RUN == 0:
                    self._tell()
                while self._found.qsize() >= LOOK_AHEAD and not self._stopped.wait(0.1):
                    pass
                if self._stopped.is_set():
                    return
            self._tell()
        except Exception as error:  # noqa: BLE001 - raised again in the caller's thread
            self.failure = error
        finally:
            self._found.put(None)

    def _tell(self) -> None:
        if self._planned:
            self._planned(self.listed, self.listed_bytes)

    def _following(self, *, wait: bool) -> Found | None:
        """The next object that was listed; None when there is none, or none yet."""
        if self._over:
            return None
        try:
            found = self._found.get(wait)
        except Empty:
            return None
        self._over = found is None
        return found

    def _has_room(self) -> bool:
        if not self._tickets:
            return True
        width = self._tickets[-1].source.concurrency
        return len(self._tickets) < 2 * width and self._held < self._fetch_bytes

    def _ticket(self, source: Source, item: SourceObject) -> Ticket:
        if source.concurrency == 0:
            return Ticket(source, item, lambda: fetch(source, item))
        pool = self._pools.get(source.concurrency)
        if pool is None:
            pool = ThreadPoolExecutor(source.concurrency, thread_name_prefix="fetch")
            self._pools[source.concurrency] = pool
        return Ticket(source, item, pool.submit(fetch, source, item).result)

    def _unknown(self, sources: Iterable[Source], window: Window) -> Iterator[Found]:
        for source in sources:
            for item in self._timed(source.list(window)):
                identity = (item.uri, item.etag)
                if self._state.knows(*identity) or self._state.refused(*identity):
                    self.already += 1
                    source.done([item])  # a message that was delivered again may be deleted
                elif identity not in self._seen:
                    # Overlapping sources (a folder and a file in it) list an object twice.
                    self._seen.add(identity)
                    self.listed += 1
                    self.listed_bytes += item.size
                    yield source, item

    def _timed(self, objects: Iterable[SourceObject]) -> Iterator[SourceObject]:
        iterator = iter(objects)
        while True:
            started = perf_counter()
            item = next(iterator, None)
            self.list_seconds += perf_counter() - started
            if item is None:
                return
            yield item
