"""Every shipped query against a full scan of the columns of `flows` that it reads, over one day.

A query that asks `sessions` or another derived table reads the columns that the table is made of.
`python -m benchmarks.cycle.scans LAKE SINCE UNTIL RUNS` prints a JSON row each.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.cycle.lakes import DAY, Made, python

BOUND = 2.0


def table(made: Made, runs: int) -> str:
    """Markdown, by how many full scans each query is, most first."""
    since = max(made.begin, made.end - 2 * DAY)
    arguments = (made.path(), since, since + DAY, runs)
    told = python("queries", "benchmarks.cycle.scans", *arguments).output.decode()
    rows = [json.loads(line) for line in told.splitlines()]
    rows.sort(key=lambda row: -row["cpu"] / (row["scan"] or 1e9))
    flows = rows[0]["flows"]
    lines = [
        f"\n{made.name}, one day of {flows:,} flows; asked: {BOUND:.0f} full scans at most\n",
        "| query | CPU s | full scan, CPU s | × | peak MB |",
        "|---|---:|---:|---:|---:|",
    ]
    for row in rows:
        scan = f"{row['scan']:.2f} | {row['cpu'] / row['scan']:.1f}" if row["scan"] else " | "
        lines.append(f"| {row['query']} | {row['cpu']:.2f} | {scan} | {row['peak'] / 1e6:,.0f} |")
    return "\n".join(lines)


def columns(sql: str, known: set[str], derived: dict[str, str]) -> set[str]:
    """Columns of `flows` that a query names, and those that the derived tables it names do."""
    import sqlglot

    tree = sqlglot.parse_one(sql, read="trino")
    named = {column.name for column in tree.find_all(sqlglot.exp.Column)} & known
    tables = {t.name for t in tree.find_all(sqlglot.exp.Table)} & set(derived)
    rest = {name: text for name, text in derived.items() if name not in tables}
    return named.union(*(columns(derived[name], known, rest) for name in tables))


def spent(work: Callable[[], object], runs: int) -> tuple[float, int]:
    """Median CPU seconds, and the peak of the process meanwhile."""
    seconds = []
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    for _ in range(runs):
        began = time.process_time()
        work()
        seconds.append(time.process_time() - began)
    status = Path("/proc/self/status").read_text()
    return statistics.median(seconds), int(status.split("VmHWM:")[1].split()[0]) * 1024


def main() -> None:
    from flowscan import queries
    from flowscan.engine import Engine
    from flowscan.lake import Lake
    from flowscan.schema import DEFAULT_FORMAT

    where, since, until, runs = sys.argv[1], *map(int, sys.argv[2:])
    snapshot = Lake.open(where).snapshot(since, until)
    derived = {query.id: query.sql for query in queries.derived()}
    scanned: dict[frozenset[str], float] = {}

    def asked(work: Callable[[Engine], object]) -> None:
        with Engine(snapshot, since=since, until=until) as engine:
            work(engine)

    def scan(read: frozenset[str]) -> float:
        listed = ", ".join(f'"{name}"' for name in sorted(read))
        sql = f"SELECT CAST(bit_xor(hash({listed})) AS VARCHAR) AS h FROM flows"
        return spent(lambda: asked(lambda engine: engine.query(sql)), runs)[0]

    flows: list[int] = []
    asked(lambda e: flows.append(e.query("SELECT count(*) AS n FROM flows")["n"][0].as_py()))
    # Before anything is timed: the first connection loads the libraries.
    known = set(snapshot.columns("flows"))
    scan(frozenset(DEFAULT_FORMAT))
    for query in (*queries.catalogue("analytics"), *queries.catalogue("aws")):
        read = frozenset(columns(query.sql, known, derived))
        if read and read not in scanned:
            scanned[read] = scan(read)
        cpu, peak = spent(lambda query=query: asked(lambda e: e.run(query)), runs)
        row = {"query": query.id, "cpu": cpu, "peak": peak, "scan": scanned.get(read)}
        print(json.dumps({**row, "flows": flows[0], "columns": sorted(read)}), flush=True)


if __name__ == "__main__":
    main()
