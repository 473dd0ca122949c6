"""Words that all formats of a report share.

Invariant: plain text without markup; who shows it escapes it.
"""

from __future__ import annotations

from typing import Final

from flowscan.report.listed import Match
from flowscan.report.model import InterfaceCoverage
from flowscan.text import human_bytes

_BEHIND: Final = {4: "our own address", 5: "called in vain"}


def what_of(match: Match) -> str:
    """What there was with a listed address."""
    return "got through" if match.passed else _BEHIND.get(match.rank, "refused")


def who_of(match: Match) -> str:
    """Who called, seen from our side."""
    return "undecided" if match.undecided else match.direction


def gateway_of(interface: InterfaceCoverage) -> str:
    """What a NAT gateway did; nothing of any other interface."""
    if not interface.nat:
        return ""
    if interface.processed is None:
        return "NAT gateway"
    return f"NAT gateway, processed {human_bytes(interface.processed)}"
