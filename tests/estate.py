"""Flow-log objects under AWS's key layout, small and countable: every flow has its own number."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

ACCOUNT, REGION = "123456789012", "us-east-1"
HEADER = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes "
    "start end action log-status"
)


class Place(Protocol):
    def put(self, key: str, data: bytes) -> None: ...


@dataclass(frozen=True)
class Folder:
    root: Path

    def put(self, key: str, data: bytes) -> None:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.root / ".new"
        temporary.write_bytes(data)
        temporary.replace(path)


@dataclass(frozen=True)
class Bucket:
    client: Any
    name: str

    def put(self, key: str, data: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=data)


def key(number: int, slot: int) -> str:
    at = datetime.fromtimestamp(slot, UTC)
    name = f"{ACCOUNT}_vpcflowlogs_{REGION}_fl-0abc_{at:%Y%m%dT%H%MZ}_{number:08x}.log.gz"
    return f"AWSLogs/{ACCOUNT}/vpcflowlogs/{REGION}/{at:%Y/%m/%d}/{name}"


def text(number: int, slot: int, flows: int) -> str:
    lines = [HEADER]
    lines += [
        f"2 {ACCOUNT} eni-0abc 10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255} "
        f"198.51.100.7 {i} 443 6 1 40 {slot + i % 300} {slot + i % 300} ACCEPT OK"
        for i in range(flows)
    ]
    return "\n".join(lines) + "\n"


@dataclass
class Estate:
    """Makes objects; `flows` says how many flows a lake that read all of them has."""

    place: Place
    made: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def add(self, slot: int, flows: int = 5) -> str:
        number = len(self.made) + 1
        name = key(number, slot)
        self.made[name] = (number, slot, flows)
        self.put(name)
        return name

    def put(self, name: str) -> None:
        """Puts it (again): the same bytes, so the same etag on S3."""
        self.place.put(name, gzip.compress(text(*self.made[name]).encode(), mtime=0))

    @property
    def flows(self) -> int:
        return sum(flows for _, _, flows in self.made.values())

    def rows(self) -> list[tuple[str, int, int]]:
        """(source address, source port, start) of every flow."""
        return sorted(_rows(self.made.values()))


def _rows(made: Any) -> Iterator[tuple[str, int, int]]:
    for number, slot, flows in made:
        for i in range(flows):
            yield (
                f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
                i,
                slot + i % 300,
            )


def lake_rows(lake: Any) -> list[tuple[str, int, int]]:
    """The same of a lake, doubles included."""
    from flowscan.engine import Engine

    with Engine(lake.snapshot()) as engine:
        table = engine.query('SELECT srcaddr, srcport, "start" FROM flows')
    return sorted(zip(*(table[c].to_pylist() for c in table.column_names), strict=True))
