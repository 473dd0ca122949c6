"""A program of its own, single-threaded, so that forking it is sound: the crash matrix.

Kills a child at every operation of the store, runs once more without a fault, checks the lake.
Prints the number of operations. Usage: crash_matrix.py FOLDER (ingest|everything)
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import lake_kit as kit
import pyarrow as pa

from flowscan.lake import Lake
from flowscan.lake.verify import repair, verify


def some(lake: Lake) -> None:
    kit.ingest(lake, ["a", "b"])


def main(folder: Path, which: str) -> None:
    work, sources = {"ingest": (some, "ab"), "everything": (kit.everything, "abcd")}[which]
    count = kit.Count()
    work(kit.open_at(folder / "dry", count))
    kit.check(folder / "dry", list(sources))
    for root in kit.killed_runs(folder, work, range(len(count.seen))):
        lake = Lake.open(root, create=True)
        try:
            work(lake)
            kit.check(root, list(sources))
        except BaseException:
            print("after", count.seen[int(root.name[1:]) - 1 :][:2], root)
            raise
        if which == "everything":
            assert lake.read("indicators")["indicator"].to_pylist() == ["1.1.1.1", "2.2.2.2"]
            assert lake.get_blob("feed", "list") == b"original"
            kit.check_derived(root)
        repair(lake)
        assert verify(lake, full=True) == []
        shutil.rmtree(root)
    print(len(count.seen))


if __name__ == "__main__":
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    main(Path(sys.argv[1]), sys.argv[2])
