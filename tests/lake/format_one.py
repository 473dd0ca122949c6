"""A lake of format 1, written down as flowscan 0.1.0 wrote it, and the part of 0.1.0 that commits.

Nothing here uses flowscan: what it writes must stay what it was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

NOON = 1_785_585_600  # 2026-08-01T12:00:00Z
DAY = 86_400
FORMAT = 1


class TooNew(Exception):  # noqa: N818
    """What 0.1.0 tells its user of a part of a lake that a newer flowscan wrote."""


def check_format(body: Any) -> None:
    """As 0.1.0 does it, of the marker, of each commit and of each checkpoint."""
    number = body.get("format") if isinstance(body, dict) else None
    assert isinstance(number, int)
    assert number >= 1
    if number > FORMAT:
        raise TooNew(f"written in lake format {number}, this flowscan knows up to {FORMAT}")


def make(root: Path, sources: Iterable[str], *, checkpoint: int = 0) -> None:
    """A lake that has the sources, each by a commit of its own.

    With `checkpoint` there is one of that version.
    """
    (root / "_flowscan/commits").mkdir(parents=True, mode=0o700)
    marker = {"format": 1, "created_by": "flowscan 0.1.0", "at": 1_785_000_000}
    (root / "_flowscan/lake.json").write_text(json.dumps(marker))
    writer = Writer(root)
    for source in sources:
        writer.commit(source)
        if writer.version == checkpoint:
            write_checkpoint(root, checkpoint)


def batch_of(source: str) -> str:
    return f"20260801T120000Z-{hashlib.sha256(source.encode()).hexdigest()[:16]}"


def write_files(root: Path, source: str, folder: str = "") -> list[dict[str, Any]]:
    """The files of a source's batch: two of flows, one of coverage, one of rejects.

    They lie where they are live, or in a `folder` of staging.
    """
    batch = batch_of(source)
    names = [f"{source}:{j}" for j in range(5)]
    starts = [NOON + j + (DAY if j % 3 == 2 else 0) for j in range(5)]
    adds = []

    def add(table: str, below: str, rows: pa.Table) -> None:
        name = f"{batch}-{len(adds)}"
        path = f"{table}/{below}{name}.parquet"
        file = root / (f"{folder}/{name}.tmp" if folder else path)
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        pq.write_table(rows, file, store_schema=False, write_page_checksum=True)
        times = rows["start"].to_pylist() if "start" in rows.column_names else [None]
        adds.append(
            {
                "table": table,
                "path": path,
                "rows": rows.num_rows,
                "bytes": file.stat().st_size,
                "min_start": min(times),
                "max_start": max(times),
                "columns": len(adds),
                "names": rows.column_names,
            }
        )

    for day in (0, 1):
        chosen = [j for j in range(5) if (starts[j] >= NOON + DAY // 2) == bool(day)]
        rows = {
            "srcaddr": [f"10.0.0.{j}" for j in chosen],
            "dstport": pa.array([22 + j for j in chosen], pa.int32()),
            "start": [starts[j] for j in chosen],
            "end": [starts[j] + 60 for j in chosen],
            "instance_id": [names[j] for j in chosen],
        }
        add("flows", f"date=2026-08-0{1 + day}/", pa.table(rows))
    texts = ("account_id", "interface_id", "vpc_id", "subnet_id", "region")
    idle = {name: pa.array([None], pa.string()) for name in texts}
    add(
        "coverage", "", pa.table({**idle, "start": [NOON], "end": [NOON], "log_status": ["NODATA"]})
    )
    reject = {"source": [f"file:///{source}"], "line": [9], "reason": ["bad start"], "text": ["x"]}
    add("rejects", "", pa.table(reject))
    return adds


class Writer:
    """What 0.1.0 does at a commit: read what came since, take the next number if it is free."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.version = 0
        check_format(json.loads((root / "_flowscan/lake.json").read_text()))
        self.advance()

    def key(self, version: int) -> Path:
        return self.root / f"_flowscan/commits/{version:08d}.json"

    def advance(self) -> None:
        while self.key(self.version + 1).exists():
            check_format(json.loads(self.key(self.version + 1).read_text()))
            self.version += 1

    def commit(self, source: str, *, publish: bool = True) -> None:
        """Bring a source in; without `publish` its files stay in staging, as after a crash."""
        folder = f"_flowscan/staging/{batch_of(source)}"
        adds = write_files(self.root, source, folder)
        columns = [entry.pop("names") for entry in adds]
        while True:
            self.advance()
            body = self.body(self.version + 1, source, adds, columns)
            try:
                with self.key(self.version + 1).open("x") as file:  # as link(2) decides
                    file.write(json.dumps(body, separators=(",", ":")))
            except FileExistsError:
                continue
            break
        self.version += 1
        if publish:
            for entry in adds:
                target = self.root / entry["path"]
                target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                name = Path(entry["path"]).stem
                (self.root / folder / f"{name}.tmp").rename(target)
            (self.root / folder).rmdir()

    def body(self, version: int, source: str, adds: Any, columns: Any) -> dict[str, Any]:
        counts = {"records": 7, "flows": 5, "nodata": 1, "skipdata": 0, "rejects": 1}
        return {
            "format": 1,
            "version": version,
            "batch": batch_of(source),
            "writer": "flowscan 0.1.0",
            "at": 1_785_000_000 + version,
            "note": "",
            "sources": [
                {
                    "uri": f"file:///{source}",
                    "etag": "e1",
                    "size": 100,
                    "digest": f"sha256:{source}",
                    "shape": "text",
                    **counts,
                }
            ],
            "columns": columns,
            "adds": adds,
            "removes": [],
            "refused": [],
        }


def write_checkpoint(root: Path, version: int) -> None:
    """The sum of the commits so far, all of them published."""
    keys, files, columns, totals = [], [], [], 0
    for n in range(1, version + 1):
        body = json.loads((root / f"_flowscan/commits/{n:08d}.json").read_text())
        for source in body["sources"]:
            keys += [key_hash(source["uri"], source[name]) for name in ("etag", "digest")]
            totals += 1
        for entry in body["adds"]:
            files.append({**entry, "columns": len(columns)})
            columns.append(body["columns"][entry["columns"]])
    keys.sort()
    both = [k >> 64 for k in keys] + [k & ((1 << 64) - 1) for k in keys]
    sections = {
        "known": np.array(both, "<u8").tobytes(),
        "refused": b"",
        "files": json.dumps({"columns": columns, "adds": files}).encode(),
    }
    header = {
        "format": 1,
        "version": version,
        "totals": {
            "sources": totals, "size": 100 * totals, "records": 7 * totals, "flows": 5 * totals,
            "nodata": totals, "skipdata": 0, "rejects": totals, "refused": 0,
        },
        "expired": 0,
        "sections": [[n, len(d), hashlib.sha256(d).hexdigest()] for n, d in sections.items()],
    }  # fmt: skip
    line = json.dumps(header).encode()
    check = hashlib.sha256(line).hexdigest().encode()
    target = root / f"_flowscan/checkpoints/{version:08d}.ckpt"
    target.parent.mkdir(exist_ok=True, mode=0o700)
    target.write_bytes(
        b"".join([b"flowscan checkpoint\n", check, b" ", line, b"\n", *sections.values()])
    )


def key_hash(uri: str, identity: str) -> int:
    digest = hashlib.blake2b(f"{uri}\0{identity}".encode(), digest_size=16).digest()
    return int.from_bytes(digest, "big")
