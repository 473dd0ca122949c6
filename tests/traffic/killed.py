"""One step of a delivery in a process of its own that dies at the k-th operation of the store.

Usage: killed.py LAKE K NOW STEP [LOG …], where STEP is ingest, fold, compact, match or detect.
"""

from __future__ import annotations

import os
import signal
import sys

import flowscan
from flowscan import lake as storage
from flowscan import traffic
from flowscan.lake.compact import compact


class Killed:
    """A fault that ends the process, as a power cut does."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, operation: str, key: str) -> None:
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1


def run(where: str, at: int, now: int, step: str, logs: list[str]) -> None:
    lake = storage.Lake.open(where)
    lake.store.fault = Killed(at)
    if step == "ingest":
        flowscan.ingest(logs, lake)
    elif step == "fold":
        traffic.fold(lake, again=True)
    elif step == "compact":
        list(compact(lake, now=now))
    elif step == "match":
        flowscan.match(lake, now=now)
    else:
        flowscan.detect(lake, now=now)


if __name__ == "__main__":
    run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5:])
