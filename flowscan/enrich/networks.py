"""What kind of address one is: private, reserved, AWS, a public resolver, a health checker.

Facts come from IANA's registries (feeds/safety) and from networks.toml, each with its source.
Invariant: `classify` never guesses; an address that no fact covers is "public".
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from flowscan.feeds.address import Interval, parse_address, parse_interval
from flowscan.feeds.intervals import IntervalIndex
from flowscan.feeds.safety import RESERVED, is_public, reserved_name


@dataclass(frozen=True, slots=True)
class Network:
    """Classification of an address.

    `kind`: "private" (RFC 1918, ULA, link-local, shared), "reserved" (never on the internet) or
    "public". `roles`: what it is known for: "aws", "resolver", "ntp", "health-check",
    "aws-instance-service". `name` and `source` are those of the narrowest fact.
    """

    kind: str
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


_PRIVATE = {"private", "shared carrier space", "link-local", "site-local", "loopback"}
_UNKNOWN = Network("reserved", "not an address", frozenset())


@cache
def facts() -> tuple[_Fact, ...]:
    """The groups of networks.toml."""
    text = files("flowscan.enrich").joinpath("networks.toml").read_text(encoding="utf-8")
    groups: list[dict[str, Any]] = tomllib.loads(text)["group"]
    return tuple(_Fact(g["role"], g["name"], g["source"], tuple(g["networks"])) for g in groups)


@cache
def _indexes() -> tuple[tuple[str, tuple[_Fact, ...], IntervalIndex], ...]:
    """One index per role; the most telling role comes first."""
    result = []
    for role in dict.fromkeys(fact.role for fact in facts()):
        intervals: list[Interval] = []
        owners: list[_Fact] = []
        for fact in facts():
            for text in fact.networks if fact.role == role else ():
                interval = parse_interval(text)
                assert interval is not None, text
                intervals.append(interval)
                owners.append(fact)
        result.append((role, tuple(owners), IntervalIndex.build(intervals)))
    return tuple(result)


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
    block = reserved_name(family, value, value)
    if block:
        kind = "private" if block in _PRIVATE else "reserved"
        return Network(kind, named.name if named else block, roles, named.source if named else None)
    if not is_public(family, value):
        return Network("reserved", "documentation", roles)
    return Network("public", named.name if named else "", roles, named.source if named else None)


def networks_of(role: str) -> tuple[str, ...]:
    """All networks that have a role, as text: for SQL lists and trusted feeds."""
    return tuple(text for fact in facts() if fact.role == role for text in fact.networks)


def reserved_networks() -> tuple[str, ...]:
    """All private and reserved blocks, as text."""
    return tuple(text for text, _ in RESERVED)
