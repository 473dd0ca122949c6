"""Generate flow logs for benchmarks: default v2, v5 with 29 fields, IPv6, Parquet.

    python benchmarks/generate.py OUT --records 8000000 --files 32 [--kind v2|v5|ipv6|parquet]

The mix is that of a mid-sized account: a few hundred interfaces, a few thousand peers that make
most of the traffic and a long tail of addresses seen once or twice, 15 % refused, 2 % NODATA.
The same arguments give the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import sys
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

DAY = 1785542400  # 2026-08-01T00:00:00Z
ACCOUNT = "123456789012"
SERVICES = np.array([443, 80, 22, 3306, 5432, 53, 123, 8080, 6379, 9200, 25, 3389, 445, 23, 312])
WEIGHTS = np.array([38, 14, 6, 7, 6, 9, 3, 5, 3, 2, 1, 2, 2, 1, 1]) / 100


def quads(numbers: np.ndarray, prefix: str | None = None) -> np.ndarray:
    """Dotted quads of 32-bit numbers, as text."""
    if prefix:
        return np.array([f"{prefix}.{(n >> 8) & 255}.{n & 255}" for n in numbers])
    return np.array(
        [f"{(n >> 24) & 255}.{(n >> 16) & 255}.{(n >> 8) & 255}.{n & 255}" for n in numbers]
    )


@cache
def pools(kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Interfaces, their private addresses, and public peers: the same for all files."""
    rng = np.random.default_rng(7)
    enis = np.array([f"eni-{n:017x}" for n in rng.integers(1 << 60, 1 << 63, 300)])
    if kind == "ipv6":
        local = np.array([f"2600:1f18:abcd:{n >> 8:x}::{n & 255:x}" for n in range(300)])
        public = np.array(
            [f"2a02:{a:x}:{b:x}::{c:x}" for a, b, c in rng.integers(1, 65535, (60_000, 3))]
        )
        return enis, local, public
    public = rng.integers(0x01000000, 0xDF000000, 60_000)
    return enis, quads(rng.permutation(60_000)[:300], "10.0"), quads(public[(public >> 24) != 10])


def frame(seed: int, rows: int, kind: str, start: int, span: int) -> pl.DataFrame:
    """One file's records."""
    enis, local, public = pools(kind)
    rng = np.random.default_rng([11, seed])
    eni = (rng.beta(0.6, 2.0, rows) * len(enis)).astype(int)
    peer = (rng.beta(0.35, 4.0, rows) * len(public)).astype(int)
    inbound = rng.random(rows) < 0.5
    service = rng.choice(SERVICES, rows, p=WEIGHTS)
    ephemeral = rng.integers(32768, 61000, rows)
    packets = np.minimum(rng.lognormal(2.0, 1.4, rows).astype(np.int64) + 1, 2_000_000)
    begin = np.sort(start + (rng.random(rows) * span).astype(np.int64))
    refused = rng.random(rows) < 0.15
    to_service = rng.random(rows) < 0.5
    data = {
        "version": np.full(rows, 5 if kind == "v5" else 2),
        "account-id": np.full(rows, ACCOUNT),
        "interface-id": enis[eni],
        "srcaddr": np.where(inbound, public[peer], local[eni]),
        "dstaddr": np.where(inbound, local[eni], public[peer]),
        "srcport": np.where(to_service, ephemeral, service),
        "dstport": np.where(to_service, service, ephemeral),
        "protocol": np.where(np.isin(service, [53, 123]), 17, 6),
        "packets": packets,
        "bytes": packets * rng.integers(40, 1400, rows),
        "start": begin,
        "end": begin + rng.integers(1, 60, rows),
        "action": np.where(refused, "REJECT", "ACCEPT"),
        "log-status": np.full(rows, "OK"),
    }
    if kind == "v5":
        data |= v5_fields(rng, data, eni, inbound)
    return pl.DataFrame(data)


def v5_fields(
    rng: np.random.Generator, data: dict[str, np.ndarray], eni: np.ndarray, inbound: np.ndarray
) -> dict[str, np.ndarray]:
    """The fifteen fields of versions 3 to 5."""
    rows = len(eni)
    dash = np.full(rows, "-")
    return {
        "vpc-id": np.full(rows, "vpc-0a1b2c3d4e5f67890"),
        "subnet-id": np.array([f"subnet-{n:017x}" for n in range(8)])[eni % 8],
        "instance-id": np.array([f"i-{n * 7919:017x}" for n in range(300)])[eni],
        "tcp-flags": np.where(data["protocol"] == 6, rng.choice([2, 3, 18, 19, 0], rows), 0),
        "type": np.full(rows, "IPv4"),
        "pkt-srcaddr": data["srcaddr"],
        "pkt-dstaddr": data["dstaddr"],
        "region": np.full(rows, "us-east-1"),
        "az-id": np.array(["use1-az1", "use1-az2"])[eni % 2],
        "sublocation-type": dash,
        "sublocation-id": dash,
        "pkt-src-aws-service": np.where(rng.random(rows) < 0.1, "S3", "-"),
        "pkt-dst-aws-service": np.where(rng.random(rows) < 0.1, "EC2", "-"),
        "flow-direction": np.where(inbound, "ingress", "egress"),
        "traffic-path": np.where(inbound, "-", "8"),
    }


def text(data: pl.DataFrame, rng: np.random.Generator) -> bytes:
    """Text as AWS delivers it, with NODATA records strewn in."""
    body = data.write_csv(separator=" ", include_header=True, quote_style="never")
    lines = body.splitlines()
    blanks = len(data.columns) - 14
    for i in rng.integers(1, len(lines), len(lines) // 50):
        f = lines[i].split(" ", 12)
        rest = " -" * blanks
        lines[i] = f"{f[0]} {f[1]} {f[2]} - - - - - - - {f[10]} {f[11]} - NODATA{rest}"
    return ("\n".join(lines) + "\n").encode()


def write(job: tuple[Path, int, int, str, int, int]) -> None:
    """Write one file."""
    path, seed, rows, kind, start, span = job
    data = frame(seed, rows, kind, start, span)
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "parquet":
        data.rename({c: c.replace("-", "_") for c in data.columns}).write_parquet(
            path, compression="gzip"
        )
        return
    payload = text(data, np.random.default_rng([13, seed]))
    path.write_bytes(gzip.compress(payload, 6, mtime=0))


def key(start: int, number: int, ending: str = "log.gz") -> Path:
    """Where AWS delivers the object with records from epoch second `start`."""
    at = datetime.fromtimestamp(start, UTC)
    name = f"{ACCOUNT}_vpcflowlogs_us-east-1_fl-0123456789abcdef0_{at:%Y%m%dT%H%M}Z"
    folder = Path("AWSLogs") / ACCOUNT / "vpcflowlogs" / "us-east-1" / f"{at:%Y/%m/%d}"
    return folder / f"{name}_{number:08x}.{ending}"


def generate(
    out: Path, records: int, files: int, kind: str = "v2", span: int = 86_400, workers: int = 2
) -> Path:
    """Write `files` objects of `records` records in all under AWS's key layout; `span` seconds.

    A finished folder with the same arguments is used again.
    """
    root = out / f"{kind}-{records}-{files}-{span}"
    done = root / ".done"
    if done.exists():
        return root
    rows = records // files
    jobs = []
    for i in range(files):
        start = DAY + span * i // files
        where = root / key(start, i, "log.parquet" if kind == "parquet" else "log.gz")
        jobs.append((where, i, rows, kind, start, max(60, span // files)))
    with ProcessPoolExecutor(workers) as pool:
        for n, _ in enumerate(pool.map(write, jobs, chunksize=max(1, files // 200)), 1):
            if sys.stderr.isatty():
                print(f"\r{n}/{files}", end="", file=sys.stderr)
    done.touch()
    return root


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--records", type=int, default=8_000_000)
    arguments.add_argument("--files", type=int, default=32)
    arguments.add_argument("--kind", choices=["v2", "v5", "ipv6", "parquet"], default="v2")
    arguments.add_argument("--span", type=int, default=86_400, help="seconds covered")
    given = arguments.parse_args()
    print(generate(given.out, given.records, given.files, given.kind, given.span))
