"""Networks that are published: of AWS, public resolvers, time servers, well-known services.

Facts come from networks.toml, each with its source. Invariant: `classify` never guesses; an address
that neither a fact nor a range covers is "public" without a name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final

from flowscan.net.address import Interval, parse_address, parse_interval
from flowscan.net.intervals import IntervalIndex
from flowscan.net.ranges import Kind, touched

SERVICES: Final = ("resolver", "ntp", "health-check", "aws-service", "service")
"""Roles of those who may be called like clockwork without being a suspect. Just "aws" is none of
them: anybody rents there."""


@dataclass(frozen=True, slots=True)
class Network:
    """Classification of an address.

    `kind` as `net.ranges` says. `roles`: what it is known for: "aws", "aws-instance-service" and
    those of `SERVICES`. `name` and `source` are those of the most telling fact.
    """

    kind: Kind
    name: str
    roles: frozenset[str]
    source: str | None = None

    @property
    def public(self) -> bool:
        """True for addresses that are routed on the internet."""
        return self.kind == "public"


@dataclass(frozen=True, slots=True)
class _Fact:
    role: str
    name: str
    source: str
    networks: tuple[str, ...]


_UNKNOWN = Network("reserved", "not an address", frozenset())


@cache
def facts() -> tuple[_Fact, ...]:
    """The groups of networks.toml."""
    text = files("flowscan.net").joinpath("networks.toml").read_text(encoding="utf-8")
    groups: list[dict[str, Any]] = tomllib.loads(text)["group"]
    return tuple(_Fact(g["role"], g["name"], g["source"], tuple(g["networks"])) for g in groups)


@cache
def _indexes() -> tuple[tuple[str, tuple[_Fact, ...], IntervalIndex], ...]:
    """One index per role; the most telling role comes first."""
    roles = dict.fromkeys(fact.role for fact in facts())
    return tuple((role, *_index((role,))) for role in roles)


@cache
def _index(roles: tuple[str, ...]) -> tuple[tuple[_Fact, ...], IntervalIndex]:
    """The networks of some roles, and the fact that each is of."""
    intervals: list[Interval] = []
    owners: list[_Fact] = []
    for fact in facts():
        for text in fact.networks if fact.role in roles else ():
            interval = parse_interval(text)
            assert interval is not None, text
            intervals.append(interval)
            owners.append(fact)
    return tuple(owners), IntervalIndex.build(intervals)


@lru_cache(maxsize=65536)
def classify(address: str) -> Network:
    """Say what is known about an address by itself; text that is no address is "reserved"."""
    one = parse_address(address)
    if one is None:
        return _UNKNOWN
    family, value = one
    found = []
    for role, owners, index in _indexes():
        at = index.find_one(family, value)
        if at >= 0:
            found.append((role, owners[at]))
    roles = frozenset(role for role, _ in found)
    # A resolver or a health checker inside of AWS is named by what it does.
    named = next((fact for role, fact in found if role != "aws"), found[0][1] if found else None)
    block = touched(family, value, value)
    name = named.name if named else block.name if block else ""
    return Network(block.kind if block else "public", name, roles, named.source if named else None)


def services_among(addresses: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs (address, role) of the addresses that are of a well-known service.

    The narrowest network that holds an address decides. Being here never hides a match of a feed.
    """
    import pyarrow as pa

    from flowscan.net.numbers import numbers

    texts = pa.array(list(addresses), pa.string())
    owners, index = _index(SERVICES)
    found: dict[int, str] = {}
    for family, one in numbers(texts).items():
        for position, owner in zip(
            one.positions.tolist(), index.find(family, one.values).tolist(), strict=True
        ):
            if owner >= 0:
                found[position] = owners[owner].role
    return [(str(texts[i]), role) for i, role in sorted(found.items())]


def networks_of(role: str) -> tuple[str, ...]:
    """All networks that have a role, as text: for SQL lists and trusted feeds."""
    return tuple(text for fact in facts() if fact.role == role for text in fact.networks)
