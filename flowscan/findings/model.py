"""A finding and its UTC days, and how what was evaluated again changes it.

Invariants: the id of a finding depends only on its type, resource and dedup key; its numbers are
the sum over its UTC days, and each day is replaced as a whole, so detecting the same flows twice
changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from flowscan.findings.actors import Actor, Actors, Counts
from flowscan.findings.merging import merged

Status = Literal["active", "archived", "suppressed"]
Role = Literal["ACTOR", "TARGET"]
Confidence = Literal["full", "reduced"]

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
class Day:
    """One UTC day of a finding, recomputed as a whole.

    Totals are over all actors, of which at most `MAX_ACTORS` are named; `severity` and `evidence`
    are those of the day.
    """

    day: int
    counts: Counts
    severity: float
    actors: Sequence[Actor]
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
    merged: tuple[Actors, int] | None = field(default=None, compare=False, repr=False)
    """The actors of all days and their number where somebody has merged them, as the table has."""

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
    def named(self) -> tuple[Actors, int]:
        """The most active actors of all days, and how many different ones there are.

        Of days that name only some, the number is at least that of the largest.
        """
        (one,) = with_actors([self])
        assert one.merged is not None
        return one.merged

    @property
    def actors(self) -> Actors:
        """All actors of all days with their own counts, most active first."""
        return self.named[0]

    @property
    def actors_total(self) -> int:
        """Number of distinct actors; of days that name only some, at least the largest."""
        return self.named[1]

    @property
    def evidence(self) -> Mapping[str, Any]:
        """Evidence of the most severe day, the latest of those."""
        return max(self.days, key=lambda day: (day.severity, day.day)).evidence


def with_actors(findings: Iterable[Finding]) -> list[Finding]:
    """The findings with `merged`; at once, since each alone costs almost as much as all."""
    result = list(findings)
    due = []
    for at, one in enumerate(result):
        first = Actors.of(one.days[0].actors)
        if one.merged is None and len(one.days) == 1 and first.distinct:
            result[at] = replace(one, merged=(first, one.days[0].actors_total))
        elif one.merged is None:
            due.append(at)
    lists = merged([[day.actors for day in result[at].days] for at in due]) if due else []
    for at, (actors, total) in zip(due, lists, strict=True):
        most = max(total, *(day.actors_total for day in result[at].days))
        result[at] = replace(result[at], merged=(actors, most))
    return result


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
    result = replace(latest, days=merged, merged=None, created=known.created, updated=known.updated)
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
    return replace(known, days=kept, merged=None, updated=now) if kept else None
