"""Matching at scale: 8 M flows × 120 k indicators, a million indicators, and peers in one run.

    python -m benchmarks.match [--flows 8000000] [--runs 3] [--scratch FOLDER] [--grepcidr PATH]

Everything is generated with a seed. The bare query is `SELECT count(*) … WHERE srcaddr IN (…)`
with the 120 k addresses as literals, on the same lake and the same engine. Peers get what they
can take: grepcidr the distinct addresses as text, DuckDB's plain range join the distinct
addresses as integers, pytricia and netaddr loops over distinct addresses (netaddr a sample,
extrapolated). Times are wall and CPU seconds, the best of the runs.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from flowscan.engine import Engine
from flowscan.feeds import Feed
from flowscan.feeds.store import FeedStore
from flowscan.lake import Lake, SourceRecord
from flowscan.match import FeedIndex, match

DAY = 86_400
BASE = 1_785_542_400
PER_FILE = 1_000_000


def texts(values: np.ndarray) -> list[str]:
    return [f"{v >> 24}.{v >> 16 & 255}.{v >> 8 & 255}.{v & 255}" for v in values.tolist()]


def public(rng: np.random.Generator, count: int) -> np.ndarray:
    """Addresses of blocks that no safety rule refuses."""
    return rng.integers(11 << 24, 95 << 24, count, dtype=np.int64)


def make_lake(where: Path, flows: int, external: int) -> tuple[Lake, np.ndarray]:
    """A lake of default-format flows between 500 hosts and `external` addresses, Zipf-like."""
    rng = np.random.default_rng(7)
    outside = np.unique(public(rng, external))
    rng.shuffle(outside)
    pool = pa.concat_arrays(
        [pa.array(texts(outside)), pa.array([f"10.0.{i >> 8}.{i & 255}" for i in range(500)])]
    )
    weights = np.cumsum(1 / np.arange(1, len(outside) + 1) ** 0.9)
    lake = Lake.open(where, create=True)
    for part in range(max(1, flows // PER_FILE)):
        n = min(flows, PER_FILE)
        drawn = np.searchsorted(weights, rng.random(n) * weights[-1])
        far, near = np.minimum(drawn, len(outside) - 1), len(outside) + rng.integers(0, 500, n)
        inbound = rng.random(n) < 0.5
        start = np.sort(BASE + part * DAY + rng.integers(0, DAY - 60, n))
        packets = rng.integers(1, 50, n)

        def coded(codes: np.ndarray, values: pa.Array) -> pa.DictionaryArray:
            used, inverse = np.unique(codes, return_inverse=True)
            return pa.DictionaryArray.from_arrays(
                pa.array(inverse.astype("i4")), values.take(pa.array(used))
            )

        columns = {
            "version": np.full(n, 2, "i4"),
            "account_id": coded(np.zeros(n, int), pa.array(["123456789012"])),
            "interface_id": coded(
                near - len(outside), pa.array([f"eni-{i:017x}" for i in range(500)])
            ),
            "srcaddr": coded(np.where(inbound, far, near), pool),
            "dstaddr": coded(np.where(inbound, near, far), pool),
            "srcport": rng.integers(32768, 61000, n).astype("i4"),
            "dstport": rng.choice([22, 443, 80, 3389, 8080, 53], n).astype("i4"),
            "protocol": np.full(n, 6, "i4"),
            "packets": packets,
            "bytes": packets * 200,
            "start": start,
            "end": start + 30,
            "action": coded((rng.random(n) < 0.3).astype(int), pa.array(["ACCEPT", "REJECT"])),
            "log_status": coded(np.zeros(n, int), pa.array(["OK"])),
        }
        transaction = lake.begin()
        transaction.write_flows(
            pa.RecordBatch.from_pydict({k: pa.array(v) for k, v in columns.items()})
        )
        transaction.commit([SourceRecord(f"file:///{part}", "x", n, None, "made", n, n, 0, 0, 0)])
    return lake, outside


def best(work: Callable[[], Any], runs: int) -> tuple[float, float, Any]:
    """Best wall and CPU seconds of some runs, and the last result."""
    wall = cpu = float("inf")
    result = None
    for _ in range(runs):
        started, used = time.perf_counter(), _cpu()
        result = work()
        wall, cpu = min(wall, time.perf_counter() - started), min(cpu, _cpu() - used)
    return wall, cpu, result


def _cpu() -> float:
    return sum(
        r.ru_utime + r.ru_stime
        for r in (
            resource.getrusage(resource.RUSAGE_SELF),
            resource.getrusage(resource.RUSAGE_CHILDREN),
        )
    )


def million(folder: Path) -> Path:
    """A million entries: addresses, ranges, CIDRs, a fifth IPv6."""
    rng = np.random.default_rng(1)
    four = texts(public(rng, 800_000))
    high, low = rng.integers(0x2A00, 0x2A0F, 200_000), rng.integers(0, 1 << 62, 200_000)
    lines = four[:650_000] + [f"{t.rpartition('.')[0]}.0/24" for t in four[650_000:780_000]]
    lines += [f"{t}-{t.rpartition('.')[0]}.255" for t in four[780_000:]]
    for i, (h, v) in enumerate(zip(high.tolist(), low.tolist(), strict=True)):
        a, b, c, d = (v >> shift & 65535 for shift in (48, 32, 16, 0))
        lines.append(
            f"{h:x}:{a:x}:{b:x}:{c:x}::{d:x}" if i < 150_000 else f"{h:x}:{c:x}:{d:x}::/48"
        )
    path = folder / "million.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


_LOAD = """
import resource, sys, time
started = time.perf_counter()
from flowscan.feeds import Feed
from flowscan.feeds.store import FeedStore
from flowscan.lake import Lake
from flowscan.match import FeedIndex
lake = Lake.open(sys.argv[1], create=True)
feed = FeedStore(lake).add(Feed("million", sys.argv[2])).feed
loaded = time.perf_counter() - started
index = FeedIndex(lake.read("indicators"), now=0)
print(feed.counts.indicators, feed.intervals, round(loaded, 2),
      round(time.perf_counter() - started - loaded, 2),
      resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--flows", type=int, default=8_000_000)
    parser.add_argument("--indicators", type=int, default=120_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--scratch", type=Path)
    parser.add_argument("--grepcidr", default=shutil.which("grepcidr"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        run(Path(folder), options)


def run(folder: Path, options: argparse.Namespace) -> None:
    numbers: dict[str, Any] = {}
    rows: list[tuple[str, str, str, str]] = []

    def note(name: str, wall: float, cpu: float, what: str) -> None:
        numbers[name] = {"wall": round(wall, 3), "cpu": round(cpu, 3), "what": what}
        rows.append((name, f"{wall:.2f}", f"{cpu:.2f}", what))
        print(f"{name:<44} {wall:8.2f} s wall {cpu:8.2f} s CPU  {what}", flush=True)

    lake, outside = make_lake(folder / "lake", options.flows, 400_000)
    rng = np.random.default_rng(9)
    n = options.indicators
    seen = rng.choice(outside, n // 40, replace=False)
    chosen = np.concatenate([seen, public(rng, n - n // 40)])
    bad = texts(chosen)
    networks = [f"{t.rpartition('.')[0]}.0/24" for t in texts(public(rng, 500))]
    (folder / "bad.txt").write_text("\n".join([*bad, *networks]) + "\n")
    FeedStore(lake).add(Feed("bench", str(folder / "bad.txt"), category="c2"))

    literal = ",".join(f"'{t}'" for t in bad)
    bare_sql = f"SELECT count(*) FROM flows WHERE srcaddr IN ({literal})"
    selected = "SELECT count(*) FROM flows WHERE srcaddr IN (SELECT text FROM bad)"
    snapshot = lake.snapshot()
    with Engine(snapshot, tables={"bad": pa.table({"text": bad})}) as engine:
        wall, cpu, found = best(lambda: engine.execute(bare_sql), options.runs)
        note("bare query, IN (120 k literals)", wall, cpu, f"{found.column(0)[0]} flows of srcaddr")
        wall2, cpu2, _ = best(lambda: engine.execute(selected), options.runs)
        note("bare query, IN (SELECT …)", wall2, cpu2, "the same, list as a table")
        distinct = engine.execute("SELECT srcaddr AS a FROM flows UNION SELECT dstaddr FROM flows")
    w, c, result = best(lambda: match(lake, save=False, now=BASE), options.runs)
    note("flowscan match, whole", w, c, f"{result.rows.num_rows} rows, {result.stats.seconds}")
    numbers["match / bare"] = {"wall": round(w / wall, 2), "cpu": round(c / cpu, 2)}
    print(f"match takes {w / wall:.2f} × the bare query (CPU {c / cpu:.2f} ×); the limit is 1.5 ×")

    addresses = distinct.column(0).to_pylist()
    index = FeedIndex(lake.read("indicators"), now=BASE)
    column = distinct.column(0).combine_chunks()
    w, c, (hits, _) = best(lambda: index.find(column), options.runs)
    note(
        "flowscan look-up of distinct addresses", w, c, f"{len(addresses)} → {len(hits.row)} listed"
    )
    peers(folder, options, addresses, bad + networks, column, note)

    script = [sys.executable, "-c", _LOAD, str(folder / "lake-million"), str(million(folder))]
    used, started = _cpu(), time.perf_counter()
    out = subprocess.run(script, check=True, capture_output=True, text=True).stdout.split()
    what = (
        f"{out[0]} indicators → {out[1]} intervals; add {out[2]} s, index {out[3]} s, {out[4]} MiB"
    )
    note(
        "1 M indicators: parse, check, keep, index",
        time.perf_counter() - started,
        _cpu() - used,
        what,
    )
    save(numbers, rows)


def peers(
    folder: Path,
    options: argparse.Namespace,
    addresses: list[str],
    entries: list[str],
    column: Any,
    note: Callable[[str, float, float, str], None],
) -> None:
    """The same look-up, distinct addresses against the list, by others."""
    if options.grepcidr:
        (folder / "seen.txt").write_text("\n".join(addresses) + "\n")
        command = [options.grepcidr, "-f", str(folder / "bad.txt"), str(folder / "seen.txt")]
        w, c, out = best(
            lambda: subprocess.run(command, capture_output=True, check=True), options.runs
        )
        note("grepcidr", w, c, f"{len(out.stdout.splitlines())} listed")
    else:
        print("grepcidr is not on the PATH (Debian: grepcidr) and was not given with --grepcidr")
    import pytricia

    def tree() -> int:
        trie = pytricia.PyTricia(32)
        for entry in entries:
            trie[entry] = 1
        return sum(1 for a in addresses if a in trie)

    w, c, number = best(tree, options.runs)
    note("pytricia, build and loop", w, c, f"{number} listed")
    range_join(addresses, entries, note, options.runs)
    import netaddr

    sample = addresses[: max(1, len(addresses) // 100)]
    started, used = time.perf_counter(), _cpu()
    listed = netaddr.IPSet(entries[:12_000])
    build, build_cpu = time.perf_counter() - started, _cpu() - used
    started, used = time.perf_counter(), _cpu()
    sum(1 for a in sample if netaddr.IPAddress(a) in listed)
    w = build * len(entries) / 12_000 + (time.perf_counter() - started) * 100
    c = build_cpu * len(entries) / 12_000 + (_cpu() - used) * 100
    note(
        "netaddr.IPSet, build and loop (extrapolated)",
        w,
        c,
        "from 10 % of the list, 1 % of the addresses",
    )


def range_join(
    addresses: list[str],
    entries: list[str],
    note: Callable[[str, float, float, str], None],
    runs: int,
) -> None:
    """DuckDB with integers ready on both sides: BETWEEN as its planner likes it."""
    from flowscan.net.address import parse_address, parse_interval

    values = [v[1] for a in addresses if (v := parse_address(a)) and v[0] == 4]
    spans = [s for e in entries if (s := parse_interval(e))]
    seen = pa.table({"v": pa.array(values, pa.int64())})
    ranges = pa.table(
        {
            "a": pa.array([s.first for s in spans], pa.int64()),
            "b": pa.array([s.last for s in spans], pa.int64()),
        }
    )

    class Nothing:
        def uniform(self, table: str) -> bool:
            return True

        def uris(self, table: str) -> list[str]:
            return []

        def columns(self, table: str) -> list[str]:
            return []

    with Engine(Nothing(), tables={"seen": seen, "ranges": ranges}) as engine:
        sql = "SELECT count(DISTINCT v) FROM seen JOIN ranges ON v BETWEEN a AND b"
        w, c, out = best(lambda: engine.execute(sql), runs)
    note("DuckDB range join (integers prepared)", w, c, f"{out.column(0)[0]} listed")


def save(numbers: dict[str, Any], rows: list[tuple[str, str, str, str]]) -> None:
    out = Path(__file__).parent / "out"
    out.mkdir(exist_ok=True)
    (out / "match.json").write_text(json.dumps(numbers, indent=2) + "\n")
    lines = ["| what | wall s | CPU s | result |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    (out / "match.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
