"""The estate of the sample logs, and how AWS cuts its connections into flow-log records.

A connection becomes, on every interface of ours that sees it, one record per direction and
aggregation window (60 s on the two Nitro instances, 600 s on the database), with packets and
bytes spread over the windows and TCP flags OR-ed as AWS does (SYN 2, SYN-ACK 18, FIN 1, RST 4).
Random numbers come from `random.Random.random` alone, whose sequence Python guarantees.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from math import exp

ACCOUNT = "123456789012"
REGION = "us-east-1"
VPC = "vpc-0d41b2f7a5c803e96"
HOUR = 3600


def clock(day: int, hour: int = 0, minute: int = 0) -> int:
    """Epoch seconds of a time on a day of August 2026, UTC."""
    return int(datetime(2026, 8, day, hour, minute, tzinfo=UTC).timestamp())


DAY1 = clock(3)
DAY2 = clock(4)
NOON2 = clock(4, 12)


@dataclass(frozen=True)
class Host:
    """One of our instances: its interface, where that stands, and its aggregation window."""

    name: str
    address: str
    address6: str
    interface: str
    instance: str
    subnet: str
    az: str
    window: int
    offset: int


PUBLIC, PRIVATE = "subnet-04f1c9d27be8a3061", "subnet-0b92e6d1485fa7c3e"
WEB = Host(
    "web",
    "10.20.1.10",
    "2600:1f18:22ba:8c00::a",
    "eni-0a5e91c4d27f3b860",
    "i-0f2c7a91be4d8e535",
    PUBLIC,
    "use1-az4",
    60,
    17,
)
BASTION = Host(
    "bastion",
    "10.20.1.20",
    "2600:1f18:22ba:8c00::14",
    "eni-0c7d20e5f91a4b38d",
    "i-07b4e2d91c5f8a360",
    PUBLIC,
    "use1-az4",
    60,
    41,
)
DB = Host(
    "database",
    "10.20.2.30",
    "2600:1f18:22ba:8c01::1e",
    "eni-0e83f6b10d952c47a",
    "i-0d95c1e7a2b84f603",
    PRIVATE,
    "use1-az6",
    600,
    123,
)
HOSTS = (WEB, BASTION, DB)


@dataclass(slots=True)
class Record:
    """One flow-log record, as far as it is not derived from its host."""

    host: Host
    src: str
    dst: str
    sport: int
    dport: int
    protocol: int
    packets: int
    bytes: int
    start: int
    end: int
    action: str
    flags: int
    egress: bool
    src_service: str | None
    dst_service: str | None
    status: str = "OK"


class Estate:
    """Collects the records of everything that happens, in no particular order."""

    def __init__(self, seed: int) -> None:
        self.records: list[Record] = []
        self.lost: list[tuple[Host, int]] = []
        self._random = random.Random(seed).random
        self._ephemeral = 32_768

    def below(self, n: int) -> int:
        """Random integer in [0, n)."""
        return int(self._random() * n)

    def poisson(self, mean: float) -> int:
        """Poisson-distributed count (Knuth's product of uniforms)."""
        limit, product, n = exp(-mean), self._random(), 0
        while product > limit:
            product *= self._random()
            n += 1
        return n

    def connect(
        self,
        client: str | Host,
        server: str | Host,
        port: int,
        start: int,
        seconds: int,
        sent: int,
        received: int,
        *,
        protocol: int = 6,
        service: str | None = None,
    ) -> None:
        """Record an accepted connection: `sent` bytes by the client, `received` by the server."""
        client_port = self._port() if port else 0
        for host in {id(h): h for h in (client, server) if isinstance(h, Host)}.values():
            v6 = any(isinstance(x, str) and ":" in x for x in (client, server))
            ends = [
                x if isinstance(x, str) else x.address6 if v6 else x.address
                for x in (client, server)
            ]
            out = host is client
            services = (None, service) if out else (service, None)
            windows = _windows(host, start, start + seconds)
            for i, (first, last, share) in enumerate(windows):
                opens, closes = i == 0, i == len(windows) - 1
                fin = 1 if closes and protocol == 6 else 0
                syn = protocol == 6 and opens
                flags = (fin | (2 if syn else 0), fin | (18 if syn else 0))
                for way, (total, other) in enumerate(((sent, received), (received, sent))):
                    size, packets = _volume(total, other, share, protocol)
                    a, b = (0, 1) if way == 0 else (1, 0)
                    ports = (client_port, port) if way == 0 else (port, client_port)
                    self.records.append(Record(
                        host, ends[a], ends[b], *ports, protocol, packets, size, first, last,
                        "ACCEPT", flags[way], out == (way == 0), services[a], services[b],
                    ))  # fmt: skip

    def refuse(self, source: str, host: Host, port: int, at: int, *, packets: int) -> None:
        """Record packets from outside that a security group refused."""
        self.records.append(Record(
            host, source, host.address, self._port(), port, 6, packets, packets * 44, at,
            at + 1 + packets, "REJECT", 2, egress=False, src_service=None, dst_service=None,
        ))  # fmt: skip

    def silent(self, host: Host, target: str, port: int, at: int) -> None:
        """Record a connection attempt of ours that nobody answers."""
        self.records.append(Record(
            host, host.address, target, self._port(), port, 6, 2, 120, at, at + 3, "ACCEPT", 2,
            egress=True, src_service=None, dst_service=None,
        ))  # fmt: skip

    def blocked(self, client: Host, server: Host, port: int, at: int) -> None:
        """Record an attempt between two of ours: leaves the one, refused at the other."""
        self.silent(client, server.address, port, at)
        self.refuse(client.address, server, port, at, packets=2)

    def skip(self, host: Host, start: int, windows: int) -> None:
        """Lose whole windows of a host: SKIPDATA stands in for their records."""
        for n in range(windows):
            begin = start - (start - host.offset) % host.window + n * host.window
            self.lost.append((host, begin))

    def finish(self) -> list[Record]:
        """All records in delivery order, NODATA for silent windows, SKIPDATA for lost ones."""
        lost = {(h.interface, w) for h, w in self.lost}
        kept = [
            r
            for r in self.records
            if r.start >= DAY1 and r.end < NOON2 and (r.host.interface, _window_of(r)) not in lost
        ]
        seen = {(r.host.interface, _window_of(r)) for r in kept}
        for host in HOSTS:
            first = DAY1 - (DAY1 - host.offset) % host.window
            for begin in range(first, NOON2 - host.window, host.window):
                key = (host.interface, begin)
                if key in seen or begin < DAY1:
                    continue
                status = "SKIPDATA" if key in lost else "NODATA"
                kept.append(Record(
                    host, "-", "-", 0, 0, 0, 0, 0, begin, begin + host.window - 2, "-", 0,
                    egress=False, src_service=None, dst_service=None, status=status,
                ))  # fmt: skip
        kept.sort(key=lambda r: (r.end, r.start, r.host.interface, r.src, r.dst, r.sport, r.dport))
        return kept

    def _port(self) -> int:
        self._ephemeral += 1 + self.below(23)
        if self._ephemeral > 60_999:
            self._ephemeral = 32_768 + self.below(40)
        return self._ephemeral


def _window_of(record: Record) -> int:
    host = record.host
    return record.start - (record.start - host.offset) % host.window


def _windows(host: Host, start: int, end: int) -> list[tuple[int, int, float]]:
    """Cut [start, end] at the host's aggregation windows: first packet, last packet, share."""
    total = max(1, end - start)
    cuts = []
    at = start
    while True:
        stop = at - (at - host.offset) % host.window + host.window
        last = min(end, stop - 1)
        share = 1.0 if end < stop and at == start else (min(end, stop) - at) / total
        cuts.append((at, max(last, at), share))
        if end < stop:
            return cuts
        at = stop


def _volume(total: int, other: int, share: float, protocol: int) -> tuple[int, int]:
    """Bytes and packets of one direction in one window: segments and, for TCP, acknowledgements.

    Every second segment of the other side is acknowledged by a packet of 52 bytes at least.
    """
    size = max(40, int(total * share))
    if protocol != 6:
        return size, max(1, size // 84 if protocol == 1 else size // 600)
    payload = 1380 if size > 200_000 else 240 if size > 4000 else 150
    packets = max(1, size // payload)
    acknowledged = int(other * share) // (2 * 1380)
    if acknowledged <= packets:
        return size, packets
    return max(size, acknowledged * 52), acknowledged
