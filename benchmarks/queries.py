"""Latency of the standing questions on one lake, as multiples of plain scans of the same lake.

    python -m benchmarks.queries [--lake LAKE] [--records 8000000] [--scratch FOLDER]

A *full scan* reads the columns that the report needs once (`SELECT bit_xor(hash(…))`), in the same
process and run, so a ratio says how much more than reading the data a command does.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.generate import generate
from flowscan import queries
from flowscan.engine import Engine
from flowscan.ingest import ingest
from flowscan.lake import Lake
from flowscan.sources import SourceOptions, open_source

SCAN = (
    "SELECT CAST(bit_xor(hash(srcaddr, dstaddr, dstport, srcport, protocol, action, interface_id, "
    '"start", "end", packets, bytes)) AS VARCHAR) AS h FROM flows'
)
NAMED = (
    "rejected-ports",
    "top-talkers",
    "top-pairs",
    "inbound-sensitive",
    "accepted-after-rejected",
    "traffic-by-hour",
)
ONE_ADDRESS = "SELECT count(*) FROM flows WHERE srcaddr = '10.0.206.44'"
ONE_HOUR = 'SELECT dstport, count(*) FROM flows WHERE "start" >= {0} AND "start" < {1} GROUP BY 1'


def prepared(records: int, scratch: Path) -> Lake:
    """A lake of generated records; made once per scratch folder."""
    where = scratch / f"lake-queries-{records}"
    lake = Lake.open(where, create=True)
    data = generate(scratch, records, max(4, records // 250_000))
    ingest(lake, [open_source(str(data), SourceOptions())])
    return lake


def timed(work: Callable[[], object], runs: int) -> float:
    """Median wall seconds after one warm-up."""
    work()
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def questions(lake: Lake) -> dict[str, Callable[[], object]]:
    """What is timed: SQL through the engine, and the two commands that everybody runs."""

    def sql(text: str) -> Callable[[], object]:
        def run() -> object:
            with Engine(lake.snapshot()) as engine:
                return engine.query(text)

        return run

    def named(name: str) -> Callable[[], object]:
        def run() -> object:
            with Engine(lake.snapshot()) as engine:
                return engine.run(queries.load(name))

        return run

    def report() -> object:
        from flowscan.report import build

        return build(lake)

    def detect() -> object:
        from flowscan.detect import detect as run

        return run(lake)

    with Engine(lake.snapshot()) as engine:
        first = engine.query('SELECT min("start") AS t FROM flows')["t"][0].as_py()
    hour = ONE_HOUR.format(first + 36_000, first + 39_600)
    return {
        "full scan": sql(SCAN),
        "one address": sql(ONE_ADDRESS),
        "one hour by port": sql(hour),
        **{name: named(name) for name in NAMED},
        "report": report,
        "detect": detect,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lake", type=Path)
    parser.add_argument("--records", type=int, default=8_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()) / "flowscan")
    parser.add_argument("--skip", nargs="*", default=[])
    given = parser.parse_args()
    lake = Lake.open(given.lake) if given.lake else prepared(given.records, given.scratch)
    flows = lake.snapshot().rows("flows")
    print(f"{flows:,} flows\n\n| question | median s | × full scan |\n|---|---:|---:|")
    base = 0.0
    for name, work in questions(lake).items():
        if name in given.skip:
            continue
        seconds = timed(work, 1 if name == "detect" else given.runs)
        base = base or seconds
        print(f"| {name} | {seconds:.2f} | {seconds / base:.2f} |", flush=True)


if __name__ == "__main__":
    main()
