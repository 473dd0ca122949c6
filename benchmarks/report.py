"""The report of 8 M flows with 500 findings against `detect` alone: time, size, and the browser.

`python -m benchmarks.report [--flows 8000000] [--findings 500] [--runs 3]`. Bounds: the command
under 1.5 times `detect`, the file under 5 MB, open in under 2 s. Ten plain GROUP BYs of the same
lake are the second measure: they do not move when the detections do.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa

from benchmarks.detect import BEGIN, flows, group_bys
from benchmarks.evaluate.lake import write
from benchmarks.measure import Series, run_once, table
from flowscan import findings, schema
from flowscan.detect import catalogue, store
from flowscan.lake import Lake

DAY = 86_400
SIZE_BOUND, OPEN_BOUND, TIME_BOUND = 5_000_000, 2.0, 1.5


def plant(lake: Lake, count: int, begin: int = BEGIN) -> None:
    """Fill the findings up to `count`, of the day from `begin`, each with 20 actors and 10 rows."""
    known = store.load(lake)
    kinds = catalogue()
    made = [_finding(kinds[n % len(kinds)], n, begin) for n in range(count - len(known))]
    rows = [findings.to_row(f) for f in (*known, *made)]
    small = schema.small_schema("findings")
    lake.replace("findings", lambda _: pa.Table.from_pylist(rows, schema=small))


def _finding(kind: object, n: int, begin: int) -> findings.Finding:
    first = begin + n * 97 % DAY
    counts = findings.Counts(first, first + 3600, 40, 400, 1_000_000 * n)
    address = f"10.0.{n // 250}.{n % 250}"
    actors = tuple(
        findings.Actor(f"203.0.{n % 250}.{a}", counts, {"feed": "planted"}) for a in range(20)
    )
    samples = [
        {"actor": a.address, "port": 22, "flows": 40, "bytes": 1_000 * n} for a in actors[:10]
    ]
    evidence = {
        "what": f"{actors[0].address} met {address}.",
        "samples": samples,
        "sql": "SELECT 1",
    }
    day = findings.Day(begin, counts, kind.severity, actors, 20, evidence)
    return findings.Finding(
        id=findings.finding_id(kind.type, address, str(n)),
        detection=kind.id, type=kind.type, title=kind.query.title,
        description=str(evidence["what"]), resource=address, resource_role=kind.role,
        dedup_key=str(n), confidence="full", account_id="123456789012", region="us-east-1",
        details={"address": address}, days=(day,), created=begin, updated=begin,
    )  # fmt: skip


def opening(page: Path) -> tuple[float, float]:
    """Seconds from navigation to the load event, and of the main thread's work, median of five."""
    sys.path.append(str(Path(__file__).parent.parent / "tests"))
    from chromium import chromium

    loads, works = [], []
    with chromium() as browser:
        browser.size(1200)
        browser.driver.execute_cdp_cmd("Performance.enable", {})
        for _ in range(5):
            browser.open("about:blank")
            browser.open(page.as_uri())
            browser.js("return document.body.offsetHeight")
            time.sleep(0.3)
            timing = "performance.getEntriesByType('navigation')[0].loadEventEnd"
            loads.append(browser.js(f"return {timing}") / 1000)
            metrics = browser.driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
            works.append(next(m["value"] for m in metrics if m["name"] == "TaskDuration"))
    return sorted(loads)[2], sorted(works)[2]


def plain(where: Path) -> None:
    """Ten GROUP BYs, in a process of their own."""
    began, cpu = time.perf_counter(), time.process_time()
    group_bys(Lake.open(where))
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(f"ten GROUP BYs: {wall:.2f} s, {cpu:.2f} CPU s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flows", type=int, default=8_000_000)
    parser.add_argument("--findings", type=int, default=500)
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        where, page = Path(folder) / "lake", Path(folder) / "report.html"
        writer = multiprocessing.get_context("spawn").Process(target=make, args=(where, args.flows))
        writer.start()
        writer.join()
        command = [sys.executable, "-m", "flowscan"]
        nothing = Path(folder) / "nothing"
        detecting = Series("detect", [*command, "detect", "--again", "--lake", str(where)], nothing)
        reporting = Series(
            "report", [*command, "report", "--lake", str(where), "-o", str(page)], page
        )
        for _ in range(args.runs):
            run_once(detecting)
            # Each run of the detections takes back what they would not find.
            plant(Lake.open(where), args.findings)
            run_once(reporting)
        child = multiprocessing.get_context("spawn").Process(target=plain, args=(where,))
        child.start()
        child.join()
        print(table([detecting, reporting], args.flows, "detect"))
        say(reporting, detecting, page)


def make(where: Path, count: int) -> None:
    """The lake, made in a process of its own, whose memory goes with it."""
    write(where, flows(count, pairs=False), v2=True)


def say(reporting: Series, detecting: Series, page: Path) -> None:
    """The figures against their bounds."""
    shown = page.read_text(encoding="utf-8").count('<details class="finding ')
    load, work = opening(page)
    for name in ("wall", "cpu"):
        ratio = reporting.median(name) / detecting.median(name)
        print(f"report / detect, {name}: {ratio:.2f} (bound {TIME_BOUND})")
    print(f"file with {shown} findings: {page.stat().st_size / 1e6:.2f} MB (bound 5)")
    print(f"opens in {load:.2f} s, the main thread works {work:.2f} s (bound {OPEN_BOUND:.0f})")


if __name__ == "__main__":
    main()
