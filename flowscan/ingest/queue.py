"""The queue of new objects: listed lazily, filtered by the ledger, announced to be fetched ahead.

Invariant: every new object is handed out exactly once, in the order of the listing.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from time import perf_counter

from flowscan.lake import State
from flowscan.sources import Source, SourceObject, Window

LOOK_AHEAD = 100_000
"""So many objects are listed before the work starts, so that progress knows a total."""

ANNOUNCED = 256
"""So many objects are announced to their source before they are asked for; the source decides
how many of them it fetches at once and how many bytes it holds."""

Item = tuple[Source, SourceObject]


class Queue:
    """Hands out new objects to worker threads.

    `already` counts the objects that the ledger knew, `listed` and `listed_bytes` the new ones
    seen so far, `list_seconds` the time that listing took.
    """

    def __init__(self, sources: Iterable[Source], window: Window, state: State) -> None:
        self.already = 0
        self.listed = 0
        self.listed_bytes = 0
        self.list_seconds = 0.0
        self._state = state
        self._seen: set[tuple[str, str]] = set()
        self._new = self._unknown(sources, window)
        self._ahead = deque(islice(self._new, LOOK_AHEAD))
        self._announced: deque[Item] = deque()
        self._lock = threading.Lock()

    def take(self) -> Item | None:
        """Hand out the next object, None when there is none left.

        Raises:
            SourceError: the source cannot be listed further.
        """
        with self._lock:
            if len(self._announced) <= ANNOUNCED // 2:
                self._announce(ANNOUNCED - len(self._announced))
            return self._announced.popleft() if self._announced else None

    def _announce(self, count: int) -> None:
        following = [self._ahead.popleft() for _ in range(min(count, len(self._ahead)))]
        following += islice(self._new, count - len(following))
        for source, items in groupby(following, key=lambda item: item[0]):
            source.expect([item for _, item in items])
        self._announced.extend(following)

    def _unknown(self, sources: Iterable[Source], window: Window) -> Iterator[Item]:
        for source in sources:
            for item in self._timed(source.list(window)):
                identity = (item.uri, item.etag)
                if self._state.knows(*identity) or self._state.refused(*identity):
                    self.already += 1
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
