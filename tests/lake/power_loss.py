"""A program of its own: the lake after a power cut, with what was not fsynced lost or not.

While a lake is written, the states that a power cut could leave are kept, one before each
operation of the store: of a folder the names that its last fsync made durable, of a file the
content that its last fsync did. The worst state has nothing else. Mixed ones have any part of
the rest, name by name: POSIX promises no order. One thing is taken for granted, as every
journaling file system does it: a rename never loses the file under both names.

Each state is then opened, written once more and checked like any lake. Prints their number.
Usage: power_loss.py FOLDER (ingest|everything)
"""

from __future__ import annotations

import os
import random
import shutil
import sys
from pathlib import Path

import lake_kit as kit
import pyarrow as pa
from crash_matrix import some

from flowscan.lake import Lake
from flowscan.lake.verify import repair, verify

Names = dict[str, dict[str, int | None]]
"""Per folder its names: the number of a file, None for a folder."""
MIXED = 2


class Disk:
    """What of a lake is durable, and its states so far."""

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self.names: Names = {self.root: {}}
        self.content: dict[int, bytes] = {}
        self.operations: list[tuple[str, str]] = []
        self.states: list[tuple[Names, Names, dict[int, bytes], dict[int, bytes]]] = []
        self._fsync = os.fsync
        os.fsync = self.fsync

    def fsync(self, fd: int) -> None:
        self._fsync(fd)
        path = Path(f"/proc/self/fd/{fd}").readlink()
        if not str(path).startswith(self.root) or path.name.endswith("(deleted)"):
            return
        if path.is_dir():
            self.names[str(path)] = listing(str(path))
        else:
            self.content[os.fstat(fd).st_ino] = path.read_bytes()

    def __call__(self, operation: str, key: str) -> None:
        self.operations.append((operation, key))
        now: Names = {}
        written: dict[int, bytes] = {}
        for folder, _, files in os.walk(self.root):
            now[folder] = listing(folder)
            for name in files:
                path = Path(folder, name)
                written[path.stat().st_ino] = path.read_bytes()
        durable = {folder: dict(names) for folder, names in self.names.items()}
        self.states.append((durable, now, dict(self.content), written))

    def done(self) -> None:
        os.fsync = self._fsync


def listing(folder: str) -> dict[str, int | None]:
    with os.scandir(folder) as entries:
        return {e.name: None if e.is_dir(follow_symlinks=False) else e.inode() for e in entries}


def mixed(durable: Names, now: Names, dice: random.Random) -> Names:
    """Names of a state in which each change since the last fsync has happened or not."""
    out: Names = {}
    kept: set[int | None] = set()
    for folder in {*durable, *now}:
        old, new = durable.get(folder, {}), now.get(folder, {})
        out[folder] = {}
        for name in {*old, *new}:
            chosen = old if dice.random() < 0.5 else new
            if name in chosen:
                out[folder][name] = chosen[name]
                kept.add(chosen[name])
    for folder, names in durable.items():  # a renamed file has one of its names
        linked = {i for inside in now.values() for i in inside.values()}
        for name, file in names.items():
            if file is not None and file in linked and file not in kept:
                out[folder][name] = file
    return out


def lay(root: Path, source: str, names: Names, content: dict[int, bytes]) -> None:
    """Make a folder of a state; a folder that has no name of its own is lost with all in it."""
    root.mkdir(mode=0o700, parents=True)
    for name, file in names.get(source, {}).items():
        if file is None:
            lay(root / name, f"{source}/{name}", names, content)
        else:
            (root / name).write_bytes(content.get(file, b""))


def main(folder: Path, which: str) -> None:
    work, sources = {"ingest": (some, "ab"), "everything": (kit.everything, "abcd")}[which]
    dry = folder / "dry"
    dry.mkdir(mode=0o700)
    disk = Disk(Path(os.path.realpath(dry)))
    work(kit.open_at(dry, disk))
    disk("end", "")
    disk.done()
    dice, count = random.Random(5), 0
    for number, (durable, now, content, written) in enumerate(disk.states):
        for variant in range(1 + MIXED):
            names = mixed(durable, now, dice) if variant else durable
            data = {i: written[i] if dice.random() < 0.5 else b"" for i in written}
            root = folder / f"s{number}-{variant}"
            lay(root, disk.root, names, ({**data, **content}) if variant else content)
            try:
                lake = Lake.open(root, create=True)
                work(lake)
                kit.check(root, list(sources))
                repair(lake)
                assert verify(lake, full=True) == []
            except BaseException:
                print("before", disk.operations[number], variant, root)
                raise
            shutil.rmtree(root)
            count += 1
    print(count)


if __name__ == "__main__":
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    main(Path(sys.argv[1]), sys.argv[2])
