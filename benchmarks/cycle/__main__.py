"""What a cycle of `flowscan run` costs, and what else is asked of a lake every day.

    python -m benchmarks.cycle [LAKE …] [--only SCENARIO …] [--detect FLOWS …] [--runs 3]

Lakes: week (7 days × 8.3 M flows), year (365 × 57,000), busy (50 M in one day), small (7 ×
400,000), strangers (as week, with other strangers every day). They are made in the scratch folder
and used again; a lake that was made by an older flowscan stays as that one made it until
`--again`, which keeps its objects.
Writes benchmarks/out/cycle.md and .json.
"""

from __future__ import annotations

import argparse
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.cycle import random_day
from benchmarks.cycle.lakes import KINDS, alone, prepare
from benchmarks.cycle.scenarios import SCENARIOS, Measure, sizes
from benchmarks.cycle.table import Results, earlier

OUT = Path(__file__).parents[1] / "out"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lakes", nargs="*", choices=[[], *KINDS], default=[], metavar="LAKE")
    parser.add_argument("--only", nargs="+", choices=SCENARIOS, default=list(SCENARIOS))
    parser.add_argument("--detect", nargs="*", type=int, default=[], metavar="FLOWS")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1, help="share of the flows")
    parser.add_argument("--end", type=datetime.fromisoformat, help="the lakes' last midnight, UTC")
    parser.add_argument("--format", choices=["v2", "v5"], default="v2")
    parser.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()) / "flowscan")
    parser.add_argument("--before", type=Path, metavar="JSON", help="results to compare with")
    parser.add_argument("--again", action="store_true", help="ingest the same objects once more")
    parser.add_argument("--make", action="store_true", help="make the lakes and measure nothing")
    given = parser.parse_args()
    results = Results(earlier(given.before))
    with alone(given.scratch):
        measure(given, results)
    print(results.markdown())


def measure(given: argparse.Namespace, results: Results) -> None:
    end = int(given.end.replace(tzinfo=UTC).timestamp()) if given.end else None
    for kind in given.lakes:
        made = prepare(
            kind, given.scratch, scale=given.scale, end=end, form=given.format, again=given.again
        )
        results.notes.append(f"{made.name}: {made.flows:,} flows; {sizes(made.path())}.")
        for name in () if given.make else given.only:
            SCENARIOS[name](Measure(made, given.runs, results))
            results.save(OUT)
    for flows in given.detect:
        results.rows.append(random_day.measure(given.scratch, flows, given.runs, again=given.again))
        results.save(OUT)


if __name__ == "__main__":
    main()
