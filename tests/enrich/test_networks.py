"""Facts about networks, services and protocols."""

from __future__ import annotations

import ipaddress
import json
import os
from pathlib import Path

import pytest

from flowscan.enrich import classify, protocol_name, service_name
from flowscan.enrich.networks import facts, networks_of, reserved_networks
from flowscan.enrich.services import port_label

CORPUS = Path(os.environ.get("FLOWSCAN_CORPUS", Path(__file__).parents[3] / "shared/corpus"))


@pytest.mark.parametrize(
    ("address", "kind", "roles"),
    [
        ("10.1.2.3", "private", set()), ("100.64.0.1", "private", set()),
        ("169.254.169.254", "private", {"aws-instance-service"}),
        ("fd00:ec2::253", "private", {"aws-instance-service"}), ("fe80::1", "private", set()),
        ("8.8.8.8", "public", {"resolver"}), ("::ffff:1.1.1.1", "public", {"resolver"}),
        ("2606:4700:4700::1111", "public", {"resolver"}), ("162.159.200.123", "public", {"ntp"}),
        ("54.243.31.200", "public", {"health-check"}),
        ("52.1.2.3", "public", {"aws"}), ("2600:1f18:3fff:f800::5", "public", {"aws", "health-check"}),
        ("45.1.2.3", "public", set()), ("203.0.113.1", "reserved", set()),
        ("224.0.0.1", "reserved", set()), ("0.0.0.0", "reserved", set()), ("nonsense", "reserved", set()),
    ],
)  # fmt: skip
def test_classify(address: str, kind: str, roles: set[str]) -> None:
    network = classify(address)
    assert (network.kind, network.roles) == (kind, roles)
    assert network.public is (kind == "public")


def test_every_fact_has_a_source_and_valid_networks() -> None:
    for fact in facts():
        assert fact.source
        assert fact.name
        for text in fact.networks:
            network = ipaddress.ip_network(text)
            assert str(network).removesuffix("/32").removesuffix("/128") == text
    assert "8.8.8.8" in networks_of("resolver")
    assert "10.0.0.0/8" in reserved_networks()


@pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpus")
def test_facts_agree_with_published_lists() -> None:
    """What is shipped from memory and documentation is checked against what was published."""

    def published(name: str) -> list[ipaddress.IPv4Network]:
        data = json.loads((CORPUS / f"feeds/misp-warninglists/{name}.json").read_text())["list"]
        return list(
            ipaddress.collapse_addresses(ipaddress.IPv4Network(t) for t in data if ":" not in t)
        )

    aws = published("amazon-aws")
    for role in ("aws", "health-check"):
        for text in networks_of(role):
            if ":" not in text:
                ours = ipaddress.IPv4Network(text)
                covered = sum(p.num_addresses for p in aws if p.subnet_of(ours))
                whole = any(ours.subnet_of(p) for p in aws)
                assert whole or covered / ours.num_addresses > 0.98, text
    resolvers = {str(n.network_address) for n in published("public-dns-v4") if n.prefixlen == 32}
    resolvers |= {str(a) for n in published("public-dns-v4") if n.prefixlen < 32 for a in n}
    named = [text for text in networks_of("resolver") if ":" not in text]
    assert sum(text in resolvers for text in named) / len(named) > 0.6


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
