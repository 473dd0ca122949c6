"""One scheduled cycle per lake at a time, on disk and on S3 alike.

The lock has turns. Turn n is taken by creating `n.held` (create-only: one of many wins), kept
alive by rewriting `n.beat`, given back by `n.free`. It is taken over when it was given back, when
its holder is dead (same machine, process gone) or silent for longer than it promised.
Invariant: no two holders believe in the same turn, and one whose turn was taken over learns it at
its next beat. What is in the lake never depends on it: the ledger decides that. The lock only
keeps two cycles from doing the same work and telling the same news twice.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from flowscan.errors import LakeBusy
from flowscan.lake import layout
from flowscan.lake.store import Entry, Store

__all__ = ["Holder", "Lock", "hold"]

BEATS = 4  # per promised time, so that three may get lost


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock, since when, and how many seconds its silence is believed (`promise`).

    `born` tells processes of the same number apart; 0 where the system does not tell.
    """

    host: str
    pid: int
    born: int
    since: int
    promise: int

    @classmethod
    def me(cls, now: float, promise: int) -> Holder:
        """This process."""
        pid = os.getpid()
        return cls(socket.gethostname(), pid, _born(pid) or 0, int(now), promise)

    def is_gone(self) -> bool:
        """Whether it certainly does not run any more; False on another machine."""
        if self.host != socket.gethostname():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        born = _born(self.pid)
        return bool(self.born and born and born != self.born)

    def __str__(self) -> str:
        """For people."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.since))
        return f"process {self.pid} on {self.host} since {moment}"


def _born(pid: int) -> int | None:
    """Clock ticks from the machine's start to the process's (Linux only)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        return int(text.rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None


class Lock:
    """A turn that is held. `lost` is set when somebody took over."""

    def __init__(self, store: Store, turn: int, holder: Holder) -> None:
        self.holder = holder
        self.lost = threading.Event()
        self._store = store
        self._turn = turn
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="flowscan-lock", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def _beat(self) -> None:
        while not self._stop.wait(self.holder.promise / BEATS):
            # A beat that fails is one of those that may get lost.
            with contextlib.suppress(Exception):
                if max(_turns(self._store), default=0) > self._turn:
                    self.lost.set()
                    return
                self._store.put(layout.lock_key(self._turn, "beat"), b"")

    def release(self) -> None:
        """Give the turn back."""
        self._stop.set()
        self._thread.join()
        if not self.lost.is_set():
            self._store.create(layout.lock_key(self._turn, "free"), b"")


@contextlib.contextmanager
def hold(store: Store, promise: int, clock: Callable[[], float] = time.time) -> Iterator[Lock]:
    """Holds the lock of a lake; `promise` is the silence in seconds after which it is lost.

    Raises:
        LakeBusy: somebody else holds it; the message says who.
    """
    holder = Holder.me(clock(), promise)
    lock = Lock(store, _take(store, holder, clock()), holder)
    lock.start()
    try:
        yield lock
    finally:
        lock.release()


def _take(store: Store, holder: Holder, now: float) -> int:
    turns = _turns(store)
    last = max(turns, default=0)
    if last:
        _check_free(store, last, turns[last], now)
    mine = last + 1
    if not store.create(layout.lock_key(mine, "held"), json.dumps(asdict(holder)).encode()):
        raise _busy(store, mine)
    newest = max(_turns(store), default=mine)
    if newest > mine:
        # The listing was old: this turn had been taken, given back and cleaned up already.
        store.delete(layout.lock_key(mine, "held"))
        raise _busy(store, newest)
    for old, parts in turns.items():
        for part in sorted(parts, key="held".__eq__):  # `held` last: without it a turn is free
            store.delete(layout.lock_key(old, part))
    return mine


def _turns(store: Store) -> dict[int, dict[str, Entry]]:
    found: dict[int, dict[str, Entry]] = {}
    for entry in store.walk(layout.LOCKS):
        named = layout.lock_turn(entry.key.rsplit("/", 1)[-1])
        if named:
            found.setdefault(named[0], {})[named[1]] = entry
    return found


def _check_free(store: Store, turn: int, parts: dict[str, Entry], now: float) -> None:
    if "free" in parts or "held" not in parts:
        return
    holder = _holder(store, turn)
    last = max(entry.changed for entry in parts.values())
    if holder and not holder.is_gone() and now - last <= holder.promise:
        raise _busy(store, turn)


def _holder(store: Store, turn: int) -> Holder | None:
    try:
        body = json.loads(store.read(layout.lock_key(turn, "held")))
        return Holder(
            str(body["host"]),
            int(body["pid"]),
            int(body["born"]),
            int(body["since"]),
            int(body["promise"]),
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _busy(store: Store, turn: int) -> LakeBusy:
    holder = _holder(store, turn)
    return LakeBusy(f"a cycle is running: {holder or 'somebody'}", where=store.where)
