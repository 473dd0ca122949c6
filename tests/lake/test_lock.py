from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from flowscan.errors import LakeBusy
from flowscan.lake import Lake
from flowscan.lake.lock import Holder, hold
from flowscan.lake.store import Store

NUMBERS = count(1)


@pytest.fixture(params=["local", pytest.param("s3", marks=pytest.mark.s3)])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Store]:
    if request.param == "local":
        yield Lake.open(tmp_path / "lake", create=True).store
        return
    server = request.getfixturevalue("s3")
    for name, value in server.env.items():
        monkeypatch.setenv(name, value)
    bucket = server.bucket(f"locks-{next(NUMBERS)}")
    yield Lake.open(f"s3://{bucket}/lake", create=True).store


def files(store: Store) -> set[str]:
    return {e.key.rsplit("/", 1)[1] for e in store.walk("_flowscan/locks")}


def test_one_at_a_time_and_who(store: Store) -> None:
    with hold(store, 60):
        with pytest.raises(LakeBusy, match=f"process {os.getpid()} on ") as raised, hold(store, 60):
            pass
        assert raised.value.exit_code == 75
    for _ in range(3):
        with hold(store, 60):
            pass
    assert files(store) == {"00000004.held", "00000004.free"}


def test_silent_holder_loses_and_learns_it(store: Store) -> None:
    with hold(store, 60) as old:
        old._stop.set()  # it hangs: no more beats
        old._thread.join()
        with hold(store, 60, clock=lambda: time.time() + 100):
            old._stop.clear()
            object.__setattr__(old.holder, "promise", 0)
            old._beat()
            assert old.lost.is_set()
        assert files(store) == {"00000002.held", "00000002.free"}


def test_beats_keep_it(store: Store) -> None:
    with hold(store, 2):
        time.sleep(3.5)
        with pytest.raises(LakeBusy), hold(store, 2):
            pass


def test_dead_holder_of_this_machine_is_taken_over_at_once(store: Store) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    me = Holder.me(time.time(), 3600)
    for pid, born in ((gone.pid, 0), (os.getpid(), me.born + 1)):
        turn = max((int(f[:8]) for f in files(store)), default=0) + 1
        body = {"host": me.host, "pid": pid, "born": born, "since": 0, "promise": 3600}
        assert store.create(f"_flowscan/locks/{turn:08}.held", json.dumps(body).encode())
        with hold(store, 60):
            pass


def test_damaged_holder_is_taken_over(store: Store) -> None:
    store.create("_flowscan/locks/00000001.held", b"{")
    with hold(store, 60):
        pass


def test_old_listing_cannot_bring_back_an_old_turn(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between listing and creating, others took turns 1 to 3, gave them back and cleaned up."""
    create = store.create

    def slow(key: str, data: bytes) -> bool:
        monkeypatch.setattr(store, "create", create)
        for _ in range(3):
            with hold(store, 60):
                pass
        with hold(store, 60):
            return create(key, data)

    monkeypatch.setattr(store, "create", slow)
    with pytest.raises(LakeBusy), hold(store, 60):
        pass


def _race(folder: str, go: Any, wins: Any) -> None:
    store = Lake.open(folder).store
    go.wait()
    for _ in range(20):
        try:
            with hold(store, 60):
                with wins.get_lock():
                    wins[0] += 1
                    wins[1] = max(wins[1], wins[0])
                time.sleep(0.002)
                with wins.get_lock():
                    wins[0] -= 1
                    wins[2] += 1
        except LakeBusy:
            time.sleep(0.003)


def test_processes_never_hold_it_together(tmp_path: Path) -> None:
    folder = tmp_path / "lake"
    Lake.open(folder, create=True)
    context = multiprocessing.get_context("spawn")
    go, wins = context.Event(), context.Array("i", 3)
    workers = [context.Process(target=_race, args=(str(folder), go, wins)) for _ in range(3)]
    for worker in workers:
        worker.start()
    go.set()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert wins[1] == 1
    assert wins[2] >= 3


def test_killed_holder(tmp_path: Path) -> None:
    folder = tmp_path / "lake"
    store = Lake.open(folder, create=True).store
    code = (
        "import sys,time; from flowscan.lake import Lake; from flowscan.lake.lock import hold\n"
        f"with hold(Lake.open({str(folder)!r}).store, 3600):\n print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
        assert child.stdout
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(LakeBusy, match=f"process {child.pid}"), hold(store, 60):
            pass
        child.send_signal(signal.SIGKILL)
        child.wait()
    with hold(store, 60):
        pass
