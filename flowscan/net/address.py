"""Text of an address, prefix or range → one closed integer interval, and back.

Invariant: an IPv4-mapped IPv6 address is the IPv4 address it carries, everywhere. Strict like
`ipaddress` (no leading zeros, no shorthand, no scope), but on the C library's parser, because a
million lines pass here.
"""

from __future__ import annotations

import re
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import Final, NamedTuple

MAPPED: Final = 0xFFFF << 32
"""First address of ::ffff:0:0/96, the IPv4-mapped block."""
BITS: Final = {4: 32, 6: 128}

_DIGITS = re.compile(r"[0-9]{1,3}")


class Interval(NamedTuple):
    """Closed interval of addresses: family 4 or 6, first and last as integers."""

    family: int
    first: int
    last: int


def parse_address(text: str) -> tuple[int, int] | None:
    """Read one address: (family, value), or None when it is none. Mapped IPv6 becomes IPv4."""
    try:
        return 4, int.from_bytes(inet_pton(AF_INET, text), "big")
    except (OSError, ValueError):
        pass
    if ":" not in text:
        return None
    try:
        value = int.from_bytes(inet_pton(AF_INET6, text), "big")
    except (OSError, ValueError):
        return None
    return (4, value - MAPPED) if value >> 32 == 0xFFFF else (6, value)


def parse_interval(text: str) -> Interval | None:
    """Read an address, a CIDR prefix (or address/netmask) or a range `a-b`; None when it is none.

    Host bits of a prefix are ignored, as every list reader does.
    """
    if "/" in text:
        return _prefix(text)
    if "-" in text:
        return _range(*(part.strip() for part in text.split("-", 1)))
    one = parse_address(text)
    return Interval(one[0], one[1], one[1]) if one else None


def _prefix(text: str) -> Interval | None:
    base, _, length = text.partition("/")
    address = parse_address(base.strip())
    if address is None:
        return None
    family, value = address
    mapped = family == 4 and ":" in base
    bits = 128 if mapped else BITS[family]
    size = _prefix_length(length.strip(), bits)
    if size is None:
        return None
    host = (1 << (bits - size)) - 1
    if mapped and size < 96:  # wider than the mapped block: an interval of IPv6
        return Interval(6, (value + MAPPED) & ~host, (value + MAPPED) | host)
    return Interval(family, value & ~host, value | host)


def _prefix_length(text: str, bits: int) -> int | None:
    if _DIGITS.fullmatch(text):
        size = int(text)
        return size if size <= bits else None
    mask = parse_address(text) if bits == 32 else None
    if mask is None or mask[0] != 4:
        return None
    inverted = mask[1] ^ 0xFFFFFFFF
    return 32 - inverted.bit_length() if inverted & (inverted + 1) == 0 else None


def _range(first: str, last: str) -> Interval | None:
    low, high = parse_address(first), parse_address(last)
    if low is None or high is None or low[0] != high[0] or low[1] > high[1]:
        return None
    return Interval(low[0], low[1], high[1])


def format_address(family: int, value: int) -> str:
    """Canonical text of an address, as AWS writes it in flow logs."""
    if family == 4:
        return inet_ntop(AF_INET, value.to_bytes(4, "big"))
    return inet_ntop(AF_INET6, value.to_bytes(16, "big"))
