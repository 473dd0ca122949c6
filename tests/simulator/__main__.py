"""`python -m tests.simulator --seed 7 --format v2 --out DIR --scale 1`: writes logs and truth."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from .play import simulate
from .writer import FORMATS, write


def main() -> None:
    """Writes a simulated day and says how much it is."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--scale", type=float, default=1.0, help="1: about 700,000 records")
    parser.add_argument("--format", choices=sorted(FORMATS), default="v2")
    parser.add_argument("--tgw", action="store_true", help="transit-gateway logs too, in tgw/")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    begin = time.monotonic()
    simulation = simulate(given.seed, given.scale, tgw=given.tgw)
    counts = write(simulation, given.out, given.format)
    sys.stderr.write(
        f"{counts['logs']:,} records, {counts['tgw']:,} of the transit gateway, "
        f"{len(simulation.talks):,} connections in {time.monotonic() - begin:.1f} s\n"
    )


if __name__ == "__main__":
    main()
