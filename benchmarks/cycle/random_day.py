"""`detect` over a day of records that have nothing to do with each other: the worst there is."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.cycle.lakes import DAY, apart, python
from benchmarks.cycle.table import Row


def measure(scratch: Path, flows: int, runs: int, *, again: bool) -> Row:
    """All detections over a lake of one day, which is made first, or `again`."""
    from benchmarks.generate import DAY as BEGIN

    lake, objects = scratch / f"random-{flows}", scratch / f"random-{flows}-src"
    if again:
        shutil.rmtree(lake, ignore_errors=True)
    if not lake.exists():
        apart(_generate, objects, flows)
        python("ingest", "flowscan", "ingest", objects, "--lake", lake)
        shutil.rmtree(objects)
    row = Row(lake.name, "detect")
    for _ in range(runs):
        options = ("detect", "--again", "--lake", lake)
        row.add(python("detect", "benchmarks.cycle.at", BEGIN + DAY, *options))
    return row


def _generate(where: Path, flows: int) -> None:
    from benchmarks.generate import generate

    generate(where, flows, 32)
