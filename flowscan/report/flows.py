"""The sections that come from traffic: each a query over the folded tables, a tuple of values.

Invariant: values are bound, lists are bounded by the query or by the caller; an interface goes by
the address that it is known to have.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from flowscan.engine import Workspace
from flowscan.net.ports import SENSITIVE
from flowscan.net.services import service_name
from flowscan.report import sql
from flowscan.report.known import Known
from flowscan.report.listed import GOT_THROUGH, Match, Matched
from flowscan.report.model import (
    Bucket,
    Country,
    Exposure,
    HeatCell,
    Link,
    Period,
    RejectedPort,
    RejectedSource,
    Talker,
    Timeline,
    Totals,
)

OTHER, PUBLIC, ENDPOINT = "other private", "internet", "gateway endpoint"
_FOLDED = (OTHER, ENDPOINT, PUBLIC)
MOST_GROUPS = 8
_LISTED = 50
_SIDES = ("direction", "local_address", "port")


def named(text: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `values` that the SQL names."""
    return {k: values[k] for k in set(re.findall(r"\$([a-z_]+)", text)) if k in values}


def rows(engine: Workspace, text: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of a constant of `sql`."""
    found: list[dict[str, Any]] = engine.execute(text, named(text, values)).to_pylist()
    return found


def totals(engine: Workspace, bound: Mapping[str, Any]) -> dict[bool, Totals]:
    """Key figures of the period (True) and of the one before it."""
    sums: dict[bool, dict[str, int]] = {True: {}, False: {}}
    for text in (sql.RECORDS, sql.BYTES):
        for r in rows(engine, text, bound):
            sums[r.pop("current")] |= r
    return {
        current: Totals(**found, accepted=found.get("flows", 0) - found.get("rejected", 0))
        for current, found in sums.items()
        if found
    }


def hosts(engine: Workspace) -> tuple[dict[str, str], frozenset[str]]:
    """Interface → the address that it goes by; and which are of NAT gateways."""
    found = rows(engine, sql.SELECT_HOSTS, {})
    names = {r["interface_id"]: r["host"] for r in found}
    return names, frozenset(r["interface_id"] for r in found if r["nat"])


def timeline(engine: Workspace, bound: Mapping[str, Any], period: Period, step: int) -> Timeline:
    """Records and bytes over time, steps without any included."""
    seen = {r["t"]: r for r in rows(engine, sql.TIMELINE, bound)}
    begin = period.since - period.since % step
    buckets = []
    for t in range(begin, period.until, step):
        r = seen.get(t, {})
        buckets.append(Bucket(t, r.get("accepted", 0), r.get("rejected", 0), r.get("bytes", 0)))
    return Timeline(step, tuple(buckets))


def heat(engine: Workspace, bound: Mapping[str, Any]) -> tuple[HeatCell, ...]:
    """Mean records per hour of the week, for the hours that were observed."""
    return tuple(
        HeatCell(
            r["weekday"],
            r["hour"],
            r["hours"],
            round(r["flows"] / r["hours"]),
            round(r["rejected"] / r["hours"]),
        )
        for r in rows(engine, sql.HEAT, bound)
    )


def rejected_ports(
    engine: Workspace, bound: Mapping[str, Any], top: int
) -> tuple[RejectedPort, ...]:
    """Refused ports, most records first."""
    named: dict[tuple[Any, Any], list[tuple[str, int]]] = {}
    for r in rows(engine, sql.REJECTED_PORT_SOURCES, {"top": top}):
        named.setdefault((r["protocol"], r["port"]), []).append((r["client"], r["flows"]))
    return tuple(
        RejectedPort(
            protocol=r["protocol"],
            port=r["port"],
            service=service_name(r["port"], r["protocol"]) or "",
            flows=r["flows"],
            packets=r["packets"],
            sources=r["sources"],
            targets=r["targets"],
            first_seen=r["first_seen"],
            last_seen=r["last_seen"],
            top_sources=tuple(named[r["protocol"], r["port"]]),
        )
        for r in rows(engine, sql.REJECTED_PORTS, {**bound, "top": top})
    )


def rejected_sources(engine: Workspace, top: int, known: Known) -> tuple[RejectedSource, ...]:
    """Callers that were refused, most records first."""
    return tuple(
        RejectedSource(
            address=r["client"],
            flows=r["flows"],
            ports=r["ports"],
            targets=r["targets"],
            accepted=r["accepted"],
            country=known.country(r["client"]) if r["side"] == "public" else "",
        )
        for r in rows(engine, sql.REJECTED_SOURCES, {"top": top})
    )


def talkers(engine: Workspace, known: Known, top: int) -> tuple[Talker, ...]:
    """Who sent most accepted bytes to whom."""
    return tuple(
        Talker(
            source=r["source"],
            destination=r["destination"],
            source_label=known.name(r["source"]),
            destination_label=known.name(r["destination"]),
            connections=r["sessions"],
            flows=r["records"],
            packets=r["packets"],
            bytes=r["bytes"],
        )
        for r in rows(
            engine,
            sql.TALKERS,
            {"top": top, "parts": sql.TALKER_PARTS, "rows": top * sql.TALKER_PARTS},
        )
    )


def exposure(engine: Workspace) -> tuple[Exposure, ...]:
    """Ports of ours that answered public addresses, sensitive ones first, then by sources."""
    return tuple(
        Exposure(
            address=r["server"],
            interface=r["interface_id"] or "",
            protocol=r["protocol"],
            port=r["port"],
            service=service_name(r["port"], r["protocol"]) or "",
            sensitive=r["port"] in SENSITIVE,
            sources=r["callers"],
            connections=r["sessions"],
            bytes=r["bytes"],
            first_seen=r["first_seen"],
            last_seen=r["last_seen"],
        )
        for r in rows(engine, sql.EXPOSURE, {})
    )


def matrix(engine: Workspace) -> tuple[tuple[str, ...], tuple[Link, ...]]:
    """Who sent to whom: our busiest interfaces by address, the rest folded into groups."""
    bound = {"other": OTHER, "public": PUBLIC, "endpoint": ENDPOINT, "groups": MOST_GROUPS}
    links = [Link(**r) for r in rows(engine, sql.LINKS, bound)]
    used = {side for link in links for side in (link.source, link.destination)}
    groups = (*sorted(used - set(_FOLDED)), *(g for g in _FOLDED if g in used))
    return groups, tuple(sorted(links, key=lambda x: (-x.bytes, x.source, x.destination)))


def countries(engine: Workspace, known: Known) -> tuple[Country, ...]:
    """Traffic by country of the busiest public addresses; nothing without MMDB data."""
    if not known.has_countries:
        return ()
    found: dict[str, Country] = {}
    for r in rows(engine, sql.PUBLIC, {"top": 20_000}):
        name = known.country(r["address"])
        old = found.get(name, Country(name, 0, 0, 0, 0))
        found[name] = Country(
            name,
            old.addresses + 1,
            old.flows + r["flows"],
            old.rejected + r["rejected"],
            old.bytes + r["bytes"],
        )
    return tuple(sorted(found.values(), key=lambda c: (-c.flows, c.name))[:25])


def matches(engine: Workspace, bound: Mapping[str, Any]) -> tuple[Match, ...]:
    """Listed addresses that were met, those that got through first."""
    sides: dict[tuple[str, str], dict[str, set[Any]]] = {}
    for r in rows(engine, sql.MATCH_SIDES, bound):
        met = sides.setdefault((r["address"], r["feed"]), {n: set() for n in _SIDES})
        for name in _SIDES:
            met[name] |= {r[name]} - {None}
    return tuple(
        Match(
            address=r["address"],
            feed=r["feed"] or "",
            category=r["category"] or "",
            indicator=r["indicator"] or "",
            confidence=r["confidence"],
            accepted=r["accepted"],
            refused=r["refused"],
            bytes=r["bytes"],
            direction=" and ".join(sorted(met["direction"])),
            local=tuple(sorted(met["local_address"]))[:_LISTED],
            ports=tuple(sorted(met["port"]))[:_LISTED],
            first_seen=r["first_seen"],
            last_seen=r["last_seen"],
            rank=r["rank"],
            undecided=r["rank"] <= GOT_THROUGH and r["undecided"],
        )
        for r in rows(engine, sql.MATCHES, {**bound, "passed": GOT_THROUGH})
        for met in (sides[r["address"], r["feed"]],)
    )


def matched(found: Collection[Match]) -> Matched:
    """How many listed addresses there are of each kind; on two feeds an address counts twice."""
    passed = sum(m.passed for m in found)
    own, vain = (sum(m.rank == rank for m in found) for rank in (4, 5))
    return Matched(
        passed=passed,
        undecided=sum(m.undecided for m in found),
        own=own,
        vain=vain,
        refused=len(found) - passed - own - vain,
    )
