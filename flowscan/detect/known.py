"""Networks of well-known services: who may be called like clockwork without being a suspect.

Published ranges of AWS services, content networks and software vendors, beside the resolvers,
time servers and health checkers of `enrich.networks`. Being here never hides a match of a feed.
Where the lake has
`pkt-dst-aws-service`, AWS itself says which addresses are its own.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pyarrow as pa

from flowscan.enrich.networks import networks_of
from flowscan.match.addresses import numbers

AWS: Final = """
3.5.0.0/16 13.32.0.0/15 13.35.0.0/16 13.224.0.0/14 13.249.0.0/16 16.12.0.0/16 16.182.0.0/16
18.34.0.0/16 18.64.0.0/14 18.154.0.0/15 18.160.0.0/15 18.164.0.0/15 18.172.0.0/15 18.238.0.0/15
18.244.0.0/15 52.46.0.0/16 52.84.0.0/15 52.92.0.0/14 52.119.128.0/17 52.216.0.0/14 52.222.128.0/17
54.182.0.0/16 54.192.0.0/16 54.230.0.0/16 54.231.0.0/16 54.239.0.0/16 54.240.0.0/16 64.252.64.0/18
65.8.0.0/16 65.9.0.0/16 70.132.0.0/18 72.21.192.0/19 99.77.128.0/18 99.84.0.0/16 99.86.0.0/16
108.138.0.0/15 108.156.0.0/14 130.176.0.0/17 143.204.0.0/16 176.32.96.0/19 204.246.160.0/20
205.251.192.0/18 207.171.160.0/19 216.137.32.0/19 169.254.169.0/24
"""
SERVICES: Final = """
17.0.0.0/8 2.16.0.0/13 23.0.0.0/12 23.32.0.0/11 23.64.0.0/14 23.192.0.0/11 88.221.0.0/16
92.122.0.0/15 95.100.0.0/15 96.6.0.0/15 96.16.0.0/15 104.64.0.0/10 184.24.0.0/13 184.50.0.0/15
184.84.0.0/14 103.21.244.0/22 103.22.200.0/22 103.31.4.0/22 104.16.0.0/13 104.24.0.0/14
108.162.192.0/18 131.0.72.0/22 141.101.64.0/18 162.158.0.0/15 172.64.0.0/13 173.245.48.0/20
188.114.96.0/20 190.93.240.0/20 197.234.240.0/22 198.41.128.0/17 23.235.32.0/20 146.75.0.0/16
151.101.0.0/16 157.52.64.0/18 199.232.0.0/16 64.233.160.0/19 74.125.0.0/16 108.177.0.0/17
142.250.0.0/15 172.217.0.0/16 172.253.0.0/16 173.194.0.0/16 192.178.0.0/15 209.85.128.0/17
216.58.192.0/19 216.239.32.0/19 13.107.0.0/16 20.190.128.0/18 40.126.0.0/18 52.96.0.0/14
52.112.0.0/14 131.253.0.0/16 150.171.0.0/16 204.79.197.0/24 140.82.112.0/20 143.55.64.0/20
185.199.108.0/22 192.30.252.0/22 91.189.88.0/21 185.125.188.0/22 3.233.144.0/20 162.247.240.0/22
157.240.0.0/16 31.13.24.0/21 31.13.64.0/18 66.220.144.0/20 69.171.224.0/19 173.252.64.0/18
72.21.80.0/20 93.184.208.0/20 152.195.0.0/16 192.229.128.0/17 68.232.32.0/20 162.125.0.0/16
104.244.40.0/21 108.174.0.0/20 23.246.0.0/18 45.57.0.0/17 198.38.96.0/19 170.114.0.0/16
2600:9000::/28 2606:4700::/32 2a04:4e42::/32 2607:f8b0::/32 2a00:1450::/32
2603:1000::/24 2620:1ec::/36
"""

ROLES: Final = ("resolver", "ntp", "health-check")
"""Roles of `enrich.networks` that are kinds here; the AWS role is not one: anybody rents there."""


def classify(addresses: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs (address, kind) of those addresses that belong to a well-known service."""
    texts = pa.array(list(addresses), pa.string())
    found: dict[int, str] = {}
    for family, one in numbers(texts).items():
        lows, highs, kinds = _spans(family)
        values = one.values
        at = np.searchsorted(lows, values, side="right") - 1
        inside = (at >= 0) & (values <= highs[np.maximum(at, 0)])
        for position, span in zip(one.positions[inside].tolist(), at[inside].tolist(), strict=True):
            found[position] = kinds[span]
    return [(str(texts[i]), kind) for i, kind in sorted(found.items())]


def _kinds() -> list[tuple[str, tuple[str, ...]]]:
    roles = [(role, networks_of(role)) for role in ROLES]
    return [*roles, ("aws-service", tuple(AWS.split())), ("service", tuple(SERVICES.split()))]


@cache
def _spans(family: int) -> tuple[Any, Any, list[str]]:
    """Sorted, non-overlapping spans of one family in the form of `addresses.numbers`."""
    from flowscan.feeds.intervals import pack

    spans: list[tuple[int, int, str]] = []
    for kind, networks in _kinds():
        for net in map(ipaddress.ip_network, networks):
            low, high = int(net.network_address), int(net.broadcast_address)
            spans += [(low, high, kind)] if net.version == family else []
    spans.sort(key=lambda s: (s[0], -s[1]))
    flat = _flatten(spans)
    lows = pack(family, [low for low, _, _ in flat])
    highs = pack(family, [high for _, high, _ in flat])
    return lows, highs, [kind for _, _, kind in flat]


def _flatten(spans: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Cut spans that hold others around them, so that the narrowest speaks for each address."""
    edges = sorted({e for low, high, _ in spans for e in (low, high + 1)})
    flat = []
    for low, end in pairwise(edges):
        covering = [s for s in spans if s[0] <= low and end - 1 <= s[1]]
        if covering:
            kind = min(covering, key=lambda s: s[1] - s[0])[2]
            flat.append((low, end - 1, kind))
    return flat
