"""Measure commands as whole processes: wall, CPU, peak memory, size of what they wrote."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Series:
    """Runs of one command. Seconds, and bytes."""

    name: str
    command: Sequence[str]
    out: Path
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    rss: list[int] = field(default_factory=list)
    size: int = 0

    def median(self, what: str) -> float:
        return statistics.median(getattr(self, what))

    def spread(self, what: str) -> str:
        values = getattr(self, what)
        return f"{min(values):.2f}–{max(values):.2f}"


@dataclass(frozen=True)
class Spent:
    """What one process and its children took: seconds, bytes, and what it printed."""

    wall: float
    cpu: float
    rss: int
    output: bytes


def spend(name: str, command: Sequence[str]) -> Spent:
    """One run with the kernel's own accounting of the finished process and its children."""
    started = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.PIPE)
        errors = process.stderr.read() if process.stderr else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - started
        output.seek(0)
        printed = output.read()
    if process.returncode != 0:
        text = (errors or printed).decode(errors="replace")
        sys.exit(f"{name} failed, exit code {process.returncode}: {text[-800:]}")
    return Spent(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, printed)


def run_once(series: Series) -> None:
    """One run of the series, into an empty place."""
    if series.out.is_dir():
        shutil.rmtree(series.out)
    series.out.unlink(missing_ok=True)
    spent = spend(series.name, series.command)
    series.wall.append(spent.wall)
    series.cpu.append(spent.cpu)
    series.rss.append(spent.rss)
    series.size = size_of(series.out)


def size_of(path: Path) -> int:
    if path.is_dir():
        return sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
    return path.stat().st_size if path.exists() else 0


def interleave(all_series: Sequence[Series], runs: int) -> None:
    """One warm-up, then A B C A B C …, so that a machine that slows down slows all of them."""
    for number in range(runs + 1):
        for series in all_series:
            run_once(series)
            print(f"  {series.name}: {series.wall[-1]:.2f} s", file=sys.stderr, flush=True)
            if number == 0:
                series.wall.clear()
                series.cpu.clear()
                series.rss.clear()


def table(all_series: Sequence[Series], records: int, reference: str) -> str:
    """Markdown table of medians; `reference` is the series that ratios are against."""
    base = next(s for s in all_series if s.name == reference)
    lines = [
        f"| | wall s (min–max) | records/s | CPU s | peak MB | output MB | speed, × {reference} |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for s in sorted(all_series, key=lambda s: s.median("wall")):
        wall = s.median("wall")
        lines.append(
            f"| {s.name} | {wall:.2f} ({s.spread('wall')}) | {records / wall:,.0f} "
            f"| {s.median('cpu'):.2f} | {s.median('rss') / 1e6:,.0f} | {s.size / 1e6:,.1f} "
            f"| {base.median('wall') / wall:.2f} |"
        )
    return "\n".join(lines)
