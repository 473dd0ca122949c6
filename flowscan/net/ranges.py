"""Ranges of addresses that mean something by themselves: private, special, reserved.

Source: IANA's special-purpose address registries (IPv4, IPv6; as of 2026-01), RFC 5771, RFC 1112.
Invariant: no two ranges overlap, and an address in none of them is public.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cache
from typing import Final, Literal, NamedTuple

from flowscan.net.address import Interval, parse_interval

Kind = Literal["private", "special", "reserved", "public"]
"""private: of somebody's own network, so in a flow log ours. special: of the host itself, of its
link or of many at once; neither ours nor on the internet. reserved: given to nobody, or for
documentation; what a log has from there is a stranger's. public: all others."""


class Range(NamedTuple):
    """A range, what it is called, and the RFC that says so."""

    network: str
    kind: Kind
    name: str
    rfc: int


DOCUMENTATION: Final = "documentation"
"""Name of the ranges that no packet has and every vendor's sample does."""

RANGES: Final = (
    Range("10.0.0.0/8", "private", "private", 1918),
    Range("192.168.0.0/16", "private", "private", 1918),
    Range("172.16.0.0/12", "private", "private", 1918),
    Range("100.64.0.0/10", "private", "shared carrier space", 6598),
    Range("fc00::/7", "private", "private", 4193),
    Range("0.0.0.0/8", "special", "this network", 1122),
    Range("127.0.0.0/8", "special", "loopback", 1122),
    Range("169.254.0.0/16", "special", "link-local", 3927),
    Range("224.0.0.0/4", "special", "multicast", 5771),
    Range("240.0.0.0/4", "special", "reserved", 1112),
    Range("fe80::/10", "special", "link-local", 4291),
    Range("ff00::/8", "special", "multicast", 4291),
    Range("::/127", "special", "unspecified and loopback", 4291),
    Range("192.0.0.0/24", "reserved", "IETF protocol assignments", 6890),
    Range("198.18.0.0/15", "reserved", "benchmarking", 2544),
    Range("100::/64", "reserved", "discard", 6666),
    Range("fec0::/10", "reserved", "site-local", 3879),
    Range("192.0.2.0/24", "reserved", DOCUMENTATION, 5737),
    Range("198.51.100.0/24", "reserved", DOCUMENTATION, 5737),
    Range("203.0.113.0/24", "reserved", DOCUMENTATION, 5737),
    Range("2001:db8::/32", "reserved", DOCUMENTATION, 3849),
    Range("3fff::/20", "reserved", DOCUMENTATION, 9637),
)
"""By kind; within one, those that a flow log has most often come first."""


def intervals_of(kind: Kind) -> list[Interval]:
    """The ranges of a kind, in the order of `RANGES`."""
    return [_interval(r) for r in RANGES if r.kind == kind]


def touched(family: int, first: int, last: int) -> Range | None:
    """A range that an interval touches, the last one of several, or None."""
    intervals, ranges = _sorted(family)
    at = bisect_right(intervals, last, key=lambda interval: interval.first) - 1
    return ranges[at] if at >= 0 and intervals[at].last >= first else None


def kind_of(family: int, value: int) -> Kind:
    """What kind of address one is."""
    found = touched(family, value, value)
    return found.kind if found else "public"


def _interval(one: Range) -> Interval:
    interval = parse_interval(one.network)
    assert interval is not None, one.network
    return interval


@cache
def _sorted(family: int) -> tuple[list[Interval], list[Range]]:
    pairs = sorted((_interval(one), one) for one in RANGES)
    mine = [(interval, one) for interval, one in pairs if interval.family == family]
    return [interval for interval, _ in mine], [one for _, one in mine]
