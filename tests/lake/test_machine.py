"""Any history of ingests, crashes, races, upkeep and repairs keeps the lake's invariants.

The model is the set of sources that went in. A crash strikes at any operation: from then on no
operation of that writer reaches the disk, and its locks are dropped, as when a process dies.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from pathlib import Path

import lake_kit as kit
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from flowscan.errors import LakeConflict
from flowscan.lake import Lake, checkpoint
from flowscan.lake.compact import compact
from flowscan.lake.expire import purge
from flowscan.lake.local_store import LocalStore
from flowscan.lake.status import status
from flowscan.lake.verify import repair, verify

NAMES = [f"s{i}" for i in range(12)]
some = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True)


class Crash(BaseException):
    """The process is dead."""


class Mortal(LocalStore):
    """A store of a process that dies at an operation."""

    def __init__(self, root: Path, lives: int) -> None:
        super().__init__(root, fault=self.strike)
        self.lives = lives
        self.claims = []

    def strike(self, operation: str, key: str) -> None:
        self.lives -= 1
        if self.lives < 0:
            raise Crash

    def claim(self, batch):
        claim = super().claim(batch)
        self.claims.append(claim)
        return claim

    def bury(self) -> None:
        for claim in self.claims:
            claim.release()


class LakeMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        memory = Path("/dev/shm")
        self.folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
        self.root = self.folder / "lake"
        self.inside: set[str] = set()
        self.late: list[tuple[object, list[str]]] = []

    @initialize()
    def create(self) -> None:
        self.lake = Lake.open(self.root, create=True)

    def teardown(self) -> None:
        for transaction, _ in self.late:
            transaction.abort()
        shutil.rmtree(self.folder)

    @rule(sources=some, size=st.integers(1, 3))
    def ingest(self, sources: list[str], size: int) -> None:
        new = set(sources) - self.inside
        assert kit.ingest(self.lake, sources, size) == len(new)
        self.inside |= new

    @rule(sources=some, lives=st.integers(0, 250))
    def crash(self, sources: list[str], lives: int) -> None:
        store = Mortal(self.root, lives)
        with contextlib.suppress(Crash):
            kit.ingest(Lake.on(store), sources, 2)
        store.lives = -1
        store.bury()
        state = Lake.open(self.root).state()
        self.inside |= {s for s in sources if state.knows(f"file:///{s}", "e1")}

    @rule(lives=st.integers(0, 400), which=st.sampled_from(["compact", "replace", "recover"]))
    def crash_in_upkeep(self, lives: int, which: str) -> None:
        store = Mortal(self.root, lives)
        with contextlib.suppress(Crash):
            lake = Lake.on(store)
            if which == "compact":
                list(compact(lake, now=kit.FAR))
            elif which == "replace":
                kit.set_indicators(lake, ["1.1.1.1"])
            else:
                lake.recover()
                checkpoint.write(lake.store, lake.fold())
        store.lives = -1
        store.bury()

    @rule(sources=some)
    def begin_elsewhere(self, sources: list[str]) -> None:
        self.late.append((kit.write_batch(Lake.open(self.root), sources), sources))

    @rule()
    def commit_elsewhere(self) -> None:
        if not self.late:
            return
        transaction, sources = self.late.pop(0)
        known = self.inside & set(sources)
        if not known:
            transaction.commit(kit.records(sources, transaction))
            self.inside |= set(sources)
            return
        with pytest.raises(LakeConflict) as caught:
            transaction.commit(kit.records(sources, transaction))
        assert {uri.removeprefix("file:///") for uri, _ in caught.value.known} == known
        transaction.abort()

    @rule()
    def compact(self) -> None:
        list(compact(self.lake, now=kit.FAR))

    @rule()
    def forget_and_reopen(self) -> None:
        self.lake = Lake.open(self.root)

    @rule()
    def purge_and_checkpoint(self) -> None:
        purge(self.lake, now=time.time(), grace=0)
        self.lake.recover()
        checkpoint.write(self.lake.store, self.lake.fold())

    @rule()
    def repair(self) -> None:
        repair(self.lake)
        assert [p for p in verify(self.lake, full=True) if not p.harmless] == []

    @invariant()
    def a_reader_sees_whole_sources(self) -> None:
        if not hasattr(self, "lake"):
            return
        before = sorted(str(p) for p in self.root.rglob("*"))
        reader = Lake.open(self.root)
        names = kit.snapshot_names(reader)
        state = reader.state()
        published = {name.partition(":")[0] for name in names}
        assert names == sorted(n for s in published for n in kit.names_of(s))
        assert published <= self.inside
        assert {s for s in NAMES if state.knows(f"file:///{s}", "e1")} == self.inside
        assert status(reader).flows == len(names)
        snapshot = reader.snapshot()
        brought = {c.version for c, _ in state.sources() if c.version <= snapshot.version}
        for day in (kit.TODAY, kit.TODAY + 1):  # every source has flows of both
            assert snapshot.lineage(day) == tuple(sorted(brought))
        sources = [s.uri for _, s in state.sources()]
        assert sorted(sources) == sorted(f"file:///{s}" for s in self.inside)
        assert sorted(str(p) for p in self.root.rglob("*")) == before, "a reader wrote"

    @invariant()
    def one_writer_puts_all_right(self) -> None:
        if not hasattr(self, "lake"):
            return
        copy = self.folder / "copy"
        shutil.copytree(self.root, copy, symlinks=True)
        kit.ingest(Lake.open(copy), [])
        kit.check(copy, self.inside)
        shutil.rmtree(copy)


TestLakeMachine = LakeMachine.TestCase
TestLakeMachine.settings = settings(
    max_examples=12,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
