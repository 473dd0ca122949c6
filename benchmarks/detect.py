"""Time and memory of all detections over 8 M flows, against ten plain GROUP BYs of the same lake.

`python -m benchmarks.detect [--flows 8000000] [--v5] [--pairs] [--copies 1] [--lake DIR]`;
`--pairs` adds a million distinct pairs of addresses, `--copies` has so many estates of that size
beside each other on the same two days, `--lake` keeps the lake in a folder and uses it again. The
bound is three times the GROUP BYs, in wall and in CPU seconds, and for 8 M flows 2 GiB; all are
printed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.evaluate.background import add_day, estate
from benchmarks.evaluate.lake import append, write
from benchmarks.evaluate.traffic import Traffic, records
from flowscan.detect import Options, detect, store
from flowscan.engine import Engine
from flowscan.lake import Lake

BEGIN = 1_785_542_400
GROUPS = (
    "srcaddr", "dstaddr", "dstport", "srcaddr, dstaddr", "dstaddr, dstport", "interface_id",
    "protocol, action", "srcaddr, dstport", "action, dstport", "srcaddr, dstaddr, dstport",
)  # fmt: skip


def flows(count: int, *, pairs: bool) -> pl.DataFrame:
    rng = np.random.default_rng(5)
    e = estate(rng, 100)
    t = Traffic(rng)
    for day in range(2):
        add_day(t, e, BEGIN + day * 86_400, scale=5.0)
    if pairs:
        n = 1_000_000
        octets = rng.integers(1, 255, (n, 3))
        clients = [f"{a}.{b}.{c}.{i % 250 + 1}" for i, (a, b, c) in enumerate(octets.tolist())]
        t.add(np.array(clients), rng.choice(e.hosts["lb"], n), 23, BEGIN + rng.random(n) * 86_400,
              packets_out=1, packets_in=0, bytes_out=40, bytes_in=0, action="REJECT",
              established=False, duration=0.0)  # fmt: skip
    made = records(t.connections(), e.interfaces)
    return (
        pl.concat([made] * (count // len(made) + 1)).head(count)
        if len(made) < count
        else (made.head(count))
    )


def estate_of(made: pl.DataFrame, copy: int) -> pl.DataFrame:
    """The same traffic with interfaces and private addresses of its own, the same strangers."""
    moved = [pl.col(c).str.replace(r"^10\.\d+\.", f"10.{copy}.") for c in ("srcaddr", "dstaddr")]
    return made.with_columns(
        *moved, pl.concat_str(pl.col("interface_id").cast(pl.String), pl.lit(f"{copy:02x}"))
    )


def group_bys(lake: Lake) -> None:
    with Engine(lake.snapshot()) as engine:
        for keys in GROUPS:
            engine.query(
                f"SELECT {keys}, count(*) AS n, sum(bytes) AS b FROM flows GROUP BY {keys} "
                "ORDER BY b DESC LIMIT 20"
            )


def clocks() -> np.ndarray:
    """Wall and CPU (user and system) seconds so far."""
    return np.array([time.perf_counter(), time.process_time()])


def measure(where: Path) -> None:
    """Run in a process of its own, so that the peak is that of detecting."""
    lake = Lake.open(where)
    began = clocks()
    group_bys(lake)
    plain = clocks() - began
    began = clocks()
    result = detect(lake, Options(again=True), now=BEGIN + 10 * 86_400)
    took = clocks() - began
    # Not getrusage: its peak is that of the parent, which made the data.
    status = Path("/proc/self/status").read_text().split("VmHWM:")[1]
    peak = int(status.split()[0]) / 2**20
    for name, base, all_ in zip(("wall", "CPU"), plain, took, strict=True):
        print(f"{name}: ten GROUP BYs {base:.1f} s, {len(result.ran)} detections {all_:.1f} s, "
              f"ratio {all_ / base:.1f}")  # fmt: skip
    slowest = sorted(result.seconds.items(), key=lambda item: -item[1])[:12]
    print(f"peak {peak:.2f} GiB;", ", ".join(f"{name} {s:.1f}" for name, s in slowest))
    print(f"{len(store.load(lake))} findings, left out: {dict(result.left_out)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flows", type=int, default=8_000_000)
    parser.add_argument("--v5", action="store_true")
    parser.add_argument("--pairs", action="store_true")
    parser.add_argument("--copies", type=int, default=1, choices=range(1, 200), metavar="N")
    parser.add_argument("--lake", type=Path, help="folder to keep the lake in")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        where = args.lake or Path(folder) / "lake"
        if not where.exists():
            made = flows(args.flows, pairs=args.pairs)
            lake = write(where, made, v2=not args.v5)
            for copy in range(1, args.copies):
                append(lake, estate_of(made, copy), v2=not args.v5, name=f"copy-{copy}")
        child = multiprocessing.get_context("spawn").Process(target=measure, args=(where,))
        child.start()
        child.join()


if __name__ == "__main__":
    main()
