"""Rows of a detection to findings: grouped by resource and dedup key, bounded, put into words.

Invariant: a finding keeps at most `MAX_ACTORS` actors of a day by name, and its totals count all
of them; a detection raises at most `MAX_FINDINGS`, the most severe ones, and says how many it
left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from flowscan import queries
from flowscan.detect.shape import Group, Hosts, groups, plain
from flowscan.detect.spec import ROW, Detection
from flowscan.detect.trusted import Trusted
from flowscan.detect.words import sentence
from flowscan.findings import DAY, MAX_ACTORS, Actors, Confidence, Counts, Day, Finding

MAX_FINDINGS: Final = 1000
__all__ = ["MAX_FINDINGS", "Hosts", "bounded", "chosen", "findings"]
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


def chosen(table: Any, days: Iterable[int], trusted: Trusted) -> Any:
    """The rows of these days whose actor is not trusted."""
    mask = pc.is_in(table["day"].cast(pa.int64()), value_set=pa.array(sorted(days), pa.int64()))
    if trusted.networks:
        actors = table["actor"].cast(pa.string())
        known = [a for a in actors.unique().to_pylist() if trusted.holds(a)]
        accused = pc.invert(pc.is_in(actors, value_set=pa.array(known, pa.string())))
        mask = pc.and_(mask, accused)
    return table.filter(mask)


def findings(
    detection: Detection, table: Any, hosts: Hosts, confidence: Confidence, now: int
) -> tuple[list[Finding], int]:
    """Findings of a detection's rows, most severe first, and how many the bound left out."""
    if table.num_rows == 0:
        return [], 0
    made, left = groups(detection, table, hosts, MAX_FINDINGS)
    wanted = [at for group in made for day in group.days for at in day["rows"]]
    samples = dict(zip(wanted, table.take(pa.array(wanted)).to_pylist(), strict=True))
    places = [group.host for group in made if group.host is not None]
    found = hosts.table.take(pa.array(places, pa.int64())).to_pylist()
    known: dict[int | None, dict[str, Any]] = dict(zip(places, found, strict=True))
    return [
        _finding(detection, group, samples, known.get(group.host, {}), confidence, now)
        for group in made
    ], left


def _finding(
    detection: Detection,
    group: Group,
    samples: Mapping[int, dict[str, Any]],
    host: Mapping[str, Any],
    confidence: Confidence,
    now: int,
) -> Finding:
    days = tuple(_day(detection, day, [samples[at] for at in day["rows"]]) for day in group.days)
    top, address = samples[group.days[-1]["rows"][0]], group.days[-1]["address"]
    details = {
        "address": address,
        **{k: v for k, v in host.items() if v is not None and k not in ("day", "address")},
        "direction": top.get("direction") or detection.direction,
        "attack": list(detection.attack),
        "judged_by": detection.judged_by,
    }
    return Finding(
        id=group.id,
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


def _day(detection: Detection, day: Mapping[str, Any], rows: list[dict[str, Any]]) -> Day:
    rows = [{**row, "resource": day["address"]} for row in rows]
    return Day(
        day=day["day"],
        counts=Counts.of(day),
        severity=day["severity"],
        actors=Actors(day["actors"] or "[]", distinct=day["distinct"] is not False),
        actors_total=day["actors_total"],
        evidence=_evidence(detection, day, rows),
    )


def _evidence(
    detection: Detection, day: Mapping[str, Any], rows: list[dict[str, Any]]
) -> dict[str, Any]:
    """Numbers of the most severe row, sample rows, and the SQL that shows all rows."""
    top = rows[0]
    names = detection.evidence or tuple(n for n in top if n not in _OWN)
    facts = {n: plain(top[n]) for n in names if top.get(n) is not None}
    samples = [
        {"actor": r["actor"], **{n: plain(r[n]) for n in names if r.get(n) is not None},
         "flows": int(r["flows"]), "bytes": int(r["bytes"] or 0)}
        for r in rows
    ]  # fmt: skip
    return {
        "what": _words(detection, top, day["said"]),
        **facts,
        "samples": samples,
        "sql": _sql(day["day"], day["address"], day["named"]),
    }


def _words(detection: Detection, top: Mapping[str, Any], actors: int) -> str:
    try:
        return sentence(detection.summary, top, actors=actors)
    except (KeyError, ValueError):
        return detection.query.title


def _sql(day: int, resource: str, actors: Sequence[object]) -> str:
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
