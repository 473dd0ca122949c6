"""The way between two ends: which interfaces a packet crosses, and as what it appears there.

Invariant: hops are in the order in which the client's packets meet them. Nothing is said of
logging here; an interface that is not logged crosses packets all the same.
"""

from __future__ import annotations

import random

from .estate import ZONES, Estate
from .model import End, Hop, Interface


def route(estate: Estate, client: End, server: End, rng: random.Random) -> list[Hop]:
    """All hops between client and server."""
    if client.ours and server.ours:
        return _inside(estate, client, server)
    if client.ours:
        return _outwards(estate, client, server, rng)
    assert server.interface is not None
    return [Hop(server.interface, "ingress", "egress", path_back=_internet_path(server))]


def port_of(end: End, rng: random.Random) -> int:
    """An ephemeral port as the end's system chooses it."""
    return rng.randrange(49152, 65536) if end.os == "windows" else rng.randrange(32768, 61000)


def _nitro(interface: Interface) -> bool:
    return interface.window == 60


def _internet_path(end: End) -> str:
    assert end.interface is not None
    return "8" if _nitro(end.interface) else "2"


def _inside(estate: Estate, client: End, server: End) -> list[Hop]:
    a, b = client.interface, server.interface
    assert a is not None
    assert b is not None
    if a.vpc == b.vpc or frozenset((a.vpc, b.vpc)) in estate.peered:
        path = "1" if a.vpc == b.vpc else "4"
        return [
            Hop(a, "egress", "ingress", path_out=path),
            Hop(b, "ingress", "egress", path_back=path),
        ]
    # Packets keep their zone through a transit gateway, so answers come back by other interfaces.
    there, here = estate.tgw_enis[a.vpc, a.az], estate.tgw_enis[b.vpc, a.az]
    back_in, back_out = estate.tgw_enis[b.vpc, b.az], estate.tgw_enis[a.vpc, b.az]
    hops = [Hop(a, "egress", "ingress")]
    hops += _gateway_side(there, back_out, "ingress", "egress")
    hops += _attachments(estate, a.vpc, b.vpc)
    hops += _gateway_side(here, back_in, "egress", "ingress")
    hops.append(Hop(b, "ingress", "egress"))
    return hops


def _gateway_side(out: Interface, back: Interface, way_out: str, way_back: str) -> list[Hop]:
    if out is back:
        return [Hop(out, way_out, way_back, "tgw-eni", "1", "1")]
    return [Hop(out, way_out, None, "tgw-eni", "1"), Hop(back, None, way_back, "tgw-eni", "-", "1")]


def _attachments(estate: Estate, a: str, b: str) -> list[Hop]:
    return [
        Hop(estate.attachments[a], "ingress", "egress", "tgw", pair=b),
        Hop(estate.attachments[b], "egress", "ingress", "tgw", pair=a),
    ]


def _outwards(estate: Estate, client: End, server: End, rng: random.Random) -> list[Hop]:
    eni = client.interface
    assert eni is not None
    vpc = estate.vpc_of(client)
    if server.service in ("S3", "DYNAMODB") and ZONES.index(eni.az) in vpc.endpoint_zones:
        return [Hop(eni, "egress", "ingress", "endpoint", "7" if _nitro(eni) else "2")]
    if client.public or ":" in client.address:
        return [Hop(eni, "egress", "ingress", path_out=_internet_path(client))]
    nat = estate.nat[eni.az]
    inner = nat.interface
    assert inner is not None
    masked = (nat.address, rng.randrange(1024, 65536))
    hops = [Hop(eni, "egress", "ingress", path_out="1")]
    if vpc.name != "app":
        # Spokes reach the NAT gateways of `app` through the transit gateway.
        hops[0].path_out = "-"
        hops += _gateway_side(*(2 * [estate.tgw_enis[vpc.name, eni.az]]), "ingress", "egress")
        hops += _attachments(estate, vpc.name, "app")
        hops += _gateway_side(*(2 * [estate.tgw_enis["app", eni.az]]), "egress", "ingress")
    hops.append(Hop(inner, "ingress", "egress", "nat-inner", path_back="1"))
    hops.append(Hop(inner, "egress", "ingress", "nat-outer", path_out="8", client=masked))
    return hops
