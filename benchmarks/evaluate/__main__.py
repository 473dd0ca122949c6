"""`python -m benchmarks.evaluate`: precision and recall per detection, and time.

Estates are drawn with seeds; thresholds were chosen on seeds below 6000 and are reported on those
from there on, even ones in the default format, odd ones in v5. A finding at or above medium that
no plant explains is false; a plant without a finding at or above medium is missed.
"""

from __future__ import annotations

import argparse
import collections
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.evaluate import capture
from benchmarks.evaluate.attacks import ATTACKS, Plant
from benchmarks.evaluate.background import Estate, add_day, awkward, estate
from benchmarks.evaluate.lake import write
from benchmarks.evaluate.traffic import Traffic, records
from flowscan.detect import Options, detect, store
from flowscan.findings import Finding

BEGIN = 1_785_542_400  # 2026-08-01
NOW = BEGIN + 40 * 86_400
MEDIUM = 4.0


def one(seed: int, *, v2: bool, scale: float) -> tuple[list[Plant], list[Finding], Estate, float]:
    """Build an estate of one day with every attack in it, and detect."""
    rng = np.random.default_rng(seed)
    e = estate(rng, int(rng.integers(20, 60)))
    t = Traffic(rng)
    add_day(t, e, BEGIN, scale)
    awkward(t, e, BEGIN)
    plants = [attack(t, e, BEGIN) for attack in ATTACKS for _ in range(2)]
    flows = records(t.connections(), e.interfaces, window=int(rng.choice([60, 600])))
    with tempfile.TemporaryDirectory() as folder:
        lake = write(Path(folder) / "lake", flows, v2=v2)
        began = time.perf_counter()
        detect(lake, Options(), now=NOW)
        return plants, store.load(lake), e, time.perf_counter() - began


def explains(plant: Plant, finding: Finding, e: Estate) -> bool:
    mine = {plant.resource, e.interfaces.get(plant.resource)}
    return finding.resource in mine and (
        plant.actor is None or plant.actor in {a.address for a in finding.actors}
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", default="6000:6024", help="first:last, last not included")
    parser.add_argument("--scale", type=float, default=0.3)
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    low, high = map(int, args.seeds.split(":"))
    planted: collections.Counter[str] = collections.Counter()
    found: collections.Counter[str] = collections.Counter()
    true: collections.Counter[str] = collections.Counter()
    false: collections.Counter[str] = collections.Counter()
    seconds = 0.0
    for seed in range(low, high):
        v2 = seed % 2 == 0
        plants, findings, e, took = one(seed, v2=v2, scale=args.scale)
        seconds += took
        loud = [f for f in findings if f.severity >= MEDIUM]
        for plant in plants:
            planted[plant.kind] += 1
            hits = [f for f in loud if f.detection in plant.detections and explains(plant, f, e)]
            found[plant.kind] += bool(hits)
            if args.verbose and not hits:
                print(f"missed  seed {seed} v2={v2} {plant}", file=sys.stderr)
        for finding in loud:
            explained = any(explains(p, finding, e) for p in plants)
            (true if explained else false)[finding.detection] += 1
            if args.verbose and not explained:
                print(f"false   seed {seed} v2={v2} {finding.detection} {finding.severity} "
                      f"{finding.description}", file=sys.stderr)  # fmt: skip
    print("| attack | planted | found | recall |\n|---|---|---|---|")
    for kind in planted:
        print(f"| {kind} | {planted[kind]} | {found[kind]} | {found[kind] / planted[kind]:.2f} |")
    print("\n| detection | true | false | precision |\n|---|---|---|---|")
    for name in sorted({*true, *false}):
        total = true[name] + false[name]
        print(f"| {name} | {true[name]} | {false[name]} | {true[name] / total:.2f} |")
    print(f"\n{high - low} estates, {seconds / (high - low):.1f} s each\n")
    capture.report()


if __name__ == "__main__":
    main()
