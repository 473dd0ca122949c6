"""One of several processes that ingest the same sources. Usage: race_child.py LAKE SEED KILL

With KILL > 0 the process dies at that operation of the store. LAKE may be an s3:// URI.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import lake_kit as kit
import pyarrow as pa

from flowscan.lake import Lake

SOURCES = [f"s{i}" for i in range(24)]

if __name__ == "__main__":
    pa.set_cpu_count(1)
    where, seed, kill = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if where.startswith("s3://"):
        lake = Lake.open(where, create=True)
        lake.store.fault = kit.Kill(kill) if kill else kit.Count()
    else:
        lake = kit.open_at(Path(where), kit.Kill(kill) if kill else kit.Count())
    order = SOURCES[:]
    random.Random(seed).shuffle(order)
    print(kit.ingest(lake, order, size=1 + seed % 3))
