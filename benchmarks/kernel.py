"""Parsing alone: the compiled kernel with each scan, the NumPy parser, and pl.read_csv.

    python -m benchmarks.kernel [--records 1000000] [--runs 7] [--kind v2|v5|ipv6]

Text in memory → typed columns in memory, in turn within one process; CPU seconds of the whole
process (the peers use threads), medians and spread. The ratio is against the kernel.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.generate import generate
from flowscan.parse import native_text
from flowscan.parse.arrow_text import ArrowText
from flowscan.parse.header import plan_of
from flowscan.parse.model import Plan
from flowscan.schema import arrow_type

BLOCK = 8 << 20


def text_and_plan(folder: Path) -> tuple[bytes, Plan]:
    """All text of a folder as one object with one header, and its plan."""
    parts = [gzip.decompress(p.read_bytes()) for p in sorted(folder.rglob("*.log.gz"))]
    header = parts[0].split(b"\n", 1)[0] + b"\n"
    plan = plan_of(header)
    assert plan
    return header + b"".join(p.removeprefix(header) for p in parts), plan


def blocks(text: bytes, plan: Plan, make: Callable[[], object]) -> Callable[[], int]:
    """A run of a flowscan parser: blocks as ingest feeds them, drained every million rows."""
    parser = make()

    def run() -> int:
        flows, at, line = 0, 0, 1
        while at < len(text):
            view = memoryview(text)[at : at + BLOCK]
            fed = parser.feed(view, line, final=at + len(view) == len(text))
            at, line, flows = at + fed.consumed, line + fed.lines, flows + fed.flows + fed.nodata
            if parser.rows >= 1_000_000:
                parser.drain()
        parser.drain()
        return flows

    return run


def read_csv(text: bytes, plan: Plan) -> Callable[[], int]:
    """Polars as its documentation reads such a file, with the types of the columns."""
    import polars as pl

    kinds = {"int32": pl.Int32, "int64": pl.Int64, "string": pl.String}
    types = {name: kinds[str(arrow_type(name))] for name in plan.columns}

    def run() -> int:
        return pl.read_csv(
            io.BytesIO(text),
            separator=" ",
            has_header=False,
            skip_rows=1,
            null_values="-",
            quote_char=None,
            schema=types,
        ).height

    return run


def measure(ways: dict[str, Callable[[], int]], runs: int) -> dict[str, list[float]]:
    """CPU seconds of each way, A B C A B C …, after a warm-up; all must find the same records."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    found = {run() for run in ways.values()}
    assert len(found) == 1, found
    for _ in range(runs):
        for name, run in ways.items():
            started = time.process_time()
            run()
            seconds[name].append(time.process_time() - started)
    return seconds


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--records", type=int, default=1_000_000)
    options.add_argument("--runs", type=int, default=7)
    options.add_argument("--kind", default="v2", choices=["v2", "v5", "ipv6"])
    options.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()) / "flowscan")
    given = options.parse_args()
    if not native_text.available():
        sys.exit("the kernel is not built: python setup.py build_ext --inplace")
    text, plan = text_and_plan(generate(given.scratch, given.records, 4, given.kind))
    scans = {native_text.instructions(), "sse2" if sys.platform != "darwin" else "neon", "plain"}

    def native(scan: str) -> Callable[[], object]:
        return lambda: native_text.NativeText(plan, max_line=65_536, instructions=scan)

    ways = {f"kernel, {scan}": blocks(text, plan, native(scan)) for scan in sorted(scans)}
    ways["ArrowText"] = blocks(text, plan, lambda: ArrowText(plan, max_line=65_536))
    ways["pl.read_csv"] = read_csv(text, plan)
    seconds = measure(ways, given.runs)
    best = statistics.median(seconds[f"kernel, {native_text.instructions()}"])
    print(f"{given.kind}: {given.records:,} records, {len(text) / 1e6:.0f} MB of text\n")
    print("| | CPU s (min–max) | M records/CPU s | MB/CPU s | CPU, × kernel |")
    print("|---|---:|---:|---:|---:|")
    for name, values in seconds.items():
        middle = statistics.median(values)
        print(
            f"| {name} | {middle:.3f} ({min(values):.3f}–{max(values):.3f}) "
            f"| {given.records / middle / 1e6:.2f} | {len(text) / middle / 1e6:.0f} "
            f"| {middle / best:.2f} |"
        )
    out = Path(__file__).parent / "out"
    out.mkdir(exist_ok=True)
    (out / f"kernel-{given.kind}.json").write_text(json.dumps(seconds, indent=1))


if __name__ == "__main__":
    main()
