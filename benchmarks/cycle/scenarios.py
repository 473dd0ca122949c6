"""What is measured over a lake. Each scenario begins with the same lake, whatever ran before."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.cycle import scans, serving
from benchmarks.cycle.lakes import DAY, Made, apart
from benchmarks.cycle.table import Results, Row
from benchmarks.measure import size_of

FINDINGS = 9_900


class Measure:
    """Collects rows; `runs` of each."""

    def __init__(self, made: Made, runs: int, results: Results) -> None:
        self.made, self.runs, self.results = made, runs, results

    def row(self, what: str) -> Row:
        print(f"{self.made.name}: {what}", file=sys.stderr, flush=True)
        self.results.rows.append(Row(self.made.name, what))
        return self.results.rows[-1]

    def ingest(self) -> None:
        """A day's objects into an empty lake: the one before today, or today's if it is alone."""
        made = self.made
        days = sorted({path.parent for path in made.objects()})
        chosen = days[-2:][0]
        row = self.row("ingest of a day")
        where = made.path(".ingested")
        for _ in range(self.runs):
            shutil.rmtree(where, ignore_errors=True)
            row.add(made.flowscan("ingest", made.idle, "ingest", chosen, "--lake", where))
        self.results.notes.append(f"{made.name}: a day's lake, {sizes(where)}.")
        shutil.rmtree(where)

    def idle(self) -> None:
        with self.made.copied() as lake:
            self._idle("idle cycle", lake)

    def evening(self) -> None:
        self._evening("evening cycle", self.made.path())

    def compacted(self) -> None:
        """The first cycle after a compaction that took all days in, also today."""
        made = self.made
        with made.copied(name="compacted") as lake:
            later = made.end + 2 * DAY
            spent = made.flowscan("compact", later, "lake", "compact", "--lake", lake)
            self.results.notes.append(f"{made.name}: compaction of all days {spent.cpu:.1f} CPU s.")
            row = self.row("idle, all days compacted")
            for _ in range(self.runs):
                with made.copied(lake) as copy:
                    row.add(made.run(copy, made.idle))
            self._evening("evening, all days compacted", lake)

    def findings(self) -> None:
        """As many findings are in the lake as a large estate has that nobody looks after."""
        made = self.made
        with made.copied(name="findings") as lake:
            apart(_plant, lake, made.end - min(3 * DAY, made.end - made.begin - DAY))
            made.run(lake, made.idle - 60)
            self._idle("idle, 9,900 findings", lake)
            row = self.row("findings list --format json, 9,900 findings")
            for _ in range(self.runs):
                options = ("findings", "list", "--format", "json", "--lake", lake)
                row.add(made.flowscan("findings list", made.idle, *options))
            self._evening("evening, 9,900 findings", lake)

    def late(self) -> None:
        """49 flows of 25 days ago arrive."""
        made = self.made
        if not made.objects("-late"):
            return
        row = self.row("49 flows of 25 days ago arrive")
        for _ in range(self.runs):
            with made.copied() as lake, made.delivered("-late"):
                row.add(made.run(lake, made.evening))

    def report(self) -> None:
        made, row = self.made, self.row("report of all days")
        page = made.path("-out") / "alone.html"
        for _ in range(self.runs):
            options = ("report", "--lake", made.path(), "-o", page)
            row.add(made.flowscan("report", made.idle, *options))

    def lookup(self) -> None:
        made, row = self.made, self.row("lookup of a busy address")
        for _ in range(self.runs):
            options = ("lookup", made.busy, "--lake", made.path())
            row.add(made.flowscan("lookup", made.idle, *options))

    def serve(self) -> None:
        first, other = self.row("serve, first page"), self.row("serve, another period")
        for _ in range(self.runs):
            for row, spent in zip((first, other), serving.pages(self.made), strict=True):
                row.add(spent)

    def queries(self) -> None:
        """Every shipped query over one whole day, against a scan of what it reads."""
        self.results.tables.append(scans.table(self.made, self.runs))

    def _idle(self, what: str, lake: Path) -> None:
        row = self.row(what)
        for _ in range(self.runs):
            row.add(self.made.run(lake, self.made.idle))

    def _evening(self, what: str, of: Path) -> None:
        made, row = self.made, self.row(what)
        for _ in range(self.runs):
            with made.copied(of) as lake, made.delivered():
                row.add(made.run(lake, made.evening))


SCENARIOS: dict[str, Callable[[Measure], None]] = {
    name: getattr(Measure, name)
    for name in (
        "ingest", "idle", "evening", "compacted", "findings", "late", "report", "lookup", "serve",
        "queries",
    )
}  # fmt: skip


def _plant(lake: Path, day: int) -> None:
    from benchmarks.report import plant
    from flowscan.lake import Lake

    plant(Lake.open(lake), FINDINGS, day)


def sizes(lake: Path) -> str:
    """Megabytes of a lake's tables, with their share of the flows."""
    flows = size_of(lake / "flows")
    parts = [p for p in sorted(lake.iterdir()) if p.is_dir()]
    return ", ".join(
        f"{p.name} {size_of(p) / 1e6:,.1f} MB ({size_of(p) / flows:.1%})" for p in parts
    )
