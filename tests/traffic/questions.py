"""Every question whose answer has bytes or callers, and what the answer must come to for a case.

A question is a function that is given `ask` (name of a query → rows as dicts) and `select` (SQL →
rows) and a case, and yields what it compares: what, found, right. Both engines are asked the same.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from cases import Case

Rows = list[dict[str, Any]]
Ask = Callable[..., Rows]
Compared = Iterator[tuple[str, Any, Any]]
FEED = "strangers"


def public(case: Case, address: str) -> bool:
    return ipaddress.ip_address(address).is_global and address not in case.ours


def inside(case: Case, address: str) -> bool:
    return not public(case, address)


def strangers(case: Case) -> list[str]:
    """Addresses of the case that are neither ours nor private: they are on the list `FEED`."""
    return sorted({a for pair in case.sent for a in pair if public(case, a)})


def sums(rows: Rows, value: str, *key: str) -> dict[Any, int]:
    """Sums by key, without those that are nothing."""
    found: Counter[Any] = Counter()
    for row in rows:
        found[tuple(row[k] for k in key) if len(key) > 1 else row[key[0]]] += int(row[value])
    return {k: n for k, n in found.items() if n}


def total(rows: Rows, value: str) -> int:
    return sum(int(row[value]) for row in rows)


def truth(pairs: dict[Any, int], key: Callable[[Any], Any]) -> dict[Any, int]:
    found: Counter[Any] = Counter()
    for pair, n in pairs.items():
        found[key(pair)] += n
    return dict(found)


def sessions(ask: Ask, select: Ask, case: Case) -> Compared:
    rows = select("SELECT * FROM sessions")
    yield from both_ways(rows, case)
    calls = Counter((r["client"], r["server"], int(r["server_port"])) for r in rows)
    yield "calls", dict(calls), case.calls
    yield "refused", total(rows, "refused_out") + total(rows, "refused_in"), 0


def contacts(ask: Ask, select: Ask, case: Case) -> Compared:
    rows = select("SELECT * FROM contacts")
    yield from both_ways(rows, case)
    for name, sent in case.sizes:
        yield f"all {name}", total(rows, name), sum(sent.values())
    yield "calls", sums(rows, "sessions", "client", "server", "port"), case.calls
    yield "open", total(rows, "open"), sum(case.calls.values()) if case.open_ else 0


def volumes(ask: Ask, select: Ask, case: Case) -> Compared:
    rows = select("SELECT * FROM volumes")
    yield from both_ways(rows, case)
    yield "calls", sums(rows, "sessions", "client", "server", "port"), case.calls
    yield "refused", total(rows, "refused_bytes"), 0


def tallies(ask: Ask, select: Ask, case: Case) -> Compared:
    rows = select("SELECT * FROM tallies")
    yield "records", total(rows, "records"), case.text.count("\n")
    yield "rejected", total(rows, "rejected"), 0


def edges(ask: Ask, select: Ask, case: Case) -> Compared:
    rows = select("SELECT * FROM edges")
    yield "records", total(rows, "records"), case.text.count("\n")
    yield "ends", {(r["src"], r["dst"]) for r in rows} >= case.sent.keys(), True


def both_ways(rows: Rows, case: Case) -> Compared:
    for name, sent in case.sizes:
        out = Counter(sums(rows, f"{name}_out", "client", "server"))
        yield name, dict(out + Counter(sums(rows, f"{name}_in", "server", "client"))), sent


def hosts(ask: Ask, select: Ask, case: Case) -> Compared:
    rows = select("SELECT address, interface_id FROM hosts")
    found = {r["address"]: r["interface_id"] for r in rows}
    yield "ours", {a: found.get(a) for a in case.ours}, case.ours
    yield "no stranger", [a for a in found if public(case, a)], []


def top_pairs(ask: Ask, select: Ask, case: Case) -> Compared:
    rows = ask("top-pairs", top=999)
    for name, sent in case.sizes:
        yield name, sums(rows, name, "srcaddr", "dstaddr"), sent
    calls = truth(case.calls, lambda c: frozenset(c[:2]))
    right = {pair: calls[frozenset(pair)] for pair in case.sent}
    yield "calls", sums(rows, "sessions", "srcaddr", "dstaddr"), right


def top_talkers(ask: Ask, select: Ask, case: Case) -> Compared:
    rows = ask("top-talkers", top=999)
    yield "sent", sums(rows, "sent", "address"), truth(case.sent, lambda p: p[0])
    yield "received", sums(rows, "received", "address"), truth(case.sent, lambda p: p[1])
    for name, sent in case.sizes:
        yield name, total(rows, name), 2 * sum(sent.values())


def top_talkers_packets(ask: Ask, select: Ask, case: Case) -> Compared:
    rows = ask("top-talkers-packets", top=999)
    for name, sent in case.sizes:
        yield name, sums(rows, name, "srcaddr"), truth(sent, lambda p: p[0])


def egress_by_destination(ask: Ask, select: Ask, case: Case) -> Compared:
    rows = ask("egress-by-destination", top=999)
    for name, sent in case.sizes:
        left = {p: n for p, n in sent.items() if inside(case, p[0]) and public(case, p[1])}
        yield name, sums(rows, name, "dstaddr"), truth(left, lambda p: p[1])
        yield "sources", total(rows, "sources"), len(left)


def aws_services(ask: Ask, select: Ask, case: Case) -> Compared:
    rows = ask("aws-services", top=999)
    for name, sent in case.sizes:
        named = {p: n for p, n in sent.items() if case.services.keys() & set(p)}
        right = truth(named, lambda p: tuple(case.services.get(a, "") for a in p))
        yield name, sums(rows, name, "from_service", "to_service"), right
        yield "sources", total(rows, "sources"), len(named)


def traffic_by_port(ask: Ask, select: Ask, case: Case) -> Compared:
    rows = ask("traffic-by-port", top=999)
    for name, sent in case.sizes:
        yield name, total(rows, name), sum(sent.values())
    yield "calls", sums(rows, "sessions", "port"), truth(case.calls, lambda c: c[2])
    yield "refused", total(rows, "refused_bytes"), 0


def traffic_by(name: str) -> Callable[[Ask, Ask, Case], Compared]:
    def question(ask: Ask, select: Ask, case: Case) -> Compared:
        rows = ask(name)
        for measure, sent in case.sizes:
            yield measure, total(rows, measure), sum(sent.values())
        yield "calls", total(rows, "sessions"), sum(case.calls.values())
        yield "refused", total(rows, "refused_bytes"), 0

    return question


def ipv6_traffic(ask: Ask, select: Ask, case: Case) -> Compared:
    rows = ask("ipv6-traffic", top=999)
    for name, sent in case.sizes:
        yield name, total(rows, name), sum(n for (a, _), n in sent.items() if ":" in a)


def traffic_paths(ask: Ask, select: Ask, case: Case) -> Compared:
    rows = ask("traffic-paths")
    for name, sent in case.sizes:
        yield name, total(rows, name), sum(n for (a, _), n in sent.items() if inside(case, a))


def cross_subnet(ask: Ask, select: Ask, case: Case) -> Compared:
    rows = ask("cross-subnet", top=999)
    for name, sent in case.sizes:
        within = (n for p, n in sent.items() if all(inside(case, a) and ":" not in a for a in p))
        yield name, total(rows, name), sum(within)


def longest_sessions(ask: Ask, select: Ask, case: Case) -> Compared:
    rows = ask("longest-sessions", top=999)
    out = Counter(sums(rows, "bytes_out", "client", "server"))
    yield "bytes", dict(out + Counter(sums(rows, "bytes_in", "server", "client"))), case.sent
    yield "calls", Counter((r["client"], r["server"], r["server_port"]) for r in rows), case.calls


def inbound_sensitive(ask: Ask, select: Ask, case: Case) -> Compared:
    rows = ask("inbound-sensitive", top=999)
    called = {(c[1], c[2]) for c in case.calls if public(case, c[0]) and inside(case, c[1])}
    yield "reached", {(r["dstaddr"], r["dstport"]) for r in rows} - called, set()
    yield "answered", total(rows, "answered"), 0
    yield "any", bool(rows), bool(called)


def new_sources(ask: Ask, select: Ask, case: Case) -> Compared:
    rows = ask("new-sources", top=999)
    calls = {c: n for c, n in case.calls.items() if public(case, c[0])}
    sent = {p: n for p, n in case.sent.items() if p[0] in {c[0] for c in calls}}
    yield "sessions", sums(rows, "sessions", "srcaddr"), truth(calls, lambda c: c[0])
    yield "bytes", sums(rows, "bytes", "srcaddr"), truth(sent, lambda p: p[0])
    yield "answered", total(rows, "answered"), 0


def address_story(ask: Ask, select: Ask, case: Case) -> Compared:
    for address in sorted({a for pair in case.sent for a in pair}):
        rows = ask("address-story", address=address, top=9999)
        sent = {p[1]: n for p, n in case.sent.items() if p[0] == address}
        received = {p[0]: n for p, n in case.sent.items() if p[1] == address}
        yield f"{address} sent", sums(rows, "sent", "peer"), sent
        yield f"{address} received", sums(rows, "received", "peer"), received
        called = [r for r in rows if r["direction"] == "called"]
        right = sum(n for c, n in case.calls.items() if c[0] == address)
        yield f"{address} called", total(called, "sessions"), right


def top_interfaces(ask: Ask, select: Ask, case: Case) -> Compared:
    rows = {r["interface_id"]: r for r in ask("top-interfaces", top=999)}
    for name, sent in case.sizes:
        for address, interface in case.ours.items():
            right = sum(n for pair, n in sent.items() if address in pair)
            yield f"{address} {name}", int(rows[interface][name]), right


def listed_addresses(ask: Ask, select: Ask, case: Case) -> Compared:
    rows = ask("listed-addresses", top=999)
    for side, name in ((0, "sent"), (1, "received")):
        met = {p: n for p, n in case.sent.items() if public(case, p[side])}
        yield name, sums(rows, name, "address"), truth(met, lambda p, side=side: p[side])
    met = {p: n for p, n in case.packets.items() if any(public(case, a) for a in p)}
    yield "packets", total(rows, "packets"), sum(met.values())
    for side, way in ((0, "from it"), (1, "to it")):
        calls = {c: n for c, n in case.calls.items() if public(case, c[side])}
        right = truth(calls, lambda c, side=side: c[side])
        mine = [r for r in rows if r["direction"] == way]
        yield way, sums(mine, "sessions", "address"), right


def matches_by_address(ask: Ask, select: Ask, case: Case) -> Compared:
    rows = ask("matches-by-address", top=999)
    met = {p: n for p, n in case.sent.items() if any(public(case, a) for a in p)}
    yield "bytes", total(rows, "bytes"), sum(met.values())
    got = {p: n for p, n in met.items() if public(case, p[1])}
    yield "sent", sums(rows, "bytes_out", "address"), truth(got, lambda p: p[1])
    calls = {c for c in case.calls if any(public(case, a) for a in c[:2])}
    yield "ports", total(rows, "ports"), len({(*c[:2], c[2]) for c in calls})
    yield "addresses", {r["address"] for r in rows}, set(strangers(case))
    yield "rank", {r["rank"] for r in rows}, {case.rank}


def none(name: str) -> Callable[[Ask, Ask, Case], Compared]:
    """A question to which these cases have no answer: nothing refused, no ICMP."""

    def question(ask: Ask, select: Ask, case: Case) -> Compared:
        yield "rows", ask(name), []

    return question


TABLES = {f.__name__: f for f in (sessions, contacts, volumes, tallies, edges, hosts)}
QUERIES = {
    "accepted-after-rejected": none("accepted-after-rejected"),
    "address-story": address_story,
    "aws-services": aws_services,
    "cross-subnet": cross_subnet,
    "egress-by-destination": egress_by_destination,
    "icmp": none("icmp"),
    "inbound-sensitive": inbound_sensitive,
    "ipv6-traffic": ipv6_traffic,
    "listed-addresses": listed_addresses,
    "longest-sessions": longest_sessions,
    "matches-by-address": matches_by_address,
    "new-sources": new_sources,
    "top-interfaces": top_interfaces,
    "top-pairs": top_pairs,
    "top-talkers": top_talkers,
    "top-talkers-packets": top_talkers_packets,
    "traffic-by-day": traffic_by("traffic-by-day"),
    "traffic-by-hour": traffic_by("traffic-by-hour"),
    "traffic-by-port": traffic_by_port,
    "traffic-by-protocol": traffic_by("traffic-by-protocol"),
    "traffic-paths": traffic_paths,
}
"""Analytics queries that show bytes, by name."""


ALL = {**TABLES, **QUERIES}


def wrong(ask: Ask, select: Ask, case: Case, names: Iterable[str] | None = None) -> list[str]:
    """What was answered otherwise than it is, of some questions or of all."""
    return [
        f"{name}, {what}: {got} instead of {right}"
        for name in names or ALL
        for what, got, right in ALL[name](ask, select, case)
        if got != right
    ]
