"""Small logs of the kinds that once gave as many answers as there were commands, and the truth.

A case says what its addresses sent one another (accepted bytes and packets, each packet once) and
who called whom how often, with what came of it. The logs are made here; those of `../shared/cases` are of the
same kinds and have the same truth.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SHARED = Path(os.environ.get("FLOWSCAN_CASES", Path(__file__).parents[3] / "shared" / "cases"))
V2 = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start "
    "end action log-status"
)
LEVEL = f"{V2} pkt-srcaddr pkt-dstaddr flow-direction traffic-path"
SERVICES = f"{LEVEL} pkt-src-aws-service pkt-dst-aws-service"


@dataclass(frozen=True)
class Case:
    """A log and what is true of it.

    `sent`, `packets`: (from, to) → bytes, packets. `calls`: (client, server, port) → sessions.
    `ours`: address → interface. `open_`: the servers answered. Where strangers are on a list,
    `rank` is that of the matches, and `detections` raise a finding each.
    """

    name: str
    sent: dict[tuple[str, str], int]
    packets: dict[tuple[str, str], int]
    calls: dict[tuple[str, str, int], int]
    ours: dict[str, str]
    text: str = field(repr=False, default="")
    shared: str = ""
    services: dict[str, str] = field(default_factory=dict)
    open_: bool = True
    rank: int = 1
    detections: tuple[str, ...] = ("c2-activity",)

    @property
    def sizes(self) -> tuple[tuple[str, dict[tuple[str, str], int]], ...]:
        """What was sent, in both measures."""
        return ("bytes", self.sent), ("packets", self.packets)


def line(eni: str, path: str, ports: str, sizes: str, start: int, *more: str) -> str:
    """One accepted TCP record: `a>b`, `port>port`, `packets/bytes`, 50 seconds from `start`."""
    src, dst = path.split(">")
    sport, dport = ports.split(">")
    packets, size = sizes.split("/")
    fixed = f"123456789012 {eni} {src} {dst} {sport} {dport} 6 {packets} {size} {start}"
    return " ".join(["5" if more else "2", fixed, str(start + 50), "ACCEPT OK", *more])


def nat_three_legs() -> Case:
    """A host fetches from S3 through a NAT gateway: six records of each packet's way."""
    host, gate, s3 = "10.0.1.5", "10.0.9.9", "52.216.10.10"
    inst, nat = "eni-0inst000000000001", "eni-0nat0000000000001"
    out, back = "1000000/1000000000", "10000/10000000"
    rows = [SERVICES]
    for i in range(10):
        t = 1764550800 + 600 * i
        rows += [
            line(inst, f"{host}>{s3}", "40000>443", out, t, host, s3, "egress", "-", "-", "S3"),
            line(nat, f"{host}>{gate}", "40000>443", out, t, host, s3, "ingress", "-", "-", "S3"),
            line(nat, f"{gate}>{s3}", "50000>443", out, t, gate, s3, "egress", "8", "-", "S3"),
            line(nat, f"{s3}>{gate}", "443>50000", back, t, s3, gate, "ingress", "-", "S3", "-"),
            line(nat, f"{gate}>{host}", "443>40000", back, t, s3, host, "egress", "1", "S3", "-"),
            line(inst, f"{s3}>{host}", "443>40000", back, t, s3, host, "ingress", "-", "S3", "-"),
        ]
    return Case(
        "nat_three_legs",
        {(host, s3): 10_000_000_000, (s3, host): 100_000_000},
        {(host, s3): 10_000_000, (s3, host): 100_000},
        {(host, s3, 443): 10},
        {host: inst, gate: nat},
        "\n".join(rows),
        "traffic/nat_three_legs.log.gz",
        {s3: "S3"},
        detections=("c2-activity", "exfiltration"),
    )


def nat_two_interfaces_ipv6() -> Case:
    """NAT, both interfaces of a pair inside, global IPv6 addresses of our own."""
    host, gate, web = "10.0.1.5", "10.0.0.220", "93.184.216.34"
    db, six, six_db = "10.0.2.9", "2600:1f18:aaaa::5", "2600:1f18:aaaa::9"
    far, t = "2a00:1450:4001::8a", 1785800000
    rows = [
        LEVEL,
        line("eni-inst", f"{host}>{web}", "40000>443", "10/1000", t, host, web, "egress", "-"),
        line("eni-nat", f"{host}>{gate}", "40000>443", "10/1000", t, host, web, "ingress", "-"),
        line("eni-nat", f"{gate}>{web}", "55000>443", "10/1000", t, gate, web, "egress", "8"),
        line("eni-a", f"{host}>{db}", "40001>5432", "10/500", t, host, db, "egress", "1"),
        line("eni-b", f"{host}>{db}", "40001>5432", "10/500", t, host, db, "ingress", "-"),
        line("eni-v6", f"{six}>{far}", "40001>443", "10/700000", t, six, far, "egress", "8"),
        line("eni-v6b", f"{six}>{six_db}", "40001>5432", "10/700", t, six, six_db, "ingress", "-"),
    ]
    return Case(
        "nat_two_interfaces_ipv6",
        {(host, web): 1000, (host, db): 500, (six, far): 700_000, (six, six_db): 700},
        dict.fromkeys([(host, web), (host, db), (six, far), (six, six_db)], 10),
        {(host, web, 443): 1, (host, db, 5432): 1, (six, far, 443): 1, (six, six_db, 5432): 1},
        {db: "eni-b", six: "eni-v6", six_db: "eni-v6b", gate: "eni-nat"},
        "\n".join(rows),
        "traffic/nat_two_interfaces_ipv6.log",
        open_=False,
        rank=5,
        detections=(),
    )


def low_client_ports() -> Case:
    """A client of ours whose ports are lower than the server's."""
    host, far, eni = "10.0.1.5", "52.1.2.3", "eni-0aaaaaaaaaaaaaaa1"
    rows = [V2]
    for i in range(5):
        t = 1785715200 + 60 * i
        rows.append(line(eni, f"{host}>{far}", f"{5001 + i}>8443", "12/1500", t))
        rows.append(line(eni, f"{far}>{host}", f"8443>{5001 + i}", "10/6500", t))
    return Case(
        "low_client_ports",
        {(host, far): 7500, (far, host): 32_500},
        {(host, far): 60, (far, host): 50},
        {(host, far, 8443): 5},
        {host: eni},
        "\n".join(rows),
        "traffic/low_client_ports.log",
    )


def scan_from_one_source_port() -> Case:
    """A stranger tries many closed ports of ours from one port of its own."""
    far, host, eni = "82.141.245.237", "10.30.1.6", "eni-0aaaaaaaaaaaaaaa2"
    rows = [V2]
    for i in range(200):
        t = 1785715200 + 5 * i
        rows.append(line(eni, f"{far}>{host}", f"1254>{5900 + i}", "1/40", t))
        rows.append(line(eni, f"{host}>{far}", f"{5900 + i}>1254", "1/40", t))
    return Case(
        "scan_from_one_source_port",
        {(far, host): 8000, (host, far): 8000},
        {(far, host): 200, (host, far): 200},
        {(far, host, 5900 + i): 1 for i in range(200)},
        {host: eni},
        "\n".join(rows),
        "traffic/scan_from_one_source_port.log",
        open_=False,
        rank=3,
        detections=("inbound-scan",),
    )


def pod_address_100_64() -> Case:
    """A pod's address stands at the packet level only."""
    node, pod, web, eni = "10.0.1.5", "100.64.3.7", "93.184.216.34", "eni-0aaaaaaaaaaaaaaa3"
    t = 1785715200
    rows = [
        LEVEL,
        line(eni, f"{node}>{web}", "40000>443", "10/4000", t, pod, web, "egress", "8"),
        line(eni, f"{web}>{node}", "443>40000", "10/9000", t, web, pod, "ingress", "-"),
    ]
    return Case(
        "pod_address_100_64",
        {(pod, web): 4000, (web, pod): 9000},
        {(pod, web): 10, (web, pod): 10},
        {(pod, web, 443): 1},
        {pod: eni},
        "\n".join(rows),
        "traffic/pod_address_100_64.log",
    )


def cases() -> Iterator[Case]:
    """All cases."""
    yield nat_three_legs()
    yield nat_two_interfaces_ipv6()
    yield low_client_ports()
    yield scan_from_one_source_port()
    yield pod_address_100_64()


def write(case: Case, folder: Path) -> Path:
    """The log of a case, made here."""
    path = folder / f"{case.name}.log.gz"
    path.write_bytes(gzip.compress(f"{case.text}\n".encode()))
    return path
