"""A program of its own, single-threaded, so that forking it is sound: the upgrade's crash matrix.

Kills a child that upgrades a copy of a lake of format 1 at every operation of the store, looks at
what is left as flowscan 0.1.0 would and as this one does, upgrades again and checks the lake.
Prints the pairs of formats, of the ledger and of the marker, that the kills have left.
Usage: upgrade_matrix.py LAKE FOLDER
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import format_one
import lake_kit as kit
import pyarrow as pa

from flowscan.lake import Lake, layout, marker
from flowscan.lake.local_store import LocalStore
from flowscan.lake.upgrade import plan, upgrade
from flowscan.lake.verify import verify


def sources(root: Path) -> set[str]:
    return {name.partition(":")[0] for name in kit.live_names(root)}


def refused(root: Path) -> bool:
    """Whether 0.1.0 opens the lake and reads its ledger."""
    try:
        format_one.Writer(root)
    except format_one.TooNew:
        return True
    return False


def check(root: Path) -> None:
    """The lake has all sources, also the one that was committed and not published."""
    lake = Lake.open(root)
    assert lake.format == marker.read(lake.store) == 2
    assert not plan(lake).needed
    assert sources(root) == {"a", "b", "c", "late"}
    assert lake.snapshot().lineage(kit.TODAY) == (1, 2, 3, 4)
    assert [p for p in verify(lake, full=True) if not p.harmless] == []
    assert refused(root)
    assert kit.ingest(lake, ["late", "d"]) == 1
    assert lake.store.folders(layout.STAGING) == []
    assert refused(root)


def main(root: Path, folder: Path) -> None:
    count = kit.Count()
    shutil.copytree(root, folder / "dry")
    upgrade(Lake.on(LocalStore(folder / "dry", fault=count)))
    check(folder / "dry")
    left = set()
    for k in range(len(count.seen)):
        copy = folder / f"k{k}"
        shutil.copytree(root, copy)
        child = os.fork()
        if child == 0:
            try:
                upgrade(Lake.on(LocalStore(copy, fault=kit.Kill(k))))
            finally:
                os._exit(0)
        _, wait = os.waitpid(child, 0)
        assert os.WIFSIGNALED(wait), f"operation {k} was not reached"
        lake = Lake.open(copy)
        left.add((lake.format, marker.read(lake.store)))
        assert sources(copy) >= {"a", "b", "c"}
        assert refused(copy) == (lake.format == 2)
        upgrade(lake)
        check(copy)
        shutil.rmtree(copy)
    print(*(f"({ledger},{marked})" for ledger, marked in sorted(left)))


if __name__ == "__main__":
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
