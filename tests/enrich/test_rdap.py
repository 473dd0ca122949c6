"""Registration from a local RDAP server that is sometimes hostile; nothing leaves loopback."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "feeds"))
from test_fetch import Site, reply

from flowscan.enrich.rdap import Registrar, Registration
from flowscan.lake import Lake


def answer(**changes: Any) -> dict[str, Any]:
    return {
        "objectClassName": "ip network", "handle": "NET-45-1", "startAddress": "45.1.0.0",
        "endAddress": "45.1.255.255", "ipVersion": "v4", "name": "EXAMPLE-NET", "country": "SE",
        "entities": [
            {"handle": "ORG-1", "roles": ["registrant"],
             "vcardArray": ["vcard", [["version", {}, "text", "4.0"], ["fn", {}, "text", "Example AB"], ["kind", {}, "text", "org"]]]},
            {"handle": "ABUSE-1", "roles": ["abuse"],
             "vcardArray": ["vcard", [["fn", {}, "text", "Abuse"], ["kind", {}, "text", "group"], ["email", {}, "text", "abuse@example.org"]]]},
        ],
    } | changes  # fmt: skip


@pytest.fixture
def registry() -> Iterator[Site]:
    one = Site()
    yield one
    one.close()


def registrar(site: Site, **options: Any) -> Registrar:
    return Registrar(base=f"{site.url}/rdap", context=site.context, pause=0.0, **options)


def serve(site: Site, address: str, data: Any) -> None:
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    site.text(f"/rdap/ip/{address}", body, Content_Type="application/rdap+json")


def test_a_registration(registry: Site) -> None:
    serve(registry, "45.1.2.3", answer())
    found = registrar(registry, now=lambda: 99.0).lookup("45.1.2.3")
    assert found == Registration(
        "ok", "EXAMPLE-NET", "NET-45-1", "SE", "45.1.0.0", "45.1.255.255", "Example AB",
        "abuse@example.org", 99,
    )  # fmt: skip


def test_ipv6(registry: Site) -> None:
    serve(
        registry,
        "2a00::5",
        answer(
            startAddress="2a00::",
            endAddress="2a00:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            ipVersion="v6",
        ),
    )
    assert registrar(registry).lookup("2A00::5").name == "EXAMPLE-NET"


def test_answers_are_kept_in_the_lake_for_their_lifetime(registry: Site, tmp_path: Path) -> None:
    lake = Lake.open(tmp_path / "lake", create=True)
    clock = [1000.0]
    serve(registry, "45.1.2.3", answer())
    serve(registry, "45.1.2.9", answer(name="LATER"))

    def ask(address: str) -> Registration:
        fresh = Registrar(lake, base=f"{registry.url}/rdap", context=registry.context, pause=0.0,
                          lifetime=100, now=lambda: clock[0])  # fmt: skip
        return fresh.lookup(address)

    assert ask("45.1.2.3").name == "EXAMPLE-NET"
    assert ask("45.1.2.9").name == "EXAMPLE-NET"  # a neighbour in the same registered network
    assert len(registry.asked) == 1
    clock[0] = 1101.0
    assert ask("45.1.2.9").name == "LATER"
    assert len(registry.asked) == 2
    lake.put_blob("rdap", "4 2d0102", b"damaged")
    assert ask("45.1.2.9").name == "LATER"


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "127.0.0.1", "169.254.169.254", "100.64.1.1", "::1", "fe80::1", "fd00::1", "224.0.0.1",
     "0.0.0.0", "203.0.113.1", "2001:db8::1", "::ffff:10.0.0.1", "nonsense", "../../etc", "45.1.2.3/../x"],
)  # fmt: skip
def test_only_public_addresses_are_asked_about(registry: Site, address: str) -> None:
    one = registrar(registry)
    assert one.lookup(address).status == "not public"
    assert one.requests == 0
    assert registry.asked == []


def test_offline_is_unavailable_at_once_and_not_tried_again() -> None:
    one = Registrar(base="https://127.0.0.1:9", pause=5.0)
    started = time.monotonic()
    for i in range(50):
        assert one.lookup(f"45.1.2.{i}").status == "unavailable"
    assert one.requests == 1
    assert time.monotonic() - started < 3


HOSTILE: dict[str, Any] = {
    "no json": b"<html>",
    "deep": b"[" * 100_000,
    "array": [],
    "null": b"null",
    "number": b"5",
    "empty": {},
    "entities of wrong type": answer(entities=[1, None, "x"]),
    "another network": answer(startAddress="46.0.0.0", endAddress="46.0.0.255"),
    "another family": answer(startAddress="2a00::", endAddress="2a00::5", ipVersion="v6"),
    "addresses of wrong type": answer(startAddress=5, endAddress=None),
    "addresses of nonsense": answer(startAddress="x" * 1000, endAddress="y"),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_answers_are_unavailable(registry: Site, data: Any) -> None:
    serve(registry, "45.1.2.3", data)
    found = registrar(registry).lookup("45.1.2.3")
    assert found.status == "unavailable"
    assert found.note
    assert len(registry.asked) == 1  # ipwhois asks nothing on its own


def test_an_answer_without_contacts_is_still_one(registry: Site) -> None:
    serve(registry, "45.1.2.3", answer(entities=[{"roles": ["abuse"]}]))
    found = registrar(registry).lookup("45.1.2.3")
    assert (found.status, found.name, found.abuse) == ("ok", "EXAMPLE-NET", None)


def test_text_of_strangers_is_bounded_and_printable(registry: Site) -> None:
    evil = "<script>alert(1)</script>\x1b]0;x\x07\u202e\n" + "A" * 10_000
    serve(registry, "45.1.2.3", answer(name=evil, country=evil, handle=evil))
    found = registrar(registry).lookup("45.1.2.3")
    for value in (found.name, found.country, found.handle):
        assert value is not None
        assert value.isprintable()
        assert len(value) <= 200


def test_huge_answers_slow_answers_redirects_and_limits(registry: Site) -> None:
    serve(registry, "45.1.2.1", b" " * 2_000_000)
    registry.paths["/rdap/ip/45.1.2.2"] = lambda request: time.sleep(30)
    registry.paths["/rdap/ip/45.1.2.3"] = lambda request: reply(
        request, 302, Location="http://localhost/x"
    )
    registry.paths["/rdap/ip/45.1.2.4"] = lambda request: reply(
        request, 302, Location="/rdap/ip/45.1.2.5"
    )
    registry.paths["/rdap/ip/45.1.2.6"] = lambda request: reply(request, 429, Retry_After="3600")
    serve(registry, "45.1.2.5", answer())
    started = time.monotonic()
    for i, note in ((1, "larger"), (2, "in time"), (3, "https"), (6, "429")):
        found = registrar(registry, timeout=0.5).lookup(f"45.1.2.{i}")
        assert (found.status, note in (found.note or "")) == ("unavailable", True)
    assert registrar(registry).lookup("45.1.2.4").status == "ok"
    assert time.monotonic() - started < 10


def test_the_time_for_all_questions_is_bounded(registry: Site) -> None:
    def slow(request: Any) -> None:
        time.sleep(0.4)
        reply(request, 200, json.dumps(answer()).encode())

    for i in range(10):
        registry.paths[f"/rdap/ip/45.1.{i}.1"] = slow
    one = registrar(registry, budget=1.0)
    started = time.monotonic()
    states = [one.lookup(f"45.1.{i}.1").status for i in range(10)]
    assert states[0] == "ok"
    assert states[-1] == "unavailable"
    assert time.monotonic() - started < 4


def test_politeness(registry: Site) -> None:
    for i in range(3):
        serve(registry, f"45.1.{i}.1", answer())
    one = Registrar(base=f"{registry.url}/rdap", context=registry.context, pause=0.3)
    started = time.monotonic()
    for i in range(3):
        assert one.lookup(f"45.1.{i}.1").status == "ok"
    assert time.monotonic() - started >= 0.6
