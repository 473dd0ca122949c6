"""What a detection says about itself: the front matter of its query file, checked.

Invariant: a `Detection` is complete. Everything that a finding, an export or the docs need is in
its file, and a file that lacks something is refused with all that is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, cast

from flowscan import queries, schema
from flowscan.detect import candidates, words
from flowscan.detect.functions import FUNCTIONS
from flowscan.errors import QueryError
from flowscan.findings import Confidence, Role
from flowscan.text import meant

TYPE: Final = re.compile(
    r"[A-Z][A-Za-z]+:[A-Z][A-Za-z0-9]+/[A-Z][A-Za-z0-9&]*(\.[A-Za-z0-9]+)?(![A-Za-z0-9]+)?"
)
ATTACK: Final = re.compile(r"TA\d{4}:T\d{4}(\.\d{3})?")
ROW: Final = ("day", "resource", "dedup", "actor", "first_seen", "last_seen", "flows", "packets",
              "bytes")  # fmt: skip
"""Columns that every row of a detection has; `severity` is optional, the rest is evidence."""

_TEXTS: Final = ("type", "summary", "false_positives", "triage")
_KNOWN: Final = {
    *(*_TEXTS, "severity", "role", "attack", "needs", "improves", "reduced", "function"),
    *("lookback", "evidence", "references", "feeds", "geo", "direction", "judged_by", "when"),
}


@dataclass(frozen=True, slots=True)
class Detection:
    """One detection: a query whose rows are (day, resource, dedup, actor) with counts.

    `needs` are columns of flows without which it cannot run, `improves` those without which it
    runs with reduced confidence and `reduced` says what is lost; `lookback` counts the days before
    a day that its rows depend on; `feeds` is true when it reads threat feeds, `geo` when it reads
    the country and AS of addresses; `judged_by` tells which day gives the severity; `when` is what
    some contact of a day must be like for it to have rows (see `candidates`).
    """

    query: queries.Query
    type: str
    summary: str
    severity: float
    role: Role
    direction: Literal["inbound", "outbound", "internal", "unknown"]
    attack: tuple[str, ...]
    needs: tuple[str, ...]
    improves: tuple[str, ...]
    reduced: str
    function: str | None
    lookback: int
    evidence: tuple[str, ...]
    feeds: bool
    geo: bool
    judged_by: Literal["worst day", "latest day"]
    false_positives: str
    triage: str
    references: tuple[str, ...]
    when: str | None

    @property
    def id(self) -> str:
        """Id of the query file."""
        return self.query.id

    def read_from(self) -> set[str]:
        """The tables that its query, or what it says of its candidates, reads."""
        listed = {"matches"} if candidates.names_categories(self.when) else set()
        return queries.read_from(self.query.sql) | listed

    def standing(self, columns: set[str]) -> tuple[Literal["run", "reduced", "cannot"], str]:
        """How it stands on a lake whose flows have these columns, and why."""
        missing = [name for name in self.needs if name not in columns]
        if missing:
            return "cannot", f"the flows have no {', '.join(missing)}"
        missing = [name for name in self.improves if name not in columns]
        if missing:
            return "reduced", f"the flows have no {', '.join(missing)}: {self.reduced}"
        return "run", ""

    def confidence(self, columns: set[str]) -> Confidence:
        """Confidence of its findings on such a lake."""
        return "full" if self.standing(columns)[0] == "run" else "reduced"


def read(query: queries.Query) -> Detection:
    """Check the front matter of a detection.

    Raises:
        QueryError: something is missing or wrong; all problems are listed.
    """
    meta = query.meta
    problems = [f"{name} is missing" for name in _TEXTS if not isinstance(meta.get(name), str)]
    problems += [f"unknown key {name!r}" for name in sorted(set(meta) - _KNOWN)]
    if not TYPE.fullmatch(str(meta.get("type", ""))):
        problems.append("type is no ThreatPurpose:Resource/Family.Mechanism")
    severity = meta.get("severity")
    if not isinstance(severity, int | float) or not 0 < severity <= 10:
        problems.append("severity is no number from 0 to 10")
    if meta.get("role") not in ("ACTOR", "TARGET"):
        problems.append("role is neither ACTOR nor TARGET")
    if meta.get("direction", "unknown") not in ("inbound", "outbound", "internal", "unknown"):
        problems.append("direction is none of inbound, outbound, internal, unknown")
    if meta.get("judged_by", "worst day") not in ("worst day", "latest day"):
        problems.append("judged_by is neither 'worst day' nor 'latest day'")
    problems += [f"attack: {a!r}" for a in _list(meta, "attack") if not ATTACK.fullmatch(a)]
    named = (*_list(meta, "needs"), *_list(meta, "improves"))
    problems += [f"{n!r} is no field of flow logs" for n in named if n not in schema.BY_NAME]
    if meta.get("function") not in (None, *FUNCTIONS):
        problems.append(f"function {meta['function']!r} is none of {', '.join(FUNCTIONS)}")
    if _list(meta, "improves") and not meta.get("reduced"):
        problems.append("reduced does not say what is lost without these fields")
    problems += words.problems(_text(meta.get("summary")))
    problems += candidates.problems(_text(meta.get("when")), query.params)
    if problems:
        raise QueryError("; ".join(problems), where=str(query.path))
    return _detection(query, meta)


def _list(meta: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = meta.get(name, [])
    return tuple(str(item) for item in value) if isinstance(value, list) else (f"{name} no list",)


def _text(value: object) -> str:
    return " ".join(str(value or "").split())


def _detection(query: queries.Query, meta: Mapping[str, Any]) -> Detection:
    return Detection(
        query=query,
        type=str(meta["type"]),
        summary=_text(meta["summary"]),
        severity=float(meta["severity"]),
        role=cast("Role", meta["role"]),
        direction=meta.get("direction", "unknown"),
        attack=_list(meta, "attack"),
        needs=_list(meta, "needs"),
        improves=_list(meta, "improves"),
        reduced=_text(meta.get("reduced")),
        function=meta.get("function"),
        lookback=int(meta.get("lookback", 0)),
        evidence=_list(meta, "evidence"),
        feeds=bool(meta.get("feeds", False)),
        geo=bool(meta.get("geo", False)),
        judged_by=meta.get("judged_by", "worst day"),
        false_positives=_text(meta["false_positives"]),
        triage=_text(meta["triage"]),
        references=_list(meta, "references"),
        when=_text(meta.get("when")) or None,
    )


def _meant(name: str, found: Mapping[str, queries.Query]) -> str:
    """What a wrong name may have meant; GuardDuty's types and their last parts count as names."""
    types = {str(query.meta.get("type", "")).lower(): id_ for id_, query in found.items()}
    families = {type_.rpartition("/")[2]: id_ for type_, id_ in types.items()}
    exact = {**families, **types}.get(name.lower())
    if exact:
        return f"did you mean {exact}?"
    return meant(name, found, "flowscan detect --list shows all")


def catalogue(
    extra: Path | None = None, only: tuple[str, ...] = (), skip: tuple[str, ...] = ()
) -> list[Detection]:
    """All detections by id: the shipped ones and those of a user's folder, which replace them.

    Raises:
        QueryError: a file is invalid, or a name of `only` or `skip` is none.
    """
    found = {query.id: query for query in queries.catalogue("detections", extra)}
    for name in (*only, *skip):
        if name not in found:
            raise QueryError(f"there is no detection {name[:80]!r}", hint=_meant(name, found))
    chosen = [q for name, q in sorted(found.items()) if name not in skip]
    return [read(query) for query in chosen if not only or query.id in only]
