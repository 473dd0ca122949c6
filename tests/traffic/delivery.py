"""Ways to deliver the same flows to a lake, and all that the lake then answers.

Everything is asked at one time, `LATER`, which is all that a finding's and a feed's own times are
made of; what is left out of the answers is where the lake lies and from how many objects it was
read.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from simulator import simulate, write

import flowscan
from flowscan import lake as storage
from flowscan import schema, traffic
from flowscan.detect import detect
from flowscan.feeds import Feed
from flowscan.feeds.store import FeedStore
from flowscan.lake.compact import compact
from flowscan.match import match
from flowscan.report import build
from flowscan.report.data import to_json

LATER = 2_000_000_000
MOST_OPERATIONS = {"ingest": 250, "fold": 120, "compact": 150, "match": 120, "detect": 200}
"""Of the store, by step, about; a process that does fewer ends by itself."""


@dataclass(frozen=True)
class Records:
    """Lines of logs with their header, and a list that names some of their strangers."""

    header: str
    lines: list[str]
    listed: str

    def put(self, path: Path, lines: list[str]) -> Path:
        path.write_text("\n".join([self.header, *lines]) + "\n")
        return path


def small_estate(folder: Path) -> Records:
    """A small estate's logs over two days."""
    write(simulate(11, 0.01), folder, "v5")
    header, lines = "", []
    for path in sorted((folder / "logs").rglob("*.log*")):
        text = subprocess.run(["zcat", "-f", path], check=True, stdout=subprocess.PIPE).stdout
        header, *rest = text.decode().splitlines()
        lines += rest
    column = header.split().index("dstaddr")
    seen = Counter(line.split()[column] for line in lines)
    strangers = [a for a, _ in seen.most_common() if not a.startswith(("10.", "100."))]
    return Records(header, lines, "\n".join(sorted(strangers)[::5]))


def tables(lake: storage.Lake) -> dict[str, object]:
    """Every table of traffic as sorted rows."""
    found = {}
    with traffic.reading(lake) as engine:
        for name in schema.TRAFFIC_TABLES:
            rows = engine.execute(f"SELECT * FROM {name} ORDER BY ALL")
            found[name] = rows.to_pylist()
    return found


def answers(lake: storage.Lake) -> dict[str, object]:
    """The tables of traffic, the matches, the findings and the report as data."""
    found = tables(lake)
    match(lake, incremental=True, now=LATER)
    detect(lake, now=LATER)
    for name in ("matches", "findings"):
        found[name] = lake.read(name).to_pylist()
    report = json.loads(to_json(build(lake, now=LATER)))
    del report["lake"], report["quality"]["sources"]
    return {**found, "report": report}


def list_some(where: str, records: Records, folder: Path) -> None:
    """Put some of the strangers on a list of the lake."""
    path = folder / "listed.txt"
    path.write_text(records.listed)
    feed = Feed("listed", str(path), category="c2", confidence=80)
    FeedStore(storage.Lake.open(where)).add(feed)


def deliver(where: str, folder: Path, records: Records, seed: int) -> storage.Lake:
    """Ingest the records in pieces, orders and company that the seed says; the lake."""
    rng = random.Random(seed)
    files = _pieces(folder, records, rng)
    storage.Lake.open(where, create=True)
    first = rng.random() < 0.5
    if first:
        list_some(where, records, folder)
    while files:
        batch = [files.pop() for _ in range(min(len(files), rng.choice([1, 1, 3])))]
        _ingest(where, batch, rng)
        _meanwhile(where, rng)
    if not first:
        list_some(where, records, folder)
    return storage.Lake.open(where)


def _pieces(folder: Path, records: Records, rng: random.Random) -> list[Path]:
    lines = list(records.lines)
    if rng.random() < 0.5:
        rng.shuffle(lines)
    pieces = rng.choice([1, 2, 5, 12])
    cuts = sorted(rng.sample(range(1, len(lines)), pieces - 1))
    bounds = zip([0, *cuts], [*cuts, len(lines)], strict=True)
    files = [records.put(folder / f"{i}.log", lines[a:b]) for i, (a, b) in enumerate(bounds)]
    rng.shuffle(files)
    return files


def _ingest(where: str, batch: list[Path], rng: random.Random) -> None:
    how = rng.random()
    if how < 0.25:
        killed(where, rng, "ingest", *map(str, batch))
    if len(batch) > 1 and how > 0.6:  # two writers
        writers = [threading.Thread(target=flowscan.ingest, args=(path, where)) for path in batch]
        for thread in writers:
            thread.start()
        for thread in writers:
            thread.join()
    flowscan.ingest(batch, where)
    if how > 0.5:
        flowscan.ingest(batch, where)  # what is there is not read again


def _meanwhile(where: str, rng: random.Random) -> None:
    """What else is done to the lake between two ingests."""
    lake, what = storage.Lake.open(where), rng.random()
    if what < 0.25:
        traffic.fold(lake)
    elif what < 0.4:
        list(compact(lake, now=LATER))
    elif what < 0.5:
        match(lake, incremental=rng.random() < 0.7, now=LATER)
        detect(lake, now=LATER)
    elif what < 0.8:
        killed(where, rng, rng.choice(["fold", "compact", "match", "detect", "detect"]))


def killed(where: str, rng: random.Random, step: str, *logs: str) -> None:
    """A step in a process of its own that is killed at some operation of the store."""
    at = rng.randrange(MOST_OPERATIONS[step])
    command = [sys.executable, str(Path(__file__).parent / "killed.py")]
    command += [where, str(at), str(LATER), step, *logs]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode in (0, -9), done.stderr
