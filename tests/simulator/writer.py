"""Objects as AWS delivers them: text with a header, gzip, under the bucket's key layout.

Invariant: a line per record and nothing else, in files by account and hour of the record's end; the
transit gateway's records go to a folder of their own.
"""

from __future__ import annotations

import gzip
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

from .estate import REGION, Estate
from .play import BEGIN, Simulation
from .records import Record
from .truth import save

V2 = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes "
    "start end action log-status"
)
V5 = (
    V2 + " vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr region az-id "
    "sublocation-type sublocation-id pkt-src-aws-service pkt-dst-aws-service flow-direction "
    "traffic-path"
)
TGW = (
    "version resource-type account-id tgw-id tgw-attachment-id tgw-src-vpc-account-id "
    "tgw-dst-vpc-account-id tgw-src-vpc-id tgw-dst-vpc-id tgw-src-subnet-id tgw-dst-subnet-id "
    "tgw-src-eni tgw-dst-eni tgw-src-az-id tgw-dst-az-id tgw-pair-attachment-id srcaddr dstaddr "
    "srcport dstport protocol packets bytes start end log-status type packets-lost-no-route "
    "packets-lost-blackhole packets-lost-mtu-exceeded packets-lost-ttl-expired tcp-flags region "
    "flow-direction pkt-src-aws-service pkt-dst-aws-service"
)
FORMATS = {"v2": V2, "v5": V5}


def line(found: Record, fmt: str, estate: Estate) -> str:
    """One record as text in one of `FORMATS`, or of the transit gateway."""
    seen, start, end, packets, size, flags, refused, _ = found
    eni = seen.hop.interface
    if eni.kind == "attachment":
        return _tgw_line(found, estate)
    text = (
        f"{fmt[1:]} {eni.account} {eni.id} {seen.srcaddr} {seen.dstaddr} {seen.srcport} "
        f"{seen.dstport} {seen.protocol} {packets} {size} {start} {end} "
        f"{'REJECT' if refused else 'ACCEPT'} OK"
    )
    if fmt == "v2":
        return text
    kind = "IPv6" if ":" in seen.srcaddr else "IPv4"
    return (
        f"{text} {estate.vpcs[eni.vpc].id} {eni.subnet} {eni.instance} {flags} {kind} "
        f"{seen.pkt_src} {seen.pkt_dst} {REGION} {eni.az} - - {seen.src_service} "
        f"{seen.dst_service} {seen.direction} {seen.path}"
    )


def _tgw_line(found: Record, estate: Estate) -> str:
    seen, start, end, packets, size, flags, _, _ = found
    here = seen.hop.interface
    pair = next(a for a in estate.attachments.values() if a is not here and seen.hop.pair == a.vpc)
    source, destination = (here, pair) if seen.direction == "ingress" else (pair, here)
    vpcs = [estate.vpcs[a.vpc] for a in (source, destination)]
    kind = "IPv6" if ":" in seen.srcaddr else "IPv4"
    zone = "euw1-az1"
    enis = [estate.tgw_enis[v.name, zone] for v in vpcs]
    return (
        f"6 TransitGateway {here.account} {estate.tgw} {here.id} {vpcs[0].account} "
        f"{vpcs[1].account} {vpcs[0].id} {vpcs[1].id} {enis[0].subnet} {enis[1].subnet} "
        f"{enis[0].id} {enis[1].id} {zone} {zone} {pair.id} {seen.srcaddr} {seen.dstaddr} "
        f"{seen.srcport} {seen.dstport} {seen.protocol} {packets} {size} {start} {end} OK {kind} "
        f"0 0 0 0 {flags} {REGION} {seen.direction} {seen.src_service} {seen.dst_service}"
    )


def write(simulation: Simulation, out: Path, fmt: str = "v2") -> dict[str, int]:
    """Writes `logs/`, `tgw/` when it was simulated, and `truth/` under `out`; lines per folder."""
    files: dict[tuple[str, str, int], list[str]] = defaultdict(list)
    estate = simulation.estate
    for found in simulation.records:
        eni = found[0].hop.interface
        folder = "tgw" if eni.kind == "attachment" else "logs"
        files[folder, eni.account, found[2] // 3600 * 3600].append(line(found, fmt, estate))
    for account in {i.account for i in estate.interfaces}:
        idle = next(i for i in estate.interfaces if i.logged and i.account == account)
        files["logs", account, BEGIN].append(_no_data(idle.id, account, fmt))
    counts = {"logs": 0, "tgw": 0}
    for (folder, account, hour), lines in files.items():
        header = TGW if folder == "tgw" else FORMATS[fmt]
        _put(out / folder, account, hour, "\n".join([header, *lines]) + "\n")
        counts[folder] += len(lines)
    save(simulation, out / "truth", fmt)
    return counts


def _no_data(interface: str, account: str, fmt: str) -> str:
    dashes = "- - - - - - -"
    text = f"{fmt[1:]} {account} {interface} {dashes} {BEGIN} {BEGIN + 59} - NODATA"
    return text + " -" * (len(FORMATS[fmt].split()) - 14)


def _put(folder: Path, account: str, hour: int, text: str) -> None:
    at = datetime.fromtimestamp(hour + 3600, UTC)
    log = "fl-0tgw0" if folder.name == "tgw" else "fl-0vpc0"
    path = folder / f"AWSLogs/{account}/vpcflowlogs/{REGION}/{at:%Y/%m/%d}"
    path.mkdir(parents=True, exist_ok=True)
    name = f"{account}_vpcflowlogs_{REGION}_{log}_{at:%Y%m%dT%H%MZ}_{hour:08x}.log.gz"
    (path / name).write_bytes(gzip.compress(text.encode(), 1, mtime=0))
