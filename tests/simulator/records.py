"""From bursts to flow-log records: one per interface, direction, window and action.

Invariant: what a record counts passed its interface in one window of that interface; the sums over
the records of any one hop are the sums of the bursts that came by. Bursts before the log begins or
after it ends are in no record and not in the truth.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from .model import BACK, LOST, OUT, REFUSED_HERE, REFUSED_THERE, Burst, End, Hop, Talk

HOP_DELAY_S = 0.00015
LATE_SHARE = 0.02  # of records whose start AWS noted late

# view, start, end, packets, bytes, flags, refused, number of the talk
Record = tuple["View", int, int, int, int, int, bool, int]


@dataclass(frozen=True, slots=True)
class View:
    """What one interface calls one direction of a connection; packet fields are true addresses."""

    hop: Hop
    direction: str
    path: str
    srcaddr: str
    dstaddr: str
    srcport: int
    dstport: int
    protocol: int
    pkt_src: str
    pkt_dst: str
    src_service: str
    dst_service: str
    way: int
    true: tuple[str, int, str, int]  # client, its port, server, its port


def view(talk: Talk, hop: Hop, way: int) -> View | None:
    """The view of one hop on one direction; None when that direction does not come by."""
    direction = hop.out if way == OUT else hop.back
    if direction is None:
        return None
    client, client_port = hop.client or (talk.client.address, talk.client_port)
    ends = [
        (client, client_port, talk.client),
        (talk.server.address, talk.server_port, talk.server),
    ]
    (src, srcport, from_), (dst, dstport, to) = ends if way == OUT else ends[::-1]
    mine = hop.interface.shown
    attachment = hop.interface.kind == "attachment"
    return View(
        hop=hop,
        direction=direction,
        path=(hop.path_out if way == OUT else hop.path_back) if direction == "egress" else "-",
        srcaddr=src if attachment or direction == "ingress" else mine(src),
        dstaddr=dst if attachment or direction == "egress" else mine(dst),
        srcport=srcport,
        dstport=dstport,
        protocol=talk.protocol,
        pkt_src=src,
        pkt_dst=dst,
        src_service=_service(from_, src),
        dst_service=_service(to, dst),
        way=way,
        true=(talk.client.address, talk.client_port, talk.server.address, talk.server_port),
    )


def _service(end: End, address: str) -> str:
    return end.service if end.address == address else "-"


def record(talk: Talk, begin: int, end: int, rng: random.Random, *, tgw: bool) -> list[Record]:
    """The records of a talk; fills in its sums, first and last."""
    bursts = [b for b in talk.bursts if begin <= b[0] < end - 1]
    made: list[Record] = []
    last = len(talk.hops) - 1
    for place, hop in enumerate(talk.hops):
        eni = hop.interface
        if not eni.logged or (eni.kind == "attachment" and not tgw):
            continue
        windows: dict[tuple[int, int, bool], list[int]] = {}
        for t, way, packets, size, flags, fate in bursts:
            far, near = (last, 0) if way == OUT else (0, last)
            if fate in (REFUSED_HERE, LOST) and place != near:
                continue
            at = int(t + HOP_DELAY_S * (place if way == OUT else last - place))
            key = (
                (at + eni.phase) // eni.window,
                way,
                (fate == REFUSED_THERE and place == far) or fate == REFUSED_HERE,
            )
            found = windows.get(key)
            if found is None:
                windows[key] = [at, at, packets, size, flags]
            else:
                if at > found[1]:
                    found[1] = at
                elif at < found[0]:
                    found[0] = at
                found[2] += packets
                found[3] += size
                found[4] |= flags
        if windows:
            _emit(talk, hop, windows, rng, made)
    if made:
        talk.visible = True
        _sum(talk, bursts, tgw=tgw)
    return made


def _emit(
    talk: Talk,
    hop: Hop,
    windows: dict[tuple[int, int, bool], list[int]],
    rng: random.Random,
    made: list[Record],
) -> None:
    views = (view(talk, hop, OUT), view(talk, hop, BACK))
    first = [0, 0]
    for (_, way, refused), (start, end, packets, size, flags) in windows.items():
        seen = views[way]
        if seen is None:
            continue
        late = end > start and rng.random() < LATE_SHARE
        noted = min(end, start + rng.randrange(1, 4)) if late else start
        first[way] = min(first[way] or noted, noted)
        made.append((seen, noted, end, packets, size, flags, refused, talk.number))
    if first[0] and first[1] and first[0] != first[1]:
        talk.same_second = False


def _sum(talk: Talk, bursts: list[Burst], *, tgw: bool) -> None:
    """Packets and bytes each way: passed, and refused by an interface that is logged.

    What no record can show is not there: a way that crosses no logged interface, a packet lost or
    refused before the first logged one.
    """
    logs = [h.interface.logged and (tgw or h.interface.kind != "attachment") for h in talk.hops]
    last = len(talk.hops) - 1
    shown = [
        any(logs[i] and (h.out, h.back)[way] for i, h in enumerate(talk.hops))
        for way in (OUT, BACK)
    ]
    for _, way, packets, size, _, fate in bursts:
        near, far = (0, last) if way == OUT else (last, 0)
        if not shown[way] or (fate == LOST and not logs[near]):
            continue
        sums = talk.sums[way]
        if (fate == REFUSED_HERE and logs[near]) or (fate == REFUSED_THERE and logs[far]):
            sums[2] += packets
            sums[3] += size
        elif fate != REFUSED_HERE:
            sums[0] += packets
            sums[1] += size
    talk.first, talk.last = bursts[0][0], max(b[0] for b in bursts)
