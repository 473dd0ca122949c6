"""`python -m benchmarks.cycle.at SECOND ARGUMENTS…`: flowscan, as if it began at that epoch second.

The clock goes on from there, so that a lake that was made last month is still this evening's.
"""

from __future__ import annotations

import sys
import time


def main() -> None:
    real = time.time
    ahead = float(sys.argv.pop(1)) - real()
    time.time = lambda: real() + ahead
    # Not before: some functions have the clock as a default.
    from flowscan.cli.main import run

    run()


if __name__ == "__main__":
    main()
