"""Findings: what a detection raises, one value that is stored, shown and exported.

Invariants: the id of a finding depends only on its type, resource and dedup key; its numbers are
the sum over its UTC days, and each day is replaced as a whole, so detecting the same flows twice
changes nothing. This module is pure: it knows neither the lake nor the engine.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

Status = Literal["active", "archived", "suppressed"]
Role = Literal["ACTOR", "TARGET"]
Confidence = Literal["full", "reduced"]

MAX_ACTORS = 1000
"""Actors kept per finding; the totals count all of them."""

MAX_SAMPLES = 5
"""Evidence rows kept per finding."""

DAY = 86_400


def severity_label(severity: float) -> str:
    """GuardDuty's band of a severity from 0 to 10: informational, low, medium, high, critical."""
    bands = ((9.0, "critical"), (7.0, "high"), (4.0, "medium"), (1.0, "low"))
    return next((label for floor, label in bands if severity >= floor), "informational")


def finding_id(type_: str, resource: str, dedup_key: str) -> str:
    """Stable id: 32 hexadecimal digits of SHA-256 over type, resource and dedup key."""
    text = f"{type_}\x1f{resource}\x1f{dedup_key}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Counts:
    """What was seen: times in epoch seconds, flows are sessions (connections), not records."""

    first_seen: int
    last_seen: int
    flows: int
    packets: int
    bytes: int

    def __add__(self, other: Counts) -> Counts:
        """Both together: the earliest and latest time, the sums of the numbers."""
        return Counts(
            min(self.first_seen, other.first_seen),
            max(self.last_seen, other.last_seen),
            self.flows + other.flows,
            self.packets + other.packets,
            self.bytes + other.bytes,
        )


@dataclass(frozen=True, slots=True)
class Actor:
    """The other side of a finding with its own counts, and what a feed says about it."""

    address: str
    counts: Counts
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Day:
    """One UTC day of a finding, recomputed as a whole.

    Totals are over all actors, of which at most `MAX_ACTORS` are named; `severity` and `evidence`
    are those of the day.
    """

    day: int
    counts: Counts
    severity: float
    actors: tuple[Actor, ...]
    actors_total: int
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """A detection's statement about a resource, with the numbers of every UTC day.

    `resource` is the interface, instance or address that the finding is about, `details` what is
    known of it; `count` is the number of sessions that the finding rests on.
    """

    id: str
    detection: str
    type: str
    title: str
    description: str
    resource: str
    resource_role: Role
    dedup_key: str
    confidence: Confidence
    account_id: str | None
    region: str | None
    details: Mapping[str, Any]
    days: tuple[Day, ...]
    created: int
    updated: int
    status: Status = "active"
    status_reason: str | None = None

    @property
    def severity(self) -> float:
        """The highest severity of its days, or that of the latest day.

        The latest day counts where later days explain earlier ones, as a second and third night
        explain a backup (`details["judged_by"]`).
        """
        if self.details.get("judged_by") == "latest day":
            return self.days[-1].severity
        return max(day.severity for day in self.days)

    @property
    def counts(self) -> Counts:
        """Totals over all days and actors."""
        total = self.days[0].counts
        for day in self.days[1:]:
            total = total + day.counts
        return total

    @property
    def count(self) -> int:
        """Number of sessions that the finding rests on."""
        return self.counts.flows

    @property
    def first_seen(self) -> int:
        """Epoch seconds of the first session."""
        return self.counts.first_seen

    @property
    def last_seen(self) -> int:
        """Epoch seconds of the last activity."""
        return self.counts.last_seen

    @property
    def actors(self) -> tuple[Actor, ...]:
        """All actors of all days with their own counts, most active first."""
        merged: dict[str, Actor] = {}
        for day in self.days:
            for actor in day.actors:
                known = merged.get(actor.address)
                merged[actor.address] = (
                    Actor(actor.address, known.counts + actor.counts, actor.details)
                    if known
                    else actor
                )
        order = sorted(merged.values(), key=lambda a: (-a.counts.flows, a.address))
        return tuple(order[:MAX_ACTORS])

    @property
    def actors_total(self) -> int:
        """Number of distinct actors; of days that named only some, at least the largest."""
        named = {a.address for day in self.days for a in day.actors}
        return max(len(named), *(day.actors_total for day in self.days))

    @property
    def evidence(self) -> Mapping[str, Any]:
        """Evidence of the most severe day, the latest of those."""
        return max(self.days, key=lambda day: (day.severity, day.day)).evidence


def update(known: Finding | None, fresh: Finding, days: Iterable[int], now: int) -> Finding:
    """Replace in `known` the evaluated `days` by those of `fresh`.

    An archived finding with activity later than it had becomes active again, as in GuardDuty.
    """
    if known is None:
        return replace(fresh, created=now, updated=now)
    evaluated = set(days)
    kept = tuple(d for d in known.days if d.day not in evaluated)
    merged = tuple(sorted((*kept, *fresh.days), key=lambda d: d.day))
    # What is said in words follows the latest day, whichever day was evaluated last.
    latest = fresh if fresh.days[-1].day >= merged[-1].day else known
    result = replace(latest, days=merged, created=known.created, updated=known.updated)
    result = replace(result, status=known.status, status_reason=known.status_reason)
    if result.last_seen > known.last_seen and known.status == "archived":
        result = replace(result, status="active", status_reason=None)
    return replace(result, updated=now) if result != known else known


def withdraw(known: Finding, days: Iterable[int], now: int) -> Finding | None:
    """Take the evaluated `days` away, on which the detection no longer finds it.

    Gives None when nothing is left of the finding.
    """
    evaluated = set(days)
    kept = tuple(d for d in known.days if d.day not in evaluated)
    if len(kept) == len(known.days):
        return known
    return replace(known, days=kept, updated=now) if kept else None


def to_row(finding: Finding) -> dict[str, Any]:
    """The row of the lake table `findings`; actors, evidence and days are JSON texts."""
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
        "actors": _json([_actor(a) for a in finding.actors]),
        "actors_total": finding.actors_total,
        "evidence": _json(finding.evidence),
        "details": _json(finding.details),
        "days": _json([_day(d) for d in finding.days]),
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
        days=tuple(_read_day(d) for d in json.loads(row["days"])),
        created=row["created"],
        updated=row["updated"],
        status=cast("Status", row["status"]),
        status_reason=row["status_reason"],
    )


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, allow_nan=False)


def _numbers(counts: Counts) -> dict[str, int]:
    # Not dataclasses.asdict, which copies deeply: there are thousands of actors.
    return {name: getattr(counts, name) for name in Counts.__slots__}


def _actor(actor: Actor) -> dict[str, Any]:
    details = {"details": dict(actor.details)} if actor.details else {}
    return {"address": actor.address, **_numbers(actor.counts), **details}


def _day(day: Day) -> dict[str, Any]:
    return {
        "day": day.day,
        **_numbers(day.counts),
        "severity": day.severity,
        "actors": [_actor(a) for a in day.actors],
        "actors_total": day.actors_total,
        "evidence": dict(day.evidence),
    }


def _counts(data: Mapping[str, Any]) -> Counts:
    names = ("first_seen", "last_seen", "flows", "packets", "bytes")
    return Counts(*(int(data[name]) for name in names))


def _read_day(data: Mapping[str, Any]) -> Day:
    actors = tuple(Actor(a["address"], _counts(a), a.get("details", {})) for a in data["actors"])
    return Day(
        day=data["day"],
        counts=_counts(data),
        severity=data["severity"],
        actors=actors,
        actors_total=data["actors_total"],
        evidence=data["evidence"],
    )
