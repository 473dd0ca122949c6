"""What every form needs of a finding: who and where, on which port, which way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flowscan.findings import Actor, Finding
from flowscan.text import utc

PRODUCT = "flowscan"
NO_ACCOUNT = "000000000000"
NO_REGION = "us-east-1"
"""Regions are required by AWS's forms; default-format logs do not say theirs."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A finding taken apart: addresses, interface, direction, ports, feed."""

    account: str
    region: str
    address: str | None
    interface: str | None
    instance: str | None
    vpc: str | None
    subnet: str | None
    inbound: bool
    direction: str
    protocol: int | None
    port: int | None
    blocked: bool
    actor: Actor | None
    feeds: tuple[Mapping[str, Any], ...]

    @property
    def local_port(self) -> int | None:
        """The port when it is ours: strangers called it."""
        return self.port if self.inbound else None

    @property
    def remote_port(self) -> int | None:
        """The port when it is theirs: we called it."""
        return None if self.inbound else self.port


def parts(finding: Finding) -> Parts:
    """Take a finding apart."""
    details, evidence = finding.details, finding.evidence
    actors = finding.actors
    interface = details.get("interface_id")
    if interface is None and finding.resource.startswith("eni-"):
        interface = finding.resource
    direction = str(details.get("direction") or "unknown")
    return Parts(
        account=finding.account_id or NO_ACCOUNT,
        region=finding.region or NO_REGION,
        address=_address(details.get("address")),
        interface=interface,
        instance=details.get("instance_id"),
        vpc=details.get("vpc_id"),
        subnet=details.get("subnet_id"),
        inbound=direction == "inbound" or finding.resource_role == "TARGET",
        direction=direction,
        protocol=_whole(evidence.get("protocol")),
        port=_whole(evidence.get("port")),
        blocked=_blocked(evidence),
        actor=actors[0] if len(actors) else None,
        feeds=tuple(a["details"] for a in actors.members if a.get("details", {}).get("feed")),
    )


def _address(value: object) -> str | None:
    text = str(value or "")
    return text if "." in text or ":" in text else None


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) else None


def _blocked(evidence: Mapping[str, Any]) -> bool:
    """True when everything was refused."""
    refused = evidence.get("refused")
    return bool(refused) and not evidence.get("open") and refused == evidence.get("failed")


def iso(seconds: int) -> str:
    """ISO 8601 time in UTC with milliseconds, as AWS's forms have it."""
    return utc(seconds).removesuffix("Z") + ".000Z"


def family(address: str) -> str:
    """`v6` or `v4`."""
    return "v6" if ":" in address else "v4"


def without_empty(value: Any) -> Any:
    """The value without members that are None, empty texts or empty containers."""
    # Called for each finding with a hundred parts: what has no members is not looked into.
    if isinstance(value, dict):
        kept = {k: without_empty(v) if isinstance(v, dict | list) else v for k, v in value.items()}
        return {k: v for k, v in kept.items() if v or v == 0}
    if isinstance(value, list):
        return [without_empty(v) if isinstance(v, dict | list) else v for v in value]
    return value
