"""Rows of a detection to findings: grouped by resource and dedup key, bounded, put into words.

Invariant: a finding keeps at most `MAX_ACTORS` actors of a day by name, and its totals count all
of them; a detection raises at most `MAX_FINDINGS`, the most severe ones, and says how many it
left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from flowscan import queries
from flowscan.detect.spec import ROW, Detection
from flowscan.detect.words import sentence
from flowscan.findings import (
    DAY,
    MAX_ACTORS,
    MAX_SAMPLES,
    Actor,
    Confidence,
    Counts,
    Day,
    Finding,
    finding_id,
)

MAX_FINDINGS: Final = 1000
_OWN: Final = {
    *(*ROW, "severity", "role", "direction", "place"),
    *("day_actors", "day_flows", "day_packets", "day_bytes", "day_first", "day_last"),
}


def bounded(select: str) -> str:
    """SQL that keeps the busiest actors of each finding and day, with the totals of all."""
    return f"""
SELECT * FROM (
  SELECT *,
    row_number() OVER (
      PARTITION BY day, resource, dedup ORDER BY flows DESC, actor) AS place,
    count(*) OVER (PARTITION BY day, resource, dedup) AS day_actors,
    sum(flows) OVER (PARTITION BY day, resource, dedup) AS day_flows,
    sum(packets) OVER (PARTITION BY day, resource, dedup) AS day_packets,
    sum(bytes) OVER (PARTITION BY day, resource, dedup) AS day_bytes,
    min(first_seen) OVER (PARTITION BY day, resource, dedup) AS day_first,
    max(last_seen) OVER (PARTITION BY day, resource, dedup) AS day_last
  FROM ({select.strip().rstrip(";")}) found) ranked
WHERE place <= {MAX_ACTORS}
"""


@dataclass(slots=True)
class _Group:
    resource: str
    dedup: str
    days: dict[int, list[dict[str, Any]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hosts:
    """What is known of our addresses on each day: interface, instance, account, region."""

    known: Mapping[tuple[int, str], Mapping[str, Any]]

    def of(self, day: int, address: str) -> Mapping[str, Any]:
        """Columns of `hosts` for an address of that day; empty when it is none of ours."""
        return self.known.get((day, address), {})


def findings(
    detection: Detection,
    rows: Iterable[Mapping[str, Any]],
    hosts: Hosts,
    confidence: Confidence,
    now: int,
) -> tuple[list[Finding], int]:
    """Findings of a detection's rows, and how many were left out by the bound."""
    groups: dict[tuple[str, str], _Group] = {}
    for row in rows:
        address = str(row["resource"] or "unknown")
        host = hosts.of(row["day"], address)
        resource = str(host.get("interface_id") or address)
        key = (resource, str(row["dedup"] or ""))
        group = groups.setdefault(key, _Group(*key))
        group.days.setdefault(row["day"], []).append({**row, "resource": address})
    made = [_finding(detection, g, hosts, confidence, now) for g in groups.values()]
    made.sort(key=lambda f: (-f.severity, -f.count, f.id))
    return made[:MAX_FINDINGS], max(0, len(made) - MAX_FINDINGS)


def _finding(
    detection: Detection, group: _Group, hosts: Hosts, confidence: Confidence, now: int
) -> Finding:
    days = tuple(_day(detection, day, rows) for day, rows in sorted(group.days.items()))
    last_day = days[-1].day
    address = group.days[last_day][0]["resource"]
    host = hosts.of(last_day, address)
    top = group.days[last_day][0]
    details = {
        "address": address,
        **{k: v for k, v in host.items() if v is not None and k not in ("day", "address")},
        "direction": top.get("direction") or detection.direction,
        "attack": list(detection.attack),
        "judged_by": detection.judged_by,
    }
    return Finding(
        id=finding_id(detection.type, group.resource, group.dedup),
        detection=detection.id,
        type=detection.type,
        title=detection.query.title,
        description=str(days[-1].evidence["what"]),
        resource=group.resource,
        resource_role=top.get("role") or detection.role,
        dedup_key=group.dedup,
        confidence=confidence,
        account_id=host.get("account_id"),
        region=host.get("region"),
        details=details,
        days=days,
        created=now,
        updated=now,
    )


def _day(detection: Detection, day: int, rows: list[dict[str, Any]]) -> Day:
    rows.sort(key=lambda r: (-_severity(detection, r), -r["flows"], str(r["actor"])))
    counts = _counts(rows[0], "day_") if "day_flows" in rows[0] else _sum(rows)
    actors = [
        Actor(str(r["actor"]), _counts(r), _details(r)) for r in rows if r["actor"] is not None
    ]
    actors.sort(key=lambda a: (-a.counts.flows, a.address))
    total = int(rows[0].get("day_actors") or 0)
    return Day(
        day=day,
        counts=counts,
        severity=_severity(detection, rows[0]),
        actors=tuple(actors[:MAX_ACTORS]),
        actors_total=max(len(actors), total if actors else 0),
        evidence=_evidence(detection, day, rows),
    )


def _severity(detection: Detection, row: Mapping[str, Any]) -> float:
    value = row.get("severity")
    return float(detection.severity if value is None else value)


def _sum(rows: list[dict[str, Any]]) -> Counts:
    total = _counts(rows[0])
    for row in rows[1:]:
        total = total + _counts(row)
    return total


def _counts(row: Mapping[str, Any], prefix: str = "") -> Counts:
    first, last = ("day_first", "day_last") if prefix else ("first_seen", "last_seen")
    sums = (int(row[f"{prefix}{name}"] or 0) for name in ("flows", "packets", "bytes"))
    return Counts(int(row[first]), int(row[last]), *sums)


_FEED: Final = ("feed", "category", "indicator", "confidence")


def _details(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(row[name]) for name in _FEED if row.get(name) is not None}


def _evidence(detection: Detection, day: int, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Numbers of the most severe row, sample rows, and the SQL that shows all rows."""
    top = rows[0]
    names = detection.evidence or tuple(n for n in top if n not in _OWN)
    facts = {n: _plain(top[n]) for n in names if top.get(n) is not None}
    samples = [
        {"actor": r["actor"], **{n: _plain(r[n]) for n in names if r.get(n) is not None},
         "flows": int(r["flows"]), "bytes": int(r["bytes"] or 0)}
        for r in rows[:MAX_SAMPLES]
    ]  # fmt: skip
    return {
        "what": _words(detection, top, rows),
        **facts,
        "samples": samples,
        "sql": _sql(day, top["resource"], [r["actor"] for r in rows[:20]]),
    }


def _words(detection: Detection, top: Mapping[str, Any], rows: list[dict[str, Any]]) -> str:
    actors = int(top.get("day_actors") or len(rows))
    try:
        return sentence(detection.summary, top, actors=actors)
    except (KeyError, ValueError):
        return detection.query.title


def _plain(value: Any) -> Any:
    """A value that JSON knows."""
    from decimal import Decimal

    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    if isinstance(value, float):
        return round(value, 4) if value == value and abs(value) != float("inf") else None  # noqa: PLR0124
    return value if isinstance(value, str | int | bool | list | type(None)) else str(value)


def _sql(day: int, resource: str, actors: list[object]) -> str:
    """SQL that shows all records of the finding on that day."""
    mine = queries.quote(str(resource))
    window = f'"start" >= {day} AND "start" < {day + DAY}'
    named = ", ".join(queries.quote(str(a)) for a in actors if a is not None)
    if not named:
        return f"SELECT * FROM coverage WHERE interface_id = {mine} AND {window}"
    return (
        f"SELECT * FROM flows WHERE {window} AND "
        f"((srcaddr = {mine} AND dstaddr IN ({named})) OR "
        f'(dstaddr = {mine} AND srcaddr IN ({named}))) ORDER BY "start"'
    )
