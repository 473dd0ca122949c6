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

from .model import BACK, OUT, Talk
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
    return Truth(pa.Table.from_pylist(rows), _legs(simulation.records, fmt), summary(simulation))


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


def summary(simulation: Simulation) -> dict[str, Any]:
    """Sums: internet bytes by our address and by pair, and services that answered the internet."""
    pairs: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    endpoint = [0, 0]
    services: dict[tuple[str, int, int], set[str]] = defaultdict(set)
    for talk in simulation.talks:
        place = boundary(talk)
        if place in ("inside", "gateway"):
            continue
        ours, theirs = talk.client, talk.server
        way = (OUT, BACK)
        if talk.server.ours:
            ours, theirs, way = talk.server, talk.client, (BACK, OUT)
            if talk.payload[1] and talk.protocol in (6, 17) and talk.sums[BACK][0]:
                service = (ours.address, talk.server_port, talk.protocol)
                services[service].add(theirs.address)
        sums = endpoint if place == "endpoint" else pairs[ours.address, theirs.address]
        sums[0] += talk.sums[way[0]][1]
        sums[1] += talk.sums[way[1]][1]
    return {
        "seed": simulation.seed,
        "records": len(simulation.records),
        "connections": len(simulation.talks),
        "addresses": sorted(simulation.estate.addresses()),
        "nat": sorted(e.address for e in simulation.estate.nat.values()),
        "internet_out": sum(s[0] for s in pairs.values()),
        "internet_in": sum(s[1] for s in pairs.values()),
        "endpoint_out": endpoint[0],
        "endpoint_in": endpoint[1],
        "internet_pairs": [[*pair, *sums] for pair, sums in sorted(pairs.items())],
        "exposed": [
            [*service, len(who)]
            for service, who in sorted(services.items(), key=lambda s: (-len(s[1]), s[0]))
        ],
    }


def save(simulation: Simulation, folder: Path, fmt: str) -> None:
    """Writes connections.parquet, legs.parquet and summary.json."""
    folder.mkdir(parents=True, exist_ok=True)
    made = truth(simulation, fmt)
    pq.write_table(made.connections, folder / "connections.parquet")
    pq.write_table(made.legs, folder / "legs.parquet")
    (folder / "summary.json").write_text(json.dumps(made.summary, indent=1) + "\n")
