"""Facts about services and protocols."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowscan.net.services import port_label, protocol_name, service_name


@pytest.mark.parametrize(
    ("port", "protocol", "name"),
    [(443, 6, "https"), (53, 17, "dns"), (22, 6, "ssh"), (22, 17, None), (3389, 6, "rdp"),
     (123, 17, "ntp"), (49152, 6, None), (None, 6, None), (443, None, None), (443, 1, None)],
)  # fmt: skip
def test_services(port: int | None, protocol: int | None, name: str | None) -> None:
    assert service_name(port, protocol) == name


def test_services_agree_with_the_system_registry() -> None:
    """Names differ by taste, numbers must not: an IANA name that both know has the same port."""
    path = Path("/etc/services")
    if not path.exists():
        pytest.skip("no /etc/services")
    system: dict[str, set[str]] = {}
    for line in path.read_text().splitlines():
        parts = line.partition("#")[0].split()
        if len(parts) >= 2:
            system.setdefault(parts[1], set()).update([parts[0], *parts[2:]])
    for port, name in (
        (22, "ssh"),
        (25, "smtp"),
        (443, "https"),
        (389, "ldap"),
        (5432, "postgresql"),
    ):
        assert name in system.get(f"{port}/tcp", {name})
        assert service_name(port, 6) == name


def test_protocols_and_labels() -> None:
    assert [protocol_name(n) for n in (6, 17, 1, 58, 47, 250, None)] == [
        "tcp", "udp", "icmp", "ipv6-icmp", "gre", "250", "",
    ]  # fmt: skip
    assert port_label(443, 6) == "443/tcp https"
    assert port_label(40000, 17) == "40000/udp"
    assert port_label(None, 1) == "icmp"
    assert port_label(0, 1) == "icmp"
