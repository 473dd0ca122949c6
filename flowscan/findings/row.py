"""Findings as rows of the lake's table `findings`; actors, evidence and days are JSON texts.

Invariant: a finding survives the way into the table and back, and the actors of a day are not
read on it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from flowscan.findings.actors import Actors, Counts, json_text
from flowscan.findings.model import Confidence, Day, Finding, Role, Status

_DECODER = json.JSONDecoder()
_ACTORS, _TOTAL = '{"actors":', ',"actors_total":'


def to_row(finding: Finding) -> dict[str, Any]:
    """The row of a finding."""
    actors, total = finding.named
    return {
        "id": finding.id,
        "detection": finding.detection,
        "type": finding.type,
        "title": finding.title,
        "description": finding.description,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "account_id": finding.account_id,
        "region": finding.region,
        "resource": finding.resource,
        "resource_role": finding.resource_role,
        "dedup_key": finding.dedup_key,
        "count": finding.count,
        "first_seen": finding.first_seen,
        "last_seen": finding.last_seen,
        "status": finding.status,
        "status_reason": finding.status_reason,
        "created": finding.created,
        "updated": finding.updated,
        "actors": actors.text,
        "actors_total": total,
        "evidence": json_text(finding.evidence),
        "details": json_text(finding.details),
        "days": f"[{','.join(map(_day_text, finding.days))}]",
    }


def from_row(row: Mapping[str, Any]) -> Finding:
    """The finding of a row that `to_row` made."""
    return Finding(
        id=row["id"],
        detection=row["detection"],
        type=row["type"],
        title=row["title"],
        description=row["description"] or "",
        resource=row["resource"],
        resource_role=cast("Role", row["resource_role"]),
        dedup_key=row["dedup_key"],
        confidence=cast("Confidence", row["confidence"]),
        account_id=row["account_id"],
        region=row["region"],
        details=json.loads(row["details"]),
        days=tuple(_days(row["days"])),
        created=row["created"],
        updated=row["updated"],
        status=cast("Status", row["status"]),
        status_reason=row["status_reason"],
        merged=(Actors(row["actors"], distinct=True), row["actors_total"]),
    )


def _day_text(day: Day) -> str:
    rest = {
        "actors_total": day.actors_total,
        "day": day.day,
        **day.counts.members(),
        "severity": day.severity,
        "evidence": dict(day.evidence),
    }
    return f"{_ACTORS}{Actors.of(day.actors).text},{json_text(rest)[1:]}"


def _days(text: str) -> Iterator[Day]:
    """Read the days of a text of `to_row`, but for the lists of actors, which stand first.

    Where a list ends is seen without reading it: inside a JSON string no quote is bare, so that
    the next member cannot be part of a name in it.
    """
    at = 1
    while text.startswith(_ACTORS, at):
        begin = at + len(_ACTORS)
        end = text.index(_TOTAL, begin)
        rest, used = _DECODER.raw_decode("{" + text[end + 1 :])
        yield Day(
            day=rest["day"],
            counts=Counts.of(rest),
            severity=rest["severity"],
            actors=Actors(text[begin:end]),
            actors_total=rest["actors_total"],
            evidence=rest["evidence"],
        )
        at = end + used + 1
    if at != len(text):
        raise ValueError("the days of a finding are damaged")
