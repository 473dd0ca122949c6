"""What was measured and what was asked for, as a table for people and as JSON."""

from __future__ import annotations

import json
import os
import platform
import statistics
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

from benchmarks.measure import Spent

ASKED = {
    "week": {
        "idle cycle": 1.0,
        "evening cycle": 4.0,
        "idle, all days compacted": 1.0,
        "evening, all days compacted": 4.0,
        "idle, 9,900 findings": 1.5,
        "evening, 9,900 findings": 4.5,
        "report of all days": 2.5,
        "lookup of a busy address": 0.8,
        "serve, first page": 1.5,
        "serve, another period": 0.5,
    },
    "year": {"idle cycle": 1.0, "idle, all days compacted": 1.0},
    "busy": {"evening cycle": 4.0, "evening, all days compacted": 4.0},
    "random-4000000": {"detect": 15.0},
    "random-10000000": {"detect": 90.0},
}
"""CPU seconds, by lake (at full scale) and what is measured."""

Before = dict[tuple[str, str], float]
"""Median CPU seconds of earlier results, by lake and what was measured."""


@dataclass
class Row:
    """Runs of one thing over one lake; `stages` are the cycle's own wall seconds, a run each."""

    lake: str
    what: str
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    rss: list[int] = field(default_factory=list)
    stages: list[dict[str, float]] = field(default_factory=list)

    def add(self, spent: Spent) -> None:
        self.cpu.append(spent.cpu)
        self.wall.append(spent.wall)
        self.rss.append(spent.rss)
        if spent.output.startswith(b'{"flowscan":"run"'):
            told = json.loads(spent.output)
            self.stages.append({n: s["seconds"] for n, s in told["stages"].items()})

    def line(self, before: Before) -> str:
        cpu = statistics.median(self.cpu)
        stages = ", ".join(
            f"{name} {statistics.median(run[name] for run in self.stages):.2f}"
            for name in (self.stages[0] if self.stages else ())
            if max(run[name] for run in self.stages) >= 0.05
        )
        asked = _against(cpu, ASKED.get(self.lake, {}).get(self.what))
        earlier = _against(cpu, before.get((self.lake, self.what)))
        return (
            f"| {self.lake} | {self.what} | {cpu:.2f} ({min(self.cpu):.2f}–{max(self.cpu):.2f}) "
            f"| {asked} | {earlier} | {max(self.rss) / 1e6:,.0f} | {stages} |"
        )


def _against(cpu: float, other: float | None) -> str:
    return "" if other is None else f"{other:.2f} ({cpu / other:.2f} ×)"


def earlier(path: Path | None) -> Before:
    """The medians of a JSON file of results."""
    rows = json.loads(path.read_text())["rows"] if path else ()
    return {(row["lake"], row["what"]): statistics.median(row["cpu"]) for row in rows}


@dataclass
class Results:
    """All that was measured; `tables` are Markdown of their own."""

    before: Before
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)

    def markdown(self) -> str:
        """Tables of medians under a line that says on what they were measured."""
        lines = [machine(), "", *(f"* {note}" for note in self.notes), ""]
        lines += [
            "| lake | what | CPU s (min–max) | asked | before | peak MB | stages, wall s |",
            "|---|---|---:|---:|---:|---:|---|",
            *(row.line(self.before) for row in self.rows),
        ]
        return "\n".join([*lines, *self.tables])

    def save(self, folder: Path) -> None:
        """After every scenario: what was measured must not be lost by what comes later."""
        folder.mkdir(exist_ok=True)
        (folder / "cycle.md").write_text(f"# What a cycle costs\n\n{self.markdown()}\n")
        body = {"machine": machine(), "notes": self.notes, "tables": self.tables}
        rows = [asdict(row) for row in self.rows]
        (folder / "cycle.json").write_text(json.dumps({**body, "rows": rows}, indent=1))


def machine() -> str:
    """What the figures depend on."""
    cpu = platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        named = [x for x in info.read_text().splitlines() if x.startswith("model name")]
        cpu = named[0].split(":")[1].strip() if named else cpu
    names = ("flowscan", "duckdb", "polars", "pyarrow")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    load = os.getloadavg()[0]
    return (
        f"{cpu}, {os.cpu_count()} cores, load {load:.1f}; Python {platform.python_version()}, "
        f"{versions}. CPU seconds are user and system of the whole process and its children."
    )
