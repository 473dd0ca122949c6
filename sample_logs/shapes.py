"""Write the sample records in the shapes that AWS delivers, each record in one shape only.

web server, first day: default v2 text in S3 · second day: custom v5 text in S3, fields in
alphabetical order as the console writes them, with five broken lines · bastion, first day: Parquet
in S3 · second day: Data Firehose lines · database: CloudWatch Logs export task.
Files are hourly or longer where AWS writes one per five minutes, to keep the folder small.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from estate import ACCOUNT, BASTION, DAY2, DB, HOUR, REGION, VPC, WEB, Estate, Record

V2 = (
    "version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol",
    "packets", "bytes", "start", "end", "action", "log-status",
)  # fmt: skip
V5 = (
    *V2, "vpc-id", "subnet-id", "instance-id", "tcp-flags", "type", "pkt-srcaddr", "pkt-dstaddr",
    "region", "az-id", "sublocation-type", "sublocation-id", "pkt-src-aws-service",
    "pkt-dst-aws-service", "flow-direction", "traffic-path",
)  # fmt: skip
NUMBERS32 = {"version", "srcport", "dstport", "protocol", "tcp-flags", "traffic-path"}
NUMBERS64 = {"packets", "bytes", "start", "end"}


def values(r: Record, version: int) -> dict[str, Any]:
    """All v5 fields of a record; None stands for AWS's hyphen."""
    ok = r.status == "OK"
    v6 = ":" in r.src
    row: dict[str, Any] = {
        "version": version, "account-id": ACCOUNT, "interface-id": r.host.interface,
        "srcaddr": r.src, "dstaddr": r.dst, "srcport": r.sport, "dstport": r.dport,
        "protocol": r.protocol, "packets": r.packets, "bytes": r.bytes, "tcp-flags": r.flags,
        "action": r.action, "type": "IPv6" if v6 else "IPv4", "pkt-srcaddr": r.src,
        "pkt-dstaddr": r.dst, "pkt-src-aws-service": r.src_service,
        "pkt-dst-aws-service": r.dst_service, "traffic-path": _path(r),
        "flow-direction": "egress" if r.egress else "ingress",
    }  # fmt: skip
    if not ok:
        row = {
            k: v if k in {"version", "account-id", "interface-id"} else None for k, v in row.items()
        }
    return row | {
        "start": r.start, "end": r.end, "log-status": r.status, "vpc-id": VPC,
        "subnet-id": r.host.subnet, "instance-id": r.host.instance, "region": REGION,
        "az-id": r.host.az, "sublocation-type": None, "sublocation-id": None,
    }  # fmt: skip


def _path(r: Record) -> int | None:
    if not r.egress:
        return None
    if r.dst.startswith("10."):
        return 1
    return 7 if r.dst_service == "S3" else 8


def line(r: Record, fields: list[str], version: int) -> str:
    """The record as text, in the order of `fields`."""
    row = values(r, version)
    return " ".join("-" if row[f] is None else str(row[f]) for f in fields)


# Five lines that are no records, and why; put into the middle of one v5 file.
def broken(good: str) -> list[bytes]:
    """Spoil a good alphabetical v5 line in five ways."""
    tokens = good.split(" ")
    at = {name: i for i, name in enumerate(sorted(V5))}

    def with_(name: str, value: str) -> bytes:
        return " ".join([*tokens[: at[name]], value, *tokens[at[name] + 1 :]]).encode()

    return [
        " ".join(tokens[:11]).encode(),  # too few fields
        with_("dstport", "70443"),  # bad dstport
        with_("srcaddr", "10.20.1.999"),  # bad srcaddr
        with_("action", "MAYBE"),  # bad action
        good.encode()[:40] + b"\x00\xff\xfe" + good.encode()[43:],  # not printable ASCII
    ]


def write_all(estate: Estate, folder: Path, feeds: dict[str, tuple[str, list[str]]]) -> None:
    """Write logs/ and feeds/ below `folder`."""
    records = estate.finish()
    logs = folder / "logs"
    web = [r for r in records if r.host is WEB]
    bastion = [r for r in records if r.host is BASTION]
    for slot, part in _slots([r for r in web if r.end < DAY2], HOUR):
        rows = [" ".join(V2), *(line(r, V2, 2) for r in part)]
        _write(logs / _key("fl-0c41d9a7e6b52f038", slot, "log.gz"), _gzip("\n".join(rows) + "\n"))
    order = sorted(V5)
    for slot, part in _slots([r for r in web if r.end >= DAY2], HOUR):
        raw = [" ".join(order).encode(), *(line(r, order, 5).encode() for r in part)]
        if slot == DAY2 + 3 * HOUR:
            raw[40:40] = broken(next(x.decode() for x in raw if b" ACCEPT " in x))
        _write(logs / _key("fl-0f7730bd5ac18e294", slot, "log.gz"), _gzip(b"\n".join(raw) + b"\n"))
    for slot, part in _slots([r for r in bastion if r.end < DAY2], 6 * HOUR):
        _parquet(logs / _key("fl-0921fe60b8ad473c5", slot, "log.parquet"), part)
    for slot, part in _slots([r for r in bastion if r.end >= DAY2], 3 * HOUR):
        text = "".join(json.dumps({"message": line(r, V2, 2)}) + "\n" for r in part)
        when = datetime.fromtimestamp(slot, UTC)
        name = f"vpc-flow-logs-1-{when:%Y-%m-%d-%H-%M-%S}-6d0f2c1e.gz"
        _write(logs / f"firehose/{when:%Y/%m/%d/%H}/{name}", _gzip(text))
    text = "".join(
        f"{datetime.fromtimestamp(r.start, UTC):%Y-%m-%dT%H:%M:%S}.000Z {line(r, V2, 2)}\n"
        for r in records if r.host is DB
    )  # fmt: skip
    task = "cloudwatch-export/3f1c0a52-9c1e-4d57-8e0b-6a1b2c7d9e40"
    _write(logs / f"{task}/{DB.interface}-all/000000.gz", _gzip(text))
    for name, (title, addresses) in feeds.items():
        body = f"# {title}.\n# Invented for the sample logs: they say nothing about real hosts.\n"
        _write(folder / "feeds" / name, (body + "\n".join(sorted(addresses)) + "\n").encode())


def _slots(records: list[Record], length: int) -> list[tuple[int, list[Record]]]:
    slots: dict[int, list[Record]] = {}
    for r in records:
        slots.setdefault(r.end - r.end % length, []).append(r)
    return sorted(slots.items())


def _key(flow_log: str, slot: int, suffix: str) -> str:
    when = datetime.fromtimestamp(slot, UTC)
    tail = hashlib.sha256(f"{flow_log}{slot}".encode()).hexdigest()[:8]
    folder = f"AWSLogs/{ACCOUNT}/vpcflowlogs/{REGION}/{when:%Y/%m/%d}"
    return f"{folder}/{ACCOUNT}_vpcflowlogs_{REGION}_{flow_log}_{when:%Y%m%dT%H%M}Z_{tail}.{suffix}"


def _gzip(data: str | bytes) -> bytes:
    return gzip.compress(data.encode() if isinstance(data, str) else data, 9, mtime=0)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _parquet(path: Path, records: list[Record]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = [
        pa.int32() if f in NUMBERS32 else pa.int64() if f in NUMBERS64 else pa.string() for f in V5
    ]
    rows = [values(r, 5) for r in records]
    columns = [pa.array([row[f] for row in rows], kind) for f, kind in zip(V5, kinds, strict=True)]
    table = pa.table(dict(zip([f.replace("-", "_") for f in V5], columns, strict=True)))
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, compression="gzip")
