"""`python -m tests.simulator.judge --format v2 --seed 3 --scale 0.2`: scores the flowscan in reach.

flowscan runs as a process of its own, on a lake in a temporary folder; this module imports none of
it.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow.csv as pc

from .play import simulate
from .score import COLUMNS, exposure, score
from .truth import Truth, truth
from .writer import FORMATS, write

NAMES = {**COLUMNS, "decided_by": "initiator"}


def flowscan(*arguments: str) -> bytes:
    """What a flowscan command writes to stdout."""
    return subprocess.run(
        [sys.executable, "-m", "flowscan", *arguments], check=True, stdout=subprocess.PIPE
    ).stdout


def sessions_of(lake: Path, table: str):
    """The lake's sessions as an Arrow table, with every column that they have."""
    text = flowscan("query", f"SELECT * FROM {table}", "--lake", str(lake), "--format", "csv")
    return pc.read_csv(io.BytesIO(text))


def main(arguments: list[str] | None = None) -> None:
    """Plays, ingests, asks and prints the score."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulator.judge", description=__doc__)
    parser.add_argument("--format", choices=sorted(FORMATS), default="v2")
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--scale", type=float, default=0.2)
    parser.add_argument("--tgw", action="store_true", help="ingest transit-gateway logs too")
    parser.add_argument("--kinds", default="", help="only these kinds, with commas")
    parser.add_argument("--table", default="sessions")
    parser.add_argument(
        "--columns", default="", help="other names: decided_by=how,bytes_out=sent,…"
    )
    parser.add_argument("--wrong", type=int, default=0, help="show so many wrong connections")
    parser.add_argument("--keep", type=Path, help="keep logs, truth and lake here")
    given = parser.parse_args(arguments)
    columns = NAMES | dict(pair.split("=") for pair in given.columns.split(",") if pair)
    with tempfile.TemporaryDirectory() as temporary:
        place = given.keep or Path(temporary)
        kinds = tuple(k for k in given.kinds.split(",") if k)
        played = simulate(given.seed, given.scale, tgw=given.tgw, kinds=kinds)
        write(played, place, given.format)
        lake = place / "lake"
        folders = [place / "logs", *([place / "tgw"] if given.tgw else [])]
        flowscan("ingest", *map(str, folders), "--lake", str(lake))
        known = truth(played, given.format)
        result = score(known, sessions_of(lake, given.table), columns)
        print(f"seed {given.seed}, {given.format}, {len(played.records):,} records")
        print(result.text())
        for row in result.wrong[: given.wrong]:
            print(_wrong(row))
        _report(known, lake)


def _wrong(row: dict) -> str:
    return (
        f"{row['verdict']:<9} {row['kind']:<20} {row['client']}:{row['client_port']} -> "
        f"{row['server']}:{row['server_port']} /{row['protocol']} {row['packets_out']}"
        f"/{row['packets_in']} packets, {row['outcome']}, at {row['first_seen']}"
    )


def _report(known: Truth, lake: Path) -> None:
    """The report's exposure and internet bytes, where it has them."""
    import json

    page = json.loads(flowscan("report", "--lake", str(lake), "--format", "json"))
    rows = [
        (r["address"], r["port"], {"TCP": 6, "UDP": 17}.get(r["protocol"], r["protocol"]))
        for r in page.get("exposure", [])
    ]
    found = exposure(known, rows)
    print(f"exposure: {', '.join(f'{len(v)} {k}' for k, v in found.items())}")
    for way in ("out", "in"):
        got, true = page["overview"].get(f"bytes_{way}", 0), known.summary[f"internet_{way}"]
        print(f"report's internet bytes {way}: {got / max(1, true):.4f} x the truth")


if __name__ == "__main__":
    main()
