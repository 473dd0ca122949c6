"""The truth of a simulated day, as Arrow tables and a summary.

`connections`: one row per connection with its true ends. `legs`: under which other five-tuples
records show it (a gateway's outer leg, an address that AWS shows in place of another). Invariant:
nothing here is judged from what a reader of the records would guess; only `undecidable` asks what
records can tell at all (`unknowable`).
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from .model import BACK, OUT, End, Talk
from .play import Simulation
from .records import Record
from .unknowable import undecidable


@dataclass(frozen=True)
class Truth:
    """What really happened, and what records of one format can show of it."""

    connections: pa.Table
    legs: pa.Table
    summary: dict[str, Any]

    @staticmethod
    def load(folder: Path) -> Truth:
        """Reads what `save` wrote."""
        return Truth(
            pq.read_table(folder / "connections.parquet"),
            pq.read_table(folder / "legs.parquet"),
            json.loads((folder / "summary.json").read_text()),
        )


def truth(simulation: Simulation, fmt: str = "v2") -> Truth:
    """The truth, with what records of this format cannot tell marked."""
    marks = undecidable(simulation.talks, fmt)
    rows = [
        {
            "number": talk.number,
            "kind": talk.kind,
            "hostile": talk.hostile,
            "client": talk.client.address,
            "client_port": talk.client_port,
            "server": talk.server.address,
            "server_port": talk.server_port,
            "protocol": talk.protocol,
            "first_seen": int(talk.first),
            "last_seen": int(talk.last),
            "packets_out": talk.sums[OUT][0],
            "packets_in": talk.sums[BACK][0],
            "bytes_out": talk.sums[OUT][1],
            "bytes_in": talk.sums[BACK][1],
            "refused_packets_out": talk.sums[OUT][2],
            "refused_packets_in": talk.sums[BACK][2],
            "refused_bytes_out": talk.sums[OUT][3],
            "refused_bytes_in": talk.sums[BACK][3],
            "outcome": talk.outcome,
            "boundary": boundary(talk),
            "undecidable": talk.number in marks,
            "scored": talk.scored,
        }
        for talk in simulation.talks
    ]
    legs = _legs(simulation.records, fmt)
    return Truth(pa.Table.from_pylist(rows), legs, summary(simulation, fmt))


def boundary(talk: Talk) -> str:
    """inside, internet, endpoint (public addresses through a gateway endpoint), gateway (probes)."""
    if talk.hops[0].name == "endpoint":
        return "endpoint"
    if talk.server.interface is not None and talk.server.interface.kind == "nat_gateway":
        return "gateway"
    return "inside" if talk.client.ours and talk.server.ours else "internet"


def _legs(records: list[Record], fmt: str) -> pa.Table:
    """Five-tuples other than the true one that the records of a connection carry."""
    found: set[tuple[int, str, str, int, str, int]] = set()
    seen_views: set[int] = set()
    for view, *_, number in records:
        if id(view) in seen_views:
            continue
        seen_views.add(id(view))
        src, dst = (view.pkt_src, view.pkt_dst) if fmt != "v2" else (view.srcaddr, view.dstaddr)
        ends = [(src, view.srcport), (dst, view.dstport)]
        if view.way == BACK:
            ends.reverse()
        (client, client_port), (server, server_port) = ends
        true = view.true
        if (client, client_port, server, server_port) != true:
            found.add((number, view.hop.name, client, client_port, server, server_port))
    names = ("number", "leg", "client", "client_port", "server", "server_port")
    types = (pa.int64(), pa.string(), pa.string(), pa.int64(), pa.string(), pa.int64())
    columns = list(zip(*sorted(found), strict=True)) or [()] * 6
    return pa.table(
        [pa.array(c, t) for c, t in zip(columns, types, strict=True)], names=list(names)
    )


def summary(simulation: Simulation, fmt: str = "v2") -> dict[str, Any]:
    """Sums over the internet's edge, accepted and refused apart, and services that answered it.

    Gateway endpoints are not the internet; probes at a NAT gateway are. `internet_pairs` are (ours,
    theirs, bytes out, bytes in, refused out, refused in) by true ends. `exposed` are (address,
    port, protocol, distinct visitors) of services that sent payload to public addresses.
    """
    pairs: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    endpoint = [0, 0]
    services: dict[tuple[str, int, int], set[str]] = defaultdict(set)
    for talk in simulation.talks:
        place = boundary(talk)
        if place == "inside":
            continue
        ours, theirs, out, back = talk.client, talk.server, *talk.sums
        if talk.server.ours:
            ours, theirs, out, back = talk.server, talk.client, back, out
            if talk.payload[1] and talk.protocol in (6, 17) and talk.sums[BACK][0]:
                services[_shown(ours, fmt), talk.server_port, talk.protocol].add(theirs.address)
        if place == "endpoint":
            endpoint = [endpoint[0] + out[1], endpoint[1] + back[1]]
            continue
        sums = pairs[ours.address, theirs.address]
        for i, size in enumerate((out[1], back[1], out[3], back[3])):
            sums[i] += size
    names = ("internet_out", "internet_in", "internet_refused_out", "internet_refused_in")
    return {
        "seed": simulation.seed,
        "records": len(simulation.records),
        "connections": len(simulation.talks),
        "addresses": sorted(simulation.estate.addresses()),
        "hosts": sorted(
            [e.address, e.interface.id]
            for group in simulation.estate.groups.values()
            for e in group
            if e.interface and e.interface.logged
        ),
        "nat": sorted(e.address for e in simulation.estate.nat.values()),
        **{name: sum(s[i] for s in pairs.values()) for i, name in enumerate(names)},
        "endpoint_out": endpoint[0],
        "endpoint_in": endpoint[1],
        "internet_pairs": [[*pair, *sums] for pair, sums in sorted(pairs.items())],
        "exposed": [
            [*service, len(who)]
            for service, who in sorted(services.items(), key=lambda s: (-len(s[1]), s[0]))
        ],
    }


def _shown(end: End, fmt: str) -> str:
    """The address that the records know: without packet addresses, the interface's first."""
    return end.interface.shown(end.address) if fmt == "v2" and end.interface else end.address


def save(simulation: Simulation, folder: Path, fmt: str) -> None:
    """Writes connections.parquet, legs.parquet and summary.json."""
    folder.mkdir(parents=True, exist_ok=True)
    made = truth(simulation, fmt)
    pq.write_table(made.connections, folder / "connections.parquet")
    pq.write_table(made.legs, folder / "legs.parquet")
    (folder / "summary.json").write_text(json.dumps(made.summary, indent=1) + "\n")
