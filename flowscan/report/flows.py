"""The sections that come from flows: each a query over the folded tables, each a tuple of values.

Invariant: values are bound, lists are bounded by the query or by the caller; an interface goes by
the address that its records have in common.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flowscan.engine import Workspace
from flowscan.net.ports import SENSITIVE
from flowscan.net.services import service_name
from flowscan.report import sql
from flowscan.report.known import Known
from flowscan.report.model import (
    Bucket,
    Country,
    Exposure,
    HeatCell,
    Link,
    Match,
    Period,
    RejectedPort,
    RejectedSource,
    Talker,
    Timeline,
    Totals,
)

OTHER, PUBLIC = "other private", "internet"
MOST_GROUPS = 8
_LISTED = 50
_SIDES = ("direction", "local_address", "port")


def named(text: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `values` that the SQL names."""
    return {k: values[k] for k in set(re.findall(r"\$([a-z]+)", text)) if k in values}


def rows(engine: Workspace, text: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of a constant of `sql`."""
    found: list[dict[str, Any]] = engine.execute(text, named(text, values)).to_pylist()
    return found


def totals(row: Mapping[str, Any]) -> Totals:
    """Key figures of a row of `sql.TOTALS`; zeros of an empty one."""
    count, rejected = row.get("flows", 0), row.get("rejected", 0)
    return Totals(
        flows=count,
        accepted=count - rejected,
        rejected=rejected,
        packets=row.get("packets", 0),
        bytes=row.get("bytes", 0),
        interfaces=row.get("interfaces", 0),
    )


def hosts(engine: Workspace) -> dict[str, str]:
    """Interface → the address that it goes by."""
    return {r["interface_id"]: r["host"] for r in rows(engine, sql.SELECT_HOSTS, {})}


def timeline(engine: Workspace, bound: Mapping[str, Any], period: Period, step: int) -> Timeline:
    """Flows over time, steps without flows included."""
    seen = {r["t"]: r for r in rows(engine, sql.TIMELINE, bound)}
    begin = period.since - period.since % step
    buckets = []
    for t in range(begin, period.until, step):
        r = seen.get(t, {})
        buckets.append(Bucket(t, r.get("accepted", 0), r.get("rejected", 0), r.get("bytes", 0)))
    return Timeline(step, tuple(buckets))


def heat(engine: Workspace, bound: Mapping[str, Any]) -> tuple[HeatCell, ...]:
    """Mean flows per hour of the week, for the hours that were observed."""
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


def rejected_ports(engine: Workspace, top: int) -> tuple[RejectedPort, ...]:
    """Refused ports, most flows first."""
    named: dict[tuple[Any, Any], list[tuple[str, int]]] = {}
    for r in rows(engine, sql.REJECTED_PORT_SOURCES, {"top": top}):
        named.setdefault((r["protocol"], r["dstport"]), []).append(
            (r["srcaddr"] or "–", r["flows"])
        )
    return tuple(
        RejectedPort(
            protocol=r["protocol"] or 0,
            port=r["dstport"] or 0,
            service=service_name(r["dstport"], r["protocol"]) or "",
            flows=r["flows"],
            packets=r["packets"] or 0,
            sources=r["sources"],
            targets=r["targets"],
            first_seen=r["first_seen"],
            last_seen=r["last_seen"],
            top_sources=tuple(named[r["protocol"], r["dstport"]]),
        )
        for r in rows(engine, sql.REJECTED_PORTS, {"top": top})
    )


def rejected_sources(engine: Workspace, top: int, known: Known) -> tuple[RejectedSource, ...]:
    """Sources of refused flows, most flows first."""
    return tuple(
        RejectedSource(
            address=r["srcaddr"] or "–",
            flows=r["flows"],
            ports=r["ports"],
            targets=r["targets"],
            accepted=r["accepted"],
            country=known.country(r["srcaddr"]) if r["srcaddr"] and not r["own"] else "",
        )
        for r in rows(engine, sql.REJECTED_SOURCES, {"top": top})
    )


def talkers(engine: Workspace, known: Known, top: int) -> tuple[Talker, ...]:
    """Pairs that exchanged most bytes."""
    return tuple(
        Talker(
            source=r["srcaddr"],
            destination=r["dstaddr"] or "–",
            source_label=known.name(r["srcaddr"]),
            destination_label=known.name(r["dstaddr"] or ""),
            flows=r["flows"],
            packets=r["packets"],
            bytes=r["bytes"],
        )
        for r in rows(engine, sql.TALKERS, {"top": top})
    )


def exposure(engine: Workspace, bound: Mapping[str, Any]) -> tuple[Exposure, ...]:
    """Ports of ours that public addresses reached, sensitive ones first."""
    return tuple(
        Exposure(
            address=r["dstaddr"],
            interface=r["interface_id"] or "",
            protocol=r["protocol"],
            port=r["dstport"],
            service=service_name(r["dstport"], r["protocol"]) or "",
            sensitive=r["dstport"] in SENSITIVE,
            sources=r["sources"],
            flows=r["flows"],
            bytes=r["bytes"] or 0,
            first_seen=r["first_seen"],
            last_seen=r["last_seen"],
        )
        for r in rows(engine, sql.EXPOSURE, bound)
    )


def matrix(engine: Workspace, names: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[Link, ...]]:
    """Who sent to whom: our busiest interfaces by address, the rest folded into groups."""
    found = rows(engine, sql.LINKS, {"other": OTHER, "public": PUBLIC})
    weight: dict[str, int] = {}
    for r in found:
        for side in (r["source"], r["destination"]):
            weight[side] = weight.get(side, 0) + r["bytes"] + r["flows"]
    own = sorted(set(names.values()) & set(weight), key=lambda a: (-weight[a], a))
    shown = set(own[:MOST_GROUPS])
    links: dict[tuple[str, str], Link] = {}
    for r in found:
        ends = [x if x in shown or x in {OTHER, PUBLIC} else OTHER for x in _ends(r)]
        old = links.get((ends[0], ends[1]), Link(ends[0], ends[1], 0, 0, 0))
        links[ends[0], ends[1]] = Link(
            ends[0],
            ends[1],
            old.flows + r["flows"],
            old.bytes + r["bytes"],
            old.rejected + r["rejected"],
        )
    used = {side for key in links for side in key}
    groups = (*sorted(shown), *(g for g in (OTHER, PUBLIC) if g in used))
    return groups, tuple(sorted(links.values(), key=lambda x: (-x.bytes, x.source, x.destination)))


def _ends(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["source"], row["destination"]


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
        )
        for r in rows(engine, sql.MATCHES, bound)
        for met in (sides[r["address"], r["feed"]],)
    )
