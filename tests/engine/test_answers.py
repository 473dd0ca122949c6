"""Queries of the catalogue against the same computed in plain Python over all rows."""

from __future__ import annotations

import ipaddress
from collections import Counter, defaultdict

import pytest

from flowscan import queries
from flowscan.engine import Engine


@pytest.fixture(scope="module")
def flows(engine: Engine) -> list[dict]:
    return engine.query(
        "SELECT *, pkt_srcaddr, pkt_dstaddr, tcp_flags, instance_id, traffic_path, flow_direction,"
        " pkt_src_aws_service, pkt_dst_aws_service, reject_reason FROM flows"
    ).to_pylist()


def run(engine: Engine, name: str, **values: object) -> list[dict]:
    return engine.run(queries.load(name), values).to_pylist()


def test_rejected_ports(engine: Engine, flows: list[dict]) -> None:
    counts = Counter((f["dstport"], f["protocol"]) for f in flows if f["action"] == "REJECT")
    found = {
        (r["dstport"], r["protocol"]): r["flows"] for r in run(engine, "rejected-ports", top=9999)
    }
    assert found == dict(counts)
    assert found[312, 6] == max(found.values())


def test_rejected_sources(engine: Engine, flows: list[dict]) -> None:
    ports = defaultdict(set)
    for f in flows:
        if f["action"] == "REJECT":
            ports[f["srcaddr"]].add(f["dstport"])
    found = {r["srcaddr"]: r["ports"] for r in run(engine, "rejected-sources", top=99999)}
    assert found == {a: len(p) for a, p in ports.items()}


@pytest.fixture(scope="module")
def spoken(flows: list[dict]) -> list[dict]:
    """Records that speak for their packets: of the sender's interface, where that is logged."""
    ends: dict = defaultdict(Counter)
    for f in flows:
        ends[f["interface_id"]].update((f["srcaddr"], f["dstaddr"]))
    homes = {count.most_common(1)[0][0]: eni for eni, count in ends.items()}
    return [f for f in flows if homes.get(f["srcaddr"], f["interface_id"]) == f["interface_id"]]


def test_top_talkers(engine: Engine, spoken: list[dict]) -> None:
    total: Counter = Counter()
    for f in spoken:
        if f["action"] == "ACCEPT":
            total[f["srcaddr"]] += f["bytes"]
            total[f["dstaddr"]] += f["bytes"]
    expected = sorted(total.items(), key=lambda x: (-x[1], x[0]))[:20]
    assert [(r["address"], r["bytes"]) for r in run(engine, "top-talkers")] == expected


def test_traffic_by_protocol_day_and_hour(engine: Engine, spoken: list[dict]) -> None:
    accepted = [f for f in spoken if f["action"] == "ACCEPT"]
    for name, column, key in (
        ("traffic-by-protocol", "protocol", lambda f: f["protocol"]),
        ("traffic-by-day", "day", lambda f: f["date"].isoformat()),
        ("traffic-by-hour", "hour", lambda f: f"{f['start_ts']:%Y-%m-%dT%H:00Z}"),
    ):
        right: Counter = Counter()
        for f in accepted:
            right[key(f)] += f["bytes"]
        assert {r[column]: r["bytes"] for r in run(engine, name)} == dict(right)


def test_inbound_sensitive(engine: Engine, flows: list[dict]) -> None:
    found = run(engine, "inbound-sensitive")
    sources = {
        f["srcaddr"]
        for f in flows
        if f["dstport"] == 22
        and f["action"] == "ACCEPT"
        and f["protocol"] == 6
        and ipaddress.ip_address(f["srcaddr"]).is_global
        and f["dstaddr"] == "10.20.1.20"
    }
    assert [(r["dstaddr"], r["dstport"], r["sources"]) for r in found] == [
        ("10.20.1.20", 22, len(sources))
    ]


def test_accepted_after_rejected(engine: Engine, flows: list[dict]) -> None:
    """By five-tuples of those who sent to a port that they had been refused at before."""
    first: dict = {}
    refused: Counter = Counter()
    for f in flows:
        pair = f["srcaddr"], f["dstaddr"]
        if f["action"] == "REJECT":
            refused[pair] += 1
            first[pair] = min(first.get(pair, f["start"]), f["start"])
    found = run(engine, "accepted-after-rejected", top=9999)
    # Of those refused before, who sent to a service; answers to our own calls come from services.
    right = {
        (*pair, f["dstport"], refused[pair])
        for f in flows
        if f["action"] == "ACCEPT" and f["dstport"] < 1024
        if refused[pair := (f["srcaddr"], f["dstaddr"])] >= 3 and f["start"] > first[pair]
    }
    assert {(r["srcaddr"], r["dstaddr"], r["dstport"], r["rejected"]) for r in found} == right
    for row in found:
        pair = row["srcaddr"], row["dstaddr"]
        ports = {
            (f["srcport"], f["bytes"])
            for f in flows
            if (f["srcaddr"], f["dstaddr"], f["dstport"]) == (*pair, row["dstport"])
            if f["action"] == "ACCEPT" and f["start"] > first[pair]
        }
        assert row["accepted"] == len({port for port, _ in ports})
        assert row["answered"] == row["accepted"]


def test_address_story_is_complete(engine: Engine, flows: list[dict], spoken: list[dict]) -> None:
    address = "10.20.2.30"
    story = run(engine, "address-story", address=address, top=10**6)
    for column, end in (("sent", "srcaddr"), ("received", "dstaddr")):
        right = sum(f["bytes"] for f in spoken if f[end] == address and f["action"] == "ACCEPT")
        assert sum(r[column] for r in story) == right
    refused = [f for f in flows if address in (f["srcaddr"], f["dstaddr"])]
    refused = [f for f in refused if f["action"] == "REJECT"]
    assert sum(r["rejected"] for r in story) == len(refused)


def test_console_and_documentation(engine: Engine, flows: list[dict]) -> None:
    total: Counter = Counter()
    for f in flows:
        total[f["srcaddr"], f["dstaddr"]] += f["bytes"]
    best = sorted(total.items(), key=lambda x: (-x[1], *x[0]))[:50]
    found = run(engine, "console-total-bytes-transferred")
    assert [((r["srcaddr"], r["dstaddr"]), r["total_bytes"]) for r in found] == best
    https: Counter = Counter()
    for f in flows:
        if f["dstport"] == 443:
            https[f["dstaddr"]] += f["packets"]
    busiest = sorted(https.items(), key=lambda x: (-x[1], x[0]))[:10]
    for name in ("docs-busiest-https-servers-of-a-week", "docs-busiest-https-servers-of-a-period"):
        assert [(r["dstaddr"], r["packetcount"]) for r in run(engine, name)] == busiest
    (v4,) = run(engine, "console-ipv4-traffic")
    assert v4["records"] == sum("." in f["srcaddr"] for f in flows)
    weekdays = {r["weekday"] for r in run(engine, "docs-rejected-tcp-by-weekday", top=9999)}
    assert weekdays == {f["date"].isoweekday() for f in flows if f["action"] == "REJECT"}


def test_the_window_bounds_every_query(engine: Engine, spoken: list[dict]) -> None:
    """Volumes are of whole hours: those that the window touches."""
    start = sorted(f["start"] for f in spoken)[len(spoken) // 2]
    found = run(engine, "traffic-by-protocol", since=start)
    begin = start - start % 3600
    late = [f for f in spoken if f["start"] >= begin and f["action"] == "ACCEPT"]
    assert sum(r["bytes"] for r in found) == sum(f["bytes"] for f in late)


@pytest.mark.parametrize(
    "query", [q.id for q in queries.catalogue("aws") + queries.catalogue("analytics")]
)
def test_every_query_runs_and_says_what_it_is(engine: Engine, query: str) -> None:
    found = queries.load(query)
    assert found.title
    assert found.title != found.id
    assert found.description.endswith(".")
    assert engine.run(found).num_columns > 0
