"""Cycle after cycle in one process, for containers and services.

Invariant: cycles never overlap; one that lasts longer than the interval is followed at once by
the next one, and missed ones are not made up for.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flowscan.batch.cycle import run_cycle
from flowscan.batch.model import Summary
from flowscan.config import Settings

__all__ = ["keep_running", "stop_on_signal"]


def keep_running(
    load: Callable[[], Settings],
    every: int,
    stop: threading.Event,
    show: Callable[[Summary], None],
    tell: Callable[[str], None],
) -> Summary:
    """Does a cycle every so many seconds until `stop` is set; gives the last summary.

    Settings are loaded again for each cycle, so that changes to flowscan.toml take effect.
    """
    while True:
        began = time.monotonic()
        summary = run_cycle(load(), stop=stop, tell=tell)
        show(summary)
        if stop.wait(max(0.0, every - (time.monotonic() - began))):
            return summary


@contextmanager
def stop_on_signal() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set; a second signal ends the process as usual."""
    stop = threading.Event()
    before: dict[int, object] = {}

    def handle(number: int, _frame: object) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    for wanted in (signal.SIGTERM, signal.SIGINT):
        before[wanted] = signal.signal(wanted, handle)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
