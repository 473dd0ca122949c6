"""The index and a whole match equal a plain double loop."""

from __future__ import annotations

import ipaddress
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from match_kit import DAY, T0, flow, listed, put, rows_of

from flowscan.feeds import Feed, load
from flowscan.lake import Lake
from flowscan.match import FeedIndex
from flowscan.schema import small_schema

V4 = st.integers(0, 255).map(lambda v: f"45.1.2.{v}") | st.integers(0, 2**32 - 1).map(
    lambda v: str(ipaddress.IPv4Address(v))
)
V6 = st.integers(0, 300).map(lambda v: str(ipaddress.IPv6Address((0x2A00 << 112) + v)))
MAPPED = V4.map(lambda text: f"::ffff:{text}")
ADDRESS = V4 | V6 | MAPPED


@st.composite
def entries(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(["one", "prefix", "range"]))
    first = draw(V4 | V6)
    if kind == "one":
        return draw(st.sampled_from([first, f"::ffff:{first}"])) if "." in first else first
    one = ipaddress.ip_address(first)
    if kind == "prefix":
        low, high = (20, 32) if one.version == 4 else (112, 128)
        return f"{first}/{draw(st.integers(low, high))}"
    last = min(int(one) + draw(st.integers(0, 300)), (1 << one.max_prefixlen) - 1)
    return f"{first}-{type(one)(last)}"


def slow_holds(entry: str, address: str) -> bool:
    one = ipaddress.ip_address(address)
    one = getattr(one, "ipv4_mapped", None) or one
    if "-" in entry:
        first, last = (ipaddress.ip_address(part) for part in entry.split("-"))
        return first.version == one.version and int(first) <= int(one) <= int(last)
    network = ipaddress.ip_network(entry, strict=False)
    if network.version == 6 and network.network_address.ipv4_mapped:
        network = ipaddress.ip_network(network.network_address.ipv4_mapped)
    return network.version == one.version and one in network


@settings(max_examples=200)
@given(
    st.lists(st.lists(entries(), max_size=8), min_size=1, max_size=3),
    st.lists(entries(), max_size=3),
    st.lists(ADDRESS, max_size=20),
)
def test_index_equals_the_plain_double_loop(
    feeds: list[list[str]], trusted: list[str], addresses: list[str]
) -> None:
    tables = [small_schema("indicators").empty_table()]
    for number, feed in enumerate(feeds):
        text = "\n".join(feed).encode()
        tables.append(
            load(text, Feed(f"f{number}", "x", private=True, format="plain"), now=0).table
        )
    tables.append(
        load(
            "\n".join(trusted).encode(),
            Feed("t", "x", trusted=True, broad=True, private=True, format="plain"),
            now=0,
        ).table
    )
    index = FeedIndex(pa.concat_tables(tables), now=0)
    found, spared = index.find(pa.array(addresses, pa.string()))
    got = set()
    for position, row in zip(found.position.tolist(), found.row.tolist(), strict=True):
        feed, entry = (index.table[name][row].as_py() for name in ("feed", "indicator"))
        assert slow_holds(entry, addresses[position])
        got.add((position, feed))
    expected = {
        (i, f"f{number}")
        for i, address in enumerate(addresses)
        if not any(slow_holds(entry, address) for entry in trusted)
        for number, feed in enumerate(feeds)
        if any(slow_holds(entry, address) for entry in feed)
    }
    assert got == expected
    assert len(found.position) == len(got)
    assert spared >= 0


def test_whole_match_equals_a_loop_over_flows(lake: Lake, tmp_path: Path) -> None:
    """End to end, both families, several feeds, files and dates."""
    rng = random.Random(5)
    hosts = [f"45.1.{rng.randint(0, 3)}.{rng.randint(0, 255)}" for _ in range(60)]
    hosts += [str(ipaddress.IPv6Address((0x2A00 << 112) + rng.randint(0, 400))) for _ in range(40)]
    ours = [f"10.0.0.{i}" for i in range(1, 6)]
    every: list[dict[str, Any]] = []
    for day in range(3):
        rows = []
        for _ in range(200):
            pair = [rng.choice(hosts), rng.choice(ours)]
            rng.shuffle(pair)
            rows.append(
                flow(
                    *pair,
                    start=T0 + day * DAY + rng.randint(0, DAY - 60),
                    end=T0 + (day + 1) * DAY,
                    action=rng.choice(["ACCEPT", "REJECT"]),
                    bytes=rng.randint(1, 10**9),
                )
            )
        put(lake, rows)
        every += rows
    lists = {
        "a": ["45.1.0.0/24", "45.1.0.128/25", "45.1.1.7", "2a00::10/124"],
        "b": ["45.1.0.0-45.1.0.99", "2a00::/120", "2a00::100-2a00::120"],
    }
    for name, items in lists.items():
        listed(lake, tmp_path, name, "\n".join(items))
    expected: Counter[tuple[str, str, str]] = Counter()
    size: Counter[tuple[str, str, str]] = Counter()
    for row in every:
        for side in ("srcaddr", "dstaddr"):
            for name, items in lists.items():
                if any(slow_holds(item, row[side]) for item in items):
                    expected[row[side], name, row["action"]] += 1
                    size[row[side], name, row["action"]] += row["bytes"]
    got: Counter[tuple[str, str, str]] = Counter()
    sums: Counter[tuple[str, str, str]] = Counter()
    for row in rows_of(lake):
        got[row["address"], row["feed"], row["action"]] += row["flows"]
        sums[row["address"], row["feed"], row["action"]] += row["bytes"]
    assert got == expected
    assert sums == size
