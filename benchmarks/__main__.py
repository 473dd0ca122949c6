"""`make bench`: generate, run flowscan and each peer in turn, print and save tables and plots.

    python -m benchmarks [SECTION …] [--runs 3] [--scratch FOLDER] [--quick]

Sections: ingest, scale, small, kinds, kernel, match, queries. Results go to benchmarks/out/.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.generate import generate
from benchmarks.measure import Series, interleave, run_once, table
from benchmarks.plots import plot

ROOT = Path(__file__).parent
OUT = ROOT / "out"


class Bench:
    def __init__(self, scratch: Path, runs: int, scale: int) -> None:
        self.scratch, self.runs, self.scale = scratch, runs, scale
        self.parts: list[str] = []
        self.numbers: dict[str, dict[str, object]] = {}
        OUT.mkdir(exist_ok=True)

    def say(self, text: str) -> None:
        print(text, flush=True)
        self.parts.append(text)

    def flowscan(self, name: str, data: Path, *options: str) -> Series:
        lake = self.scratch / f"lake-{name}"
        command = [sys.executable, "-m", "flowscan", "ingest", str(data), "--lake", str(lake)]
        return Series(name, [*command, *options], lake)

    def without_kernel(self, data: Path) -> Series:
        """Flowscan without its compiled kernel."""
        lake = self.scratch / "lake-nokernel"
        code = (
            "import sys\n"
            "sys.modules['flowscan.parse._kernel'] = None\n"
            "from flowscan.cli.main import run\n"
            "run()\n"
        )
        command = [sys.executable, "-c", code, "ingest", str(data), "--lake", str(lake)]
        return Series("flowscan, no compiler", command, lake)

    def peer(self, name: str, data: Path) -> Series:
        out = self.scratch / f"{name}.parquet"
        command = [sys.executable, "-m", "benchmarks.peers", name, str(data), str(out)]
        return Series(name, command, out)

    def record(self, section: str, all_series: list[Series], records: int) -> None:
        self.numbers.setdefault(section, {}).update(
            (
                s.name,
                {"records": records, "wall": s.wall, "cpu": s.cpu, "rss": s.rss, "size": s.size},
            )
            for s in all_series
        )

    def ingest(self) -> None:
        records = 8_000_000 // self.scale
        data = generate(self.scratch, records, 32)
        both = [self.flowscan("flowscan", data), self.without_kernel(data)]
        both += [self.peer(name, data) for name in ("polars", "pyarrow", "chdb", "duckdb")]
        interleave(both, self.runs)
        self.say(f"\n## Ingest: {records:,} default-format records in 32 gzip files\n")
        self.say(table(both, records, "polars"))
        self.record("ingest", both, records)
        slow = [self.flowscan("flowscan", data), self.peer("flowlogs-reader", data)]
        for series in slow:
            run_once(series)
        self.say("\nflowlogs-reader on the same records, once (it only reads):\n")
        self.say(table(slow, records, "flowlogs-reader"))

    def scaling(self) -> None:
        self.say("\n## Scale: one day of records, time and memory\n")
        for millions in (1, 10, 100):
            records = millions * 1_000_000 // self.scale
            data = generate(self.scratch, records, max(4, 4 * millions))
            series = self.flowscan(f"{records:,} records", data)
            interleave([series], 1 if millions == 100 else self.runs)
            self.record("scale", [series], records)
            wall = series.median("wall")
            self.say(
                f"* {records:,} records: {wall:.2f} s, {records / wall:,.0f} records/s, "
                f"peak {series.median('rss') / 1e6:,.0f} MB, lake {series.size / 1e6:,.0f} MB"
            )

    def small(self) -> None:
        records = 8_000_000 // self.scale
        many, few = generate(self.scratch, records, 10_000), generate(self.scratch, records, 32)
        both = [self.flowscan("10,000 files", many), self.flowscan("32 files", few)]
        interleave(both, self.runs)
        self.say(f"\n## Small files: {records:,} records in 10,000 and in 32 files\n")
        self.say(table(both, records, "32 files"))
        self.record("small", both, records)

    def kinds(self) -> None:
        records = 2_000_000 // self.scale
        self.say(f"\n## Other formats: {records:,} records each\n")
        all_series = [
            self.flowscan(kind, generate(self.scratch, records, 8, kind))
            for kind in ("v2", "v5", "ipv6", "parquet")
        ]
        interleave(all_series, self.runs)
        self.say(table(all_series, records, "v2"))
        self.record("kinds", all_series, records)

    def script(self, name: str) -> None:
        """A benchmark that prints its own table."""
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}"],
            check=False,
            capture_output=True,
            text=True,
        )
        self.say(f"\n## {name}\n\n{done.stdout.strip() or done.stderr[-500:]}")

    def save(self) -> None:
        machine = f"{os.cpu_count()} cores, {platform.processor() or platform.machine()}"
        text = f"# Benchmarks\n\n{machine}, Python {platform.python_version()}\n"
        (OUT / "results.md").write_text(text + "\n".join(self.parts) + "\n")
        (OUT / "results.json").write_text(json.dumps(self.numbers, indent=1))
        plot(self.numbers, OUT)


SECTIONS = {
    "ingest": Bench.ingest,
    "small": Bench.small,
    "kinds": Bench.kinds,
    "scale": Bench.scaling,
    "kernel": lambda b: b.script("kernel"),
    "match": lambda b: b.script("match"),
    "queries": lambda b: b.script("queries"),
    "s3": lambda b: b.script("s3_ingest"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", choices=[[], *SECTIONS], default=[])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()) / "flowscan")
    parser.add_argument("--quick", action="store_true", help="a tenth of the records")
    given = parser.parse_args()
    given.scratch.mkdir(parents=True, exist_ok=True)
    bench = Bench(given.scratch, given.runs, 10 if given.quick else 1)
    for name in given.sections or list(SECTIONS):
        SECTIONS[name](bench)
    bench.save()
    print(f"\nsaved to {OUT}", file=sys.stderr)


if __name__ == "__main__":
    main()
