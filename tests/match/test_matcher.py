"""The matcher equals a plain double loop; directions, ranks, trusted lists, retro-hunt."""

from __future__ import annotations

import ipaddress
import itertools
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowscan.feeds import Feed, load
from flowscan.feeds.store import FeedStore
from flowscan.lake import Lake, SourceRecord
from flowscan.match import FeedIndex, match
from flowscan.schema import arrow_schema, small_schema

DAY = 86_400
T0 = 1_785_542_400  # 2026-08-01
counter = itertools.count()


def flow(src: str, dst: str, **fields: Any) -> dict[str, Any]:
    row = {
        "version": 2, "account_id": "123456789012", "interface_id": "eni-1", "srcaddr": src,
        "dstaddr": dst, "srcport": 40_000, "dstport": 443, "protocol": 6, "packets": 10,
        "bytes": 1000, "start": T0, "end": T0 + 30, "action": "ACCEPT", "log_status": "OK",
    }  # fmt: skip
    return row | fields


def put(lake: Lake, rows: list[dict[str, Any]]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    batch = pa.RecordBatch.from_pylist(rows, schema=arrow_schema(names))
    transaction = lake.begin()
    transaction.write_flows(batch)
    n = len(rows)
    record = SourceRecord(f"file:///{next(counter)}", "x", n, None, "text", n, n, 0, 0, 0)
    transaction.commit([record])


def listed(lake: Lake, folder: Path, name: str, text: str, **settings: Any) -> None:
    file = folder / f"{name}.txt"
    file.write_text(text)
    FeedStore(lake).add(Feed(name, str(file), **settings))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake.open(tmp_path / "lake", create=True)


def rows_of(lake: Lake, **options: Any) -> list[dict[str, Any]]:
    return match(lake, now=T0, **options).rows.to_pylist()


# -- exactness ------------------------------------------------------------------------------

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
    import random

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


# -- direction and rank ---------------------------------------------------------------------

BAD, US = "45.1.2.3", "10.0.0.5"
SCENES: dict[str, tuple[list[dict[str, Any]], list[tuple[int, str, str, int | None]]]] = {
    "we call it": (
        [flow(US, BAD), flow(BAD, US, srcport=443, dstport=40_000)],
        [(1, "outbound", "ACCEPT", 443)],
    ),
    "it calls us and is answered": (
        [flow(BAD, US, dstport=22), flow(US, BAD, srcport=22, dstport=40_000)],
        [(2, "inbound", "ACCEPT", 22)],
    ),
    "it sends, nothing comes back": ([flow(BAD, US, dstport=22)], [(3, "inbound", "ACCEPT", 22)]),
    "refused noise": ([flow(BAD, US, dstport=23, action="REJECT")], [(6, "inbound", "REJECT", 23)]),
    "noise from a low port": (
        [flow(BAD, US, srcport=53, dstport=50_000, action="REJECT")],
        [(6, "inbound", "REJECT", 50_000)],
    ),
    "our attempt is refused": ([flow(US, BAD, action="REJECT")], [(5, "outbound", "REJECT", 443)]),
    "flags beat ports": (
        [
            flow(BAD, US, srcport=443, dstport=50_000, tcp_flags=2),
            flow(US, BAD, srcport=50_000, dstport=443, tcp_flags=18),
        ],
        [(2, "inbound", "ACCEPT", 50_000)],
    ),
    "flags of our call": (
        [
            flow(US, BAD, srcport=443, dstport=50_000, tcp_flags=3),
            flow(BAD, US, srcport=50_000, dstport=443, tcp_flags=19),
        ],
        [(1, "outbound", "ACCEPT", 50_000)],
    ),
    "it calls us and is answered by a reset": (
        [flow(BAD, US, dstport=22, packets=1, bytes=60), flow(US, BAD, srcport=22, dstport=40_000, packets=1, bytes=40)],
        [(3, "inbound", "ACCEPT", 22)],
    ),
    "we call it in vain": ([flow(US, BAD, packets=3, bytes=180)], [(5, "outbound", "ACCEPT", 443)]),
    "we call it and are answered by a reset": (
        [flow(US, BAD, packets=1, bytes=60), flow(BAD, US, srcport=443, dstport=40_000, packets=1, bytes=40)],
        [(5, "outbound", "ACCEPT", 443)],
    ),
    "a lone packet and its answer": (
        [flow(BAD, US, packets=1, bytes=40), flow(US, BAD, srcport=443, dstport=40_000, packets=1, bytes=40)],
        [(3, "inbound", "ACCEPT", 443)],
    ),
    "our low port calls": (
        [flow(US, BAD, srcport=5001, dstport=8443), flow(BAD, US, srcport=8443, dstport=5001, start=T0 + 1)],
        [(1, "outbound", "ACCEPT", 8443)],
    ),
    "our answer is refused": (
        [flow(BAD, US, dstport=22), flow(US, BAD, srcport=22, dstport=40_000, action="REJECT")],
        [(3, "inbound", "ACCEPT", 22), (6, "inbound", "REJECT", 22)],
    ),
    "pings of which the first is unknown": (
        [flow(BAD, US, protocol=1, srcport=0, dstport=0), flow(US, BAD, protocol=1, srcport=0, dstport=0)],
        [(2, "undecided", "ACCEPT", None)],
    ),
    "it pings us": (
        [
            flow(BAD, US, protocol=1, srcport=0, dstport=0),
            flow(US, BAD, protocol=1, srcport=0, dstport=0, start=T0 + 1),
        ],
        [(2, "inbound", "ACCEPT", None)],
    ),
    "we ping it": (
        [
            flow(US, BAD, protocol=1, srcport=0, dstport=0),
            flow(BAD, US, protocol=1, srcport=0, dstport=0, start=T0 + 1),
        ],
        [(1, "outbound", "ACCEPT", None)],
    ),
    "same port on both sides, we first": (
        [
            flow(US, BAD, protocol=17, srcport=123, dstport=123),
            flow(BAD, US, protocol=17, srcport=123, dstport=123, start=T0 + 1),
        ],
        [(1, "outbound", "ACCEPT", 123)],
    ),
    "public host of ours, told by the interface": (
        [*[flow("52.1.1.1", f"52.9.9.{i}") for i in range(5)], flow(BAD, "52.1.1.1", dstport=22)],
        [(3, "inbound", "ACCEPT", 22)],
    ),
    "public host of ours, told by flow_direction": (
        [
            flow("52.1.1.1", BAD, flow_direction="egress"),
            flow(BAD, "52.1.1.1", srcport=443, dstport=40_000, flow_direction="ingress"),
        ],
        [(1, "outbound", "ACCEPT", 443)],
    ),
    "our own address is on the list": (
        [flow(BAD, f"52.9.9.{i}") for i in range(5)],
        [(4, "own", "ACCEPT", 443)] * 5,
    ),
    "own by flow_direction": (
        [flow(BAD, "52.9.9.9", flow_direction="egress")],
        [(4, "own", "ACCEPT", 443)],
    ),
    "behind NAT": (
        [
            flow("10.0.1.1", "10.0.0.9", pkt_srcaddr="10.0.1.1", pkt_dstaddr=BAD),
            flow("10.0.0.9", "10.0.1.1", srcport=443, dstport=40_000, pkt_srcaddr=BAD, pkt_dstaddr="10.0.1.1"),
        ],
        [(1, "outbound", "ACCEPT", 443)],
    ),
    "mapped in the flow": (
        [flow(US, f"::ffff:{BAD}"), flow(f"::ffff:{BAD}", US, srcport=443, dstport=40_000)],
        [(1, "outbound", "ACCEPT", 443)],
    ),
    "no action as in transit-gateway logs": (
        [flow(US, BAD, action=None), flow(BAD, US, srcport=443, dstport=40_000, action=None)],
        [(1, "outbound", "ACCEPT", 443)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES.keys())
def test_direction_and_rank(lake: Lake, tmp_path: Path, scene: Any) -> None:
    flows, expected = scene
    put(lake, flows)
    listed(lake, tmp_path, "bad", BAD, category="c2", confidence=90)
    rows = rows_of(lake)
    got = [(r["rank"], r["direction"], r["action"], r["port"]) for r in rows]
    assert got == expected
    assert {
        (r["address"], r["feed"], r["category"], r["confidence"], r["indicator"]) for r in rows
    } == {(BAD, "bad", "c2", 90, BAD)}
    if "pkt_dstaddr" in flows[0]:
        assert rows[0]["local_address"] == "10.0.1.1"


def test_sums_and_order(lake: Lake, tmp_path: Path) -> None:
    put(lake, [
        flow(US, BAD, bytes=700, packets=7), flow(BAD, US, srcport=443, dstport=40_000, bytes=300, packets=3, start=T0 + 60, end=T0 + 90),
        flow("45.9.9.9", US, dstport=22, action="REJECT", bytes=10**12),
        flow("45.9.9.8", US, dstport=22),
    ])  # fmt: skip
    listed(lake, tmp_path, "bad", f"{BAD}\n45.9.9.0/24\n")
    rows = rows_of(lake)
    assert [r["rank"] for r in rows] == [1, 3, 6]
    top = rows[0]
    assert (top["flows"], top["packets"], top["bytes"], top["bytes_out"]) == (2, 10, 1000, 700)
    assert (top["first_seen"], top["last_seen"], top["date"]) == (T0, T0 + 90, "2026-08-01")
    assert rows[1]["indicator"] == "45.9.9.0/24"


def test_the_narrowest_indicator_of_a_feed_is_named(lake: Lake, tmp_path: Path) -> None:
    put(lake, [flow(US, BAD)])
    listed(lake, tmp_path, "a", "45.1.0.0/16\n45.1.2.3\n45.1.2.0/24\n")
    listed(lake, tmp_path, "b", "45.0.0.0/8\n")
    assert [(r["feed"], r["indicator"]) for r in rows_of(lake)] == [("a", BAD), ("b", "45.0.0.0/8")]


def test_window_feeds_expiry_and_disabled(lake: Lake, tmp_path: Path) -> None:
    put(lake, [flow(US, BAD, start=T0 + day * DAY, end=T0 + day * DAY + 9) for day in range(3)])
    listed(lake, tmp_path, "a", BAD)
    listed(lake, tmp_path, "b", BAD)
    assert len(rows_of(lake)) == 6
    assert {r["feed"] for r in rows_of(lake, feeds=["b"])} == {"b"}
    window = rows_of(lake, since=T0 + DAY, until=T0 + 2 * DAY)
    assert {r["date"] for r in window} == {"2026-08-02"}
    FeedStore(lake).disable("a")
    assert {r["feed"] for r in rows_of(lake)} == {"b"}
    listed(lake, tmp_path, "c", BAD, lifetime=10)
    later = match(lake, now=2**40).rows
    assert set(later["feed"].to_pylist()) == {"b"}


def test_nothing_at_all(lake: Lake, tmp_path: Path) -> None:
    assert rows_of(lake) == []
    put(lake, [flow(US, BAD)])
    assert rows_of(lake) == []
    listed(lake, tmp_path, "a", "45.66.66.66")
    result = match(lake, now=T0)
    assert result.rows.num_rows == 0
    assert result.rows.schema == small_schema("matches")
    assert (result.stats.days, result.stats.listed) == (1, 0)


def test_trusted_wins_over_threats(lake: Lake, tmp_path: Path) -> None:
    put(lake, [flow(US, "8.8.8.8", dstport=53, protocol=17), flow(US, BAD)])
    listed(lake, tmp_path, "everything", f"8.8.8.8\n8.8.8.0/24\n{BAD}\n")
    assert {r["address"] for r in rows_of(lake)} == {"8.8.8.8", BAD}
    listed(lake, tmp_path, "good", "8.8.8.8/32\n", trusted=True)
    assert {r["address"] for r in rows_of(lake)} == {BAD}
    assert {r["address"] for r in rows_of(lake, feeds=["everything"])} == {BAD}
    assert match(lake, now=T0).stats.trusted == 1


# -- kept result and incremental ------------------------------------------------------------


def table(lake: Lake) -> list[tuple[Any, ...]]:
    rows = lake.read("matches").to_pylist()
    return sorted(tuple(str(v) for v in row.values()) for row in rows)


def test_the_result_is_a_table_of_the_lake(lake: Lake, tmp_path: Path) -> None:
    from flowscan.engine import Engine

    put(lake, [flow(US, BAD)])
    listed(lake, tmp_path, "a", BAD)
    match(lake, now=T0)
    with Engine(lake.snapshot()) as engine:
        found = engine.query(
            "SELECT m.address, i.indicator FROM matches m JOIN indicators i ON i.feed = m.feed"
        )
    assert found.to_pylist() == [{"address": BAD, "indicator": BAD}]
    match(lake, now=T0, feeds=["a"], since=T0 + DAY)  # a question, not the result
    assert len(table(lake)) == 1


def test_incremental_equals_whole(lake: Lake, tmp_path: Path) -> None:
    """Whatever happens in between: new flows, late flows, feeds added, changed, removed, trusted."""
    import random

    rng = random.Random(11)
    store = FeedStore(lake)

    def some(day: int) -> None:
        put(lake, [
            flow(*rng.choice([(US, f"45.1.2.{rng.randint(0, 9)}"), (f"45.1.2.{rng.randint(0, 9)}", US)]),
                 start=T0 + day * DAY + rng.randint(0, 80_000), end=T0 + day * DAY + 85_000,
                 dstport=rng.choice([22, 443]), action=rng.choice(["ACCEPT", "REJECT"]))
            for _ in range(50)
        ])  # fmt: skip

    def rewrite(text: str) -> None:
        (tmp_path / "a.txt").write_text(text)
        store.update(["a"])

    steps = [
        lambda: some(0),
        lambda: listed(lake, tmp_path, "a", "45.1.2.0/30"),
        lambda: some(1),
        lambda: some(0),
        lambda: listed(lake, tmp_path, "b", "45.1.2.2\n45.1.2.7"),
        lambda: rewrite("45.1.2.4/30\n"),
        lambda: None,
        lambda: listed(lake, tmp_path, "good", "45.1.2.7", trusted=True),
        lambda: some(2),
        lambda: store.disable("b"),
        lambda: store.enable("b"),
        lambda: store.remove("good"),
        lambda: store.remove("a"),
    ]
    for step in steps:
        step()
        match(lake, incremental=True, now=T0)
        kept = table(lake)
        match(lake, now=T0)
        assert kept == table(lake)


def test_incremental_reads_changed_days_only(lake: Lake, tmp_path: Path) -> None:
    listed(lake, tmp_path, "a", BAD)
    for day in range(3):
        put(lake, [flow(US, BAD, start=T0 + day * DAY)])
    assert match(lake, incremental=True, now=T0).stats.days == 3
    assert match(lake, incremental=True, now=T0).stats.days == 0
    put(lake, [flow(US, BAD, start=T0 + DAY)])
    result = match(lake, incremental=True, now=T0)
    assert result.stats.days == 1
    assert result.rows["flows"].to_pylist() == [2]
    assert sorted(lake.read("matches")["flows"].to_pylist()) == [1, 1, 2]


def test_a_run_cut_short_is_noticed(lake: Lake, tmp_path: Path) -> None:
    """The table was written, the note about it was not: nothing may be counted twice."""
    listed(lake, tmp_path, "a", BAD)
    put(lake, [flow(US, BAD)])
    match(lake, incremental=True, now=T0)
    note = lake.get_blob("match", "history")
    assert note is not None
    put(lake, [flow(US, BAD)])
    match(lake, incremental=True, now=T0)
    lake.put_blob("match", "history", note)
    match(lake, incremental=True, now=T0)
    assert lake.read("matches")["flows"].to_pylist() == [2]
