"""Findings of the lake as a reader meets them, and what their detections say about themselves.

Invariant: rows of the lake are data of unknown shape: a damaged JSON text or a detection that is
no longer there makes a poorer view, never an error.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from flowscan import queries
from flowscan.errors import QueryError
from flowscan.findings import severity_label
from flowscan.findings.stored import SHORT, Choice, Stored, choose
from flowscan.lake import Lake
from flowscan.net.services import protocol_name
from flowscan.report.known import Known
from flowscan.report.model import Actor, DetectionView, Evidence, FindingView, Period

SEVERITIES = ("critical", "high", "medium", "low", "informational")
MOST_ACTORS, FEW_ACTORS = 20, 8
# Past this place in the list a finding names fewer actors: 500 of them must fit a mail.
_FULL = 100
MOST_ROWS = 10
MOST_SEEN = 1000
_SHOWN = (*SHORT, "actors", "evidence", "details")


@dataclass(frozen=True, slots=True)
class Kept:
    """Findings of a period: the most severe ones, and how many there are of each severity."""

    detected: bool
    detected_at: int | None
    total: int
    shown: tuple[FindingView, ...]
    severities: Mapping[str, int]
    detections: Mapping[str, DetectionView]


Seen: TypeAlias = dict[tuple[str, int], FindingView]
"""Findings that were shown before, by id and how many actors at most; of one state of the lake."""


def read(
    lake: Lake, period: Period, most: int, known: Known, hosts: Mapping[str, str], seen: Seen
) -> Kept:
    """Findings with activity in the period, most severe first, of equals the earliest.

    Only those that are shown are read whole, and of them only those that were not seen.
    """
    inside = choose(lake, Choice(since=period.since, until=period.until))
    active = [status == "active" for status in inside.table["status"].to_pylist()]
    severities = [severity or 0.0 for severity in inside.table["severity"].to_pylist()]
    firsts = [first or 0 for first in inside.table["first_seen"].to_pylist()]
    order = sorted(range(len(inside)), key=lambda i: (not active[i], -severities[i], firsts[i]))
    counts = dict.fromkeys(SEVERITIES, 0)
    for counted, severity in zip(active, severities, strict=True):
        if counted:
            counts[severity_label(severity)] += 1
    last_run = _json(lake.get_blob("detect", "last-run"), dict).get("at")
    shown = _shown(inside.take(order[:most]), known, hosts, seen)
    return Kept(
        detected=lake.snapshot().rows("findings") > 0 or last_run is not None,
        detected_at=last_run,
        total=len(inside),
        shown=shown,
        severities=counts,
        detections=detections({f.detection for f in shown}),
    )


def _shown(
    chosen: Stored, known: Known, hosts: Mapping[str, str], seen: Seen
) -> tuple[FindingView, ...]:
    keys = [
        (str(one), MOST_ACTORS if place < _FULL else FEW_ACTORS)
        for place, one in enumerate(chosen.table["id"].to_pylist())
    ]
    if len(seen) > MOST_SEEN:
        seen.clear()
    new = [place for place, key in enumerate(keys) if key not in seen]
    for place, row in zip(new, chosen.take(new).rows(_SHOWN), strict=True):
        seen[keys[place]] = view(row, known, actors=keys[place][1])
    return tuple(replace(seen[key], host=hosts.get(seen[key].resource, "")) for key in keys)


def view(row: Mapping[str, Any], known: Known, *, actors: int = MOST_ACTORS) -> FindingView:
    """One row of the lake's findings, with at most so many actors; without its host."""
    # A sweep may have thousands of actors, of whom a few are shown.
    everyone = [a for a in _json(row.get("actors"), list) if isinstance(a, dict)]
    shown = tuple(
        replace(a, details={**known.details(a.address), **a.details})
        for a in map(_actor, everyone[:actors])
    )
    evidence = _json(row.get("evidence"), dict)
    facts, table = _evidence(evidence)
    severity = float(row["severity"] or 0)
    return FindingView(
        id=str(row["id"]),
        detection=str(row["detection"]),
        type=str(row["type"]),
        title=str(row["title"] or row["type"]),
        what=str(row.get("description") or ""),
        severity=severity,
        label=severity_label(severity),
        confidence=str(row["confidence"] or "full"),
        resource=str(row["resource"] or ""),
        host="",
        role=str(row["resource_role"] or ""),
        status=str(row["status"] or "active"),
        status_reason=row["status_reason"],
        account=row["account_id"],
        count=int(row["count"] or 0),
        bytes=sum(_whole(a.get("bytes")) for a in everyone),
        first_seen=int(row["first_seen"] or 0),
        last_seen=int(row["last_seen"] or 0),
        actors=shown,
        actors_total=int(row.get("actors_total") or len(everyone)),
        facts=(*_facts(_json(row.get("details"), dict)), *facts),
        evidence=table,
        sql=str(evidence.get("sql") or ""),
    )


def detections(names: Iterable[str]) -> dict[str, DetectionView]:
    """What the query file of each detection says about it."""
    found = {}
    for name in sorted(names):
        try:
            query = queries.load(name)
        except QueryError:
            continue
        meta = query.meta
        found[name] = DetectionView(
            id=name,
            title=query.title,
            description=query.description,
            todo=_words(meta.get("triage")),
            false_positives=_words(meta.get("false_positives")),
            reduced=_words(meta.get("reduced")),
            attack=_list(meta.get("attack")),
            references=tuple(r for r in _list(meta.get("references")) if r.startswith("https://")),
            sql=query.sql,
        )
    return found


def _json(text: object, kind: type) -> Any:
    try:
        value = json.loads(text) if isinstance(text, str | bytes) and text else kind()
    except ValueError:
        return kind()
    return value if isinstance(value, kind) else kind()


def _actor(data: Mapping[str, Any]) -> Actor:
    details = data.get("details")
    return Actor(
        address=str(data.get("address", "–")),
        flows=_whole(data.get("flows")),
        bytes=_whole(data.get("bytes")),
        first_seen=_whole(data.get("first_seen")),
        last_seen=_whole(data.get("last_seen")),
        details=dict(_facts(details)) if isinstance(details, dict) else {},
    )


def _whole(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0


# Parts of evidence and details that have a place of their own.
_ELSEWHERE = {"sql", "what", "attack", "account_id", "interface_id", "address", "judged_by"}


def _evidence(data: Mapping[str, Any]) -> tuple[tuple[tuple[str, str], ...], Evidence | None]:
    """Split evidence into single facts and the first list of rows in it."""
    table = None
    single = {}
    for name, value in data.items():
        if name in _ELSEWHERE:
            continue
        if isinstance(value, list) and value and all(isinstance(r, dict) for r in value):
            table = table or _table(value)
        else:
            single[name] = value
    return _facts(single), table


def _table(found: list[dict[str, Any]]) -> Evidence:
    columns = list(dict.fromkeys(str(name) for row in found for name in row))
    cells = tuple(tuple(text_of(c, row.get(c)) for c in columns) for row in found[:MOST_ROWS])
    return Evidence(tuple(columns), cells)


def _facts(data: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    kept = ((str(k), v) for k, v in data.items() if k not in _ELSEWHERE)
    facts = ((name.replace("_", " "), text_of(name, v)) for name, v in kept)
    return tuple((name, text) for name, text in facts if text)


_DURATIONS = {"seconds", "interval", "duration"}
_TIMES = ("first_seen", "last_seen", "start", "end", "at", "seen", "time")


def text_of(name: str, value: object) -> str:
    """A value of evidence as people read it: times, byte sizes and numbers by the field's name."""
    from flowscan.text import human_bytes, human_count, human_duration, utc

    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no"}.get(value, "") if value is not None else ""
    if isinstance(value, list):
        return ", ".join(text_of(name, v) for v in value[:30])
    if isinstance(value, dict):
        return ", ".join(f"{k}: {text_of(str(k), v)}" for k, v in list(value.items())[:30])
    if isinstance(value, int) and name.endswith(_TIMES) and 10**9 < value < 10**10:
        return utc(value)
    if isinstance(value, int | float) and "bytes" in name.split("_"):
        return human_bytes(value)
    if isinstance(value, int | float) and value >= 60 and name in _DURATIONS:
        return human_duration(round(value))
    if isinstance(value, int) and name == "protocol":
        return protocol_name(value)
    if isinstance(value, int):
        return str(value) if "port" in name or "protocol" in name else human_count(value)
    return f"{value:,.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _words(value: object) -> str:
    lines = value if isinstance(value, list) else [value or ""]
    return " ".join(" ".join(str(line).split()) for line in lines)


def _list(value: object) -> tuple[str, ...]:
    return tuple(str(v) for v in value) if isinstance(value, list) else ()
