"""Facts about published networks."""

from __future__ import annotations

import ipaddress
import json
import os
from pathlib import Path

import pytest

from flowscan.net.networks import SERVICES, classify, facts, networks_of, services_among

CORPUS = Path(os.environ.get("FLOWSCAN_CORPUS", Path(__file__).parents[3] / "shared/corpus"))


@pytest.mark.parametrize(
    ("address", "kind", "roles"),
    [
        ("10.1.2.3", "private", set()), ("100.64.0.1", "private", set()),
        ("169.254.169.254", "special", {"aws-instance-service"}),
        ("fd00:ec2::253", "private", {"aws-instance-service"}), ("fe80::1", "special", set()),
        ("8.8.8.8", "public", {"resolver"}), ("::ffff:1.1.1.1", "public", {"resolver"}),
        ("2606:4700:4700::1111", "public", {"resolver", "service"}),
        ("162.159.200.123", "public", {"ntp", "service"}), ("104.16.1.1", "public", {"service"}),
        ("52.92.1.1", "public", {"aws-service"}),
        ("54.243.31.200", "public", {"health-check"}),
        ("52.1.2.3", "public", {"aws"}), ("2600:1f18:3fff:f800::5", "public", {"aws", "health-check"}),
        ("45.1.2.3", "public", set()), ("203.0.113.1", "reserved", set()),
        ("224.0.0.1", "special", set()), ("0.0.0.0", "special", set()), ("nonsense", "reserved", set()),
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
            assert text in {str(network), f"{network.network_address}"}
            assert "/" in text or network.num_addresses == 1
    assert "8.8.8.8" in networks_of("resolver")
    assert {role for role in SERVICES if networks_of(role)} == set(SERVICES)


def test_a_service_is_named_by_what_the_address_does() -> None:
    assert classify("1.1.1.1").name == "Cloudflare DNS"
    assert classify("2606:4700:4700::1111").name == "Cloudflare DNS"
    assert classify("104.16.1.1").name == "Cloudflare"
    assert classify("45.1.2.3").name == ""


def test_services_among_many() -> None:
    expected = [
        ("162.159.200.123", "ntp"), ("162.159.200.124", "service"), ("8.8.8.8", "resolver"),
        ("2606:4700:4700::1111", "resolver"), ("2600:9000::1", "aws-service"),
        ("54.243.31.200", "health-check"),
    ]  # fmt: skip
    others = ["52.1.2.3", "45.1.2.3", "10.0.0.1", "nonsense"]
    assert services_among([*others, *(address for address, _ in expected)]) == expected
    assert services_among([]) == []


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
    cloudflare = published("cloudflare")
    for fact in facts():
        for text in fact.networks if fact.name == "Cloudflare" else ():
            if ":" not in text:
                assert any(ipaddress.IPv4Network(text).subnet_of(p) for p in cloudflare), text
    resolvers = {str(n.network_address) for n in published("public-dns-v4") if n.prefixlen == 32}
    resolvers |= {str(a) for n in published("public-dns-v4") if n.prefixlen < 32 for a in n}
    named = [text for text in networks_of("resolver") if ":" not in text]
    assert sum(text in resolvers for text in named) / len(named) > 0.6
