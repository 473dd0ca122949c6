"""Addresses that are never accused: from settings, as addresses, prefixes or files of them.

Invariant: an entry that is neither an address, a prefix nor a readable file is an error, since a
mistyped one would silently trust nothing.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flowscan.errors import ConfigError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Trusted:
    """Trusted networks, and a digest that changes when they do."""

    networks: tuple[Network, ...]
    digest: str

    @classmethod
    def read(cls, entries: Iterable[str]) -> Trusted:
        """Read entries of `detect.trusted`.

        Raises:
            ConfigError: an entry is no address, prefix or file, or a line of a file is not.
        """
        networks: list[Network] = []
        for entry in entries:
            found = _network(entry)
            networks += [found] if found else _file(entry)
        text = " ".join(sorted(map(str, networks)))
        return cls(tuple(networks), hashlib.sha256(text.encode()).hexdigest()[:16])

    def holds(self, address: object) -> bool:
        """Whether an address lies in a trusted network."""
        return bool(self.networks) and _holds(self.networks, str(address))


@lru_cache(maxsize=65536)
def _holds(networks: tuple[Network, ...], address: str) -> bool:
    try:
        one = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(one in network for network in networks)


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None


def _file(name: str) -> list[Network]:
    try:
        text = Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise ConfigError(
            "neither an address, a prefix nor a file", where=f"detect.trusted {name[:80]!r}"
        ) from None
    networks = []
    for number, line in enumerate(text.splitlines(), 1):
        entry = line.split("#", 1)[0].strip()
        if entry and (network := _network(entry)) is not None:
            networks.append(network)
        elif entry:
            raise ConfigError("no address or prefix", where=f"{name}:{number}")
    return networks
