"""What net says as SQL is what it says in Python, on every engine's text and in every query file."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flowscan.engine.dialect import translate
from flowscan.net import ports
from flowscan.net.address import format_address, parse_address
from flowscan.net.ranges import RANGES, kind_of
from flowscan.net.sql import defaults, named, names, private, special, values, written

ROOT = Path(__file__).parents[2]
QUERIES = sorted((ROOT / "queries").rglob("*.sql"))
BORDERS = [
    format_address(network.version, value)
    for one in RANGES
    for network in [ipaddress.ip_network(one.network)]
    for first, last in [(int(network.network_address), int(network.broadcast_address))]
    for value in (first - 1, first, first + 1, last - 1, last, last + 1)
    if 0 <= value < 1 << network.max_prefixlen
]
# Octets and first groups whose texts are prefixes of others, or sort unlike their numbers.
TRICKY = [
    *(
        f"{a}.{b}.{c}.1"
        for a in (1, 2, 9, 10, 22, 25, 99, 100, 169, 172, 192, 224, 255)
        for b in range(256)
        for c in (0, 9, 16, 100, 254)
    ),
    *(f"{group:x}::1" for group in range(0x0F00, 0x1000)),
    *(f"{group:x}:2:3:4:5:6:7:8" for group in range(0, 0x10000, 7)),
    "24ff::1", "25::", "f::", "fc::", "fd0::1", "::fc00:1",
]  # fmt: skip
ADDRESSES = [a for a in BORDERS + TRICKY if parse_address(a)]


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def asked(con: duckdb.DuckDBPyConnection, texts: list[str | None]) -> list[tuple[bool, bool]]:
    select = f"SELECT {private('a')} AS p, {special('a')} AS s FROM given"
    con.register("given", pa.table({"i": range(len(texts)), "a": pa.array(texts, pa.string())}))
    raw = con.execute(f"{select} ORDER BY i").fetchall()
    assert con.execute(f"{translate(select, lambda tree: None)} ORDER BY i").fetchall() == raw
    return raw


def test_predicates_say_what_the_ranges_say(con: duckdb.DuckDBPyConnection) -> None:
    for text, got in zip(ADDRESSES, asked(con, list(ADDRESSES)), strict=True):
        address = parse_address(text)
        assert address is not None
        kind = kind_of(*address)
        assert got == (kind == "private", kind == "special"), text
    assert asked(con, [None]) == [(None, None)]


@given(
    st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=40),
    st.lists(st.integers(0, 2**128 - 1).filter(lambda v: v >> 32 != 0xFFFF), max_size=40),
)
@example([0], [1])
def test_predicates_of_any_address(four: list[int], six: list[int]) -> None:
    addresses = [(4, v) for v in four] + [(6, v) for v in six]
    with duckdb.connect() as con:
        got = asked(con, [format_address(*one) for one in addresses])
    kinds = [kind_of(*one) for one in addresses]
    assert got == [(kind == "private", kind == "special") for kind in kinds]


def test_lists_and_bounds() -> None:
    assert values(ports.WEB) == named("ports.web") == "(80, 443)"
    assert named("ports.steam") == "27015 AND 27050"
    assert named("ports.first_dynamic") == "32768"
    assert names(ports.WEB) == named("names.web") == "(80, 'http'), (443, 'https')"
    assert named("private(c.client)") == private("c.client")


@pytest.mark.parametrize(
    "name",
    ["ports.nothing", "ports.span", "ports.ports", "names.steam", "public(x)", "private()", "x.y"],
)
def test_what_names_nothing(name: str) -> None:
    with pytest.raises(ValueError, match="names nothing"):
        named(name)


@pytest.mark.parametrize("behind", ["", "80", "(80", "x IN (80)", "'(80)'"])
def test_a_tag_without_its_text(behind: str) -> None:
    with pytest.raises(ValueError, match="no default text"):
        list(defaults(f"SELECT 1 WHERE p IN /*$ports.web*/ {behind}"))


def test_texts_are_written_behind_their_tags() -> None:
    old = (
        "/* private's */ SELECT '/*$ports.web*/ (1)' -- /*$ports.web*/ (2)\n"
        "WHERE p IN /*$ports.web*/ (3) AND NOT /*$special(a)*/ (f(')') OR (x)) AND "
        "p BETWEEN /*$ports.steam*/ 1 AND 2 AND p < /*$ports.first_dynamic*/ 3 AND 4 < 5"
    )
    new = written(old)
    assert new.startswith(old[: old.index("(3)")] + "(80, 443) AND NOT /*$special(a)*/ (a LIKE")
    assert new.endswith("27015 AND 27050 AND p < /*$ports.first_dynamic*/ 32768 AND 4 < 5")
    assert written(new) == new
    shorter = " ".join(new.split(" "))
    assert written(shorter.replace("(80, 443)", "(80,\n  443)")).count("(80,\n  443)") == 1


@pytest.mark.parametrize("path", QUERIES, ids=lambda p: p.stem)
def test_every_query_file_has_what_net_says(path: Path) -> None:
    """Stale? python docs/make_query_texts.py writes them."""
    text = path.read_text()
    assert written(text) == text
    tagged = len(re.findall(r"/\*\$[a-z_]+[.(]", text))
    assert len(list(defaults(text))) == tagged
