"""The queue: listed beside the work, bounded, in order, and what a failing listing leaves."""

from __future__ import annotations

import itertools
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from test_ingest import START, line, sums

from flowscan.errors import LakeError, SourceError
from flowscan.ingest import IngestOptions, ingest, queue
from flowscan.lake import Lake
from flowscan.sources import Payload, SourceObject, Window


class Made:
    """A source whose listing is a function; each object holds one record."""

    format, concurrency = None, 0

    def __init__(self, listing: Callable[[], Iterator[int]]) -> None:
        self.listing = listing

    def list(self, window: Window) -> Iterator[SourceObject]:
        for number in self.listing():
            yield SourceObject(f"made:{number}", 100, "1")

    def read(self, obj: SourceObject) -> Payload:
        return Payload(iter([line(int(obj.uri.split(":")[1]), start=START).encode()]))

    def done(self, objects: Iterable[SourceObject]) -> None:
        pass

    def close(self) -> None:
        pass


class Told:
    def __init__(self) -> None:
        self.plans: list[tuple[int, int]] = []

    def planned(self, objects: int, size: int) -> None:
        self.plans.append((objects, size))

    def advanced(self, size: int, records: int) -> None:
        pass


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake.open(tmp_path / "lake", create=True)


def interrupt_after(event: threading.Event) -> None:
    """Ctrl-C, as soon as the event is set."""

    def press() -> None:
        assert event.wait(20)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    threading.Thread(target=press).start()


def denied(after: int) -> Iterator[int]:
    yield from range(after)
    raise SourceError("access denied", where="made:", hint="ask")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_listing_that_breaks_off_keeps_what_was_listed(
    lake: Lake, tmp_path: Path, workers: int
) -> None:
    result = ingest(lake, [Made(lambda: denied(20))], IngestOptions(workers=workers))
    assert (result.sources, result.failed) == (20, [("made:", "access denied")])
    assert sums(tmp_path / "lake")[0] == 20


@pytest.mark.parametrize("workers", [1, 2])
def test_a_listing_that_fails_at_once_is_raised(lake: Lake, workers: int) -> None:
    with pytest.raises(SourceError, match="access denied"):
        ingest(lake, [Made(lambda: denied(0))], IngestOptions(workers=workers))
    assert lake.state().version == 0


def test_a_mistake_in_a_source_is_raised_whatever_was_read(lake: Lake) -> None:
    def mistaken() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ingest(lake, [Made(mistaken)], IngestOptions(workers=2))


def test_totals_are_told_while_the_listing_goes_on(lake: Lake) -> None:
    told = Told()
    ingest(lake, [Made(lambda: iter(range(600)))], IngestOptions(workers=2), told)
    assert told.plans == [(256, 25_600), (512, 51_200), (600, 60_000)]


def test_objects_are_handed_out_in_order_before_the_listing_is_over(lake: Lake) -> None:
    enough = threading.Event()

    def slow() -> Iterator[int]:
        yield from range(5)
        assert enough.wait(20)
        yield from range(5, 10)

    new = queue.Queue([Made(slow)], Window(), lake.state(), fetch_bytes=1 << 20)
    taken = [new.take() for _ in range(5)]
    enough.set()
    while (ticket := new.take()) is not None:
        taken.append(ticket)
    new.close()
    assert [t.object.uri for t in taken if t] == [f"made:{n}" for n in range(10)]
    assert new.take() is None


def test_a_ready_object_does_not_wait_for_the_listing(lake: Lake) -> None:
    """With reads ahead there is room for more, which is no reason to hold back what is there."""
    over = threading.Event()

    def slow() -> Iterator[int]:
        yield 0
        assert over.wait(20)

    source = Made(slow)
    source.concurrency = 4
    new = queue.Queue([source], Window(), lake.state(), fetch_bytes=1 << 20)
    ticket = new.take()
    assert ticket is not None
    assert not over.is_set()
    over.set()
    assert new.take() is None
    new.close()


def test_no_more_is_listed_ahead_than_the_bound(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "LOOK_AHEAD", 50)
    new = queue.Queue([Made(itertools.count)], Window(), lake.state(), fetch_bytes=1 << 20)
    for number in range(200):
        ticket = new.take()
        assert ticket is not None
        assert ticket.object.uri == f"made:{number}"
        assert new.listed <= number + 1 + 51
    time.sleep(0.3)
    assert 200 < new.listed <= 251
    new.close()  # ends the listing, which has no end of its own
    assert "list" not in {thread.name for thread in threading.enumerate()}
    assert new.take() is None


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize("workers", [1, 3])
def test_an_interrupt_ends_an_ingest(lake: Lake, tmp_path: Path, workers: int) -> None:
    seen = threading.Event()

    def long() -> Iterator[int]:
        for number in range(100_000):  # takes minutes, so that a failure has an end
            if number == 2_000:
                seen.set()
            yield number

    interrupt_after(seen)
    with pytest.raises(KeyboardInterrupt):
        ingest(lake, [Made(long)], IngestOptions(workers=workers, batch_objects=100))
    held = lake.state().totals
    assert held.sources < 100_000
    assert held.sources == held.flows == sums(tmp_path / "lake")[0] > 0
    assert list(lake.store.folders("_flowscan/staging")) == []


@pytest.mark.usefixtures("listening")
def test_an_interrupt_does_not_wait_for_a_listing_that_hangs(lake: Lake) -> None:
    taken, over = threading.Event(), threading.Event()

    def hang() -> Iterator[int]:
        yield from range(10)
        over.wait(60)

    class Last(Made):
        def read(self, obj: SourceObject) -> Payload:
            if obj.uri == "made:9":
                taken.set()
            return super().read(obj)

    interrupt_after(taken)
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        ingest(lake, [Last(hang)], IngestOptions(workers=2))
    assert time.monotonic() - started < 20
    assert lake.state().totals.sources == 10
    over.set()


def test_an_interrupt_while_the_workers_start_stops_them(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit, calls, over = ThreadPoolExecutor.submit, itertools.count(), threading.Event()

    def pressed(*args: Any, **kwargs: Any) -> Any:
        if next(calls) == 1:
            raise KeyboardInterrupt
        return submit(*args, **kwargs)

    def hang() -> Iterator[int]:
        yield 0
        over.wait(60)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", pressed)
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        ingest(lake, [Made(hang)], IngestOptions(workers=2))
    assert time.monotonic() - started < 20
    over.set()


def test_a_worker_that_fails_ends_the_others(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    commit, calls = Lake.commit, itertools.count()

    def full(*args: Any, **kwargs: Any) -> int:
        if next(calls) == 2:
            raise LakeError("cannot write: No space left on device")
        return commit(*args, **kwargs)

    monkeypatch.setattr(Lake, "commit", full)
    with pytest.raises(LakeError, match="No space"):
        ingest(
            lake, [Made(lambda: iter(range(50_000)))], IngestOptions(workers=2, batch_objects=50)
        )
    assert lake.state().totals.sources >= 100
