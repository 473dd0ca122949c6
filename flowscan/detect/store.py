"""Findings in the lake: merged by replacing whole days, suppressed by rules, changed by people.

Invariant: the table `findings` has one row per id. What a detection says about a day replaces
what it said before; what people said (archived, suppressed) stays until there is news.
"""

from __future__ import annotations

import fnmatch
import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import pyarrow as pa

from flowscan.errors import UsageError
from flowscan.findings import Finding, Status, from_row, to_row, update, withdraw
from flowscan.lake import Lake
from flowscan.schema import small_schema
from flowscan.text import meant


class Rule(Protocol):
    """A suppression of flowscan.toml."""

    @property
    def reason(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def actor(self) -> str: ...
    @property
    def resource(self) -> str: ...
    @property
    def port(self) -> int | None: ...
    @property
    def until(self) -> int | None: ...


def load(lake: Lake) -> list[Finding]:
    """All findings of the lake, most severe and latest first."""
    found = [from_row(row) for row in lake.read("findings").to_pylist()]
    return sorted(found, key=lambda f: (-f.severity, -f.last_seen, f.id))


def merge(
    lake: Lake,
    fresh: Sequence[Finding],
    evaluated: Mapping[str, Iterable[int]],
    rules: Sequence[Rule],
    now: int,
) -> list[Finding]:
    """Put the findings of the `evaluated` days (by detection) into the lake.

    Gives those that are new or have changed.
    """
    days = {name: set(of) for name, of in evaluated.items()}
    news: list[Finding] = []

    def merged(known: dict[str, Finding]) -> list[Finding]:
        news.clear()
        result = _merged(known, fresh, days, now)
        result = [_suppressed(f, rules, now) for f in result]
        news.extend(f for f in result if known.get(f.id) != f)
        return result

    _rewrite(lake, merged)
    return news


def _merged(
    known: dict[str, Finding], fresh: Sequence[Finding], days: Mapping[str, set[int]], now: int
) -> list[Finding]:
    result: dict[str, Finding] = {}
    new = {f.id: f for f in fresh}
    for id_, finding in known.items():
        evaluated = days.get(finding.detection, set())
        if id_ in new:
            result[id_] = update(finding, new.pop(id_), evaluated, now)
        elif (left := withdraw(finding, evaluated, now)) is not None:
            result[id_] = left
    result |= {id_: update(None, f, (), now) for id_, f in new.items()}
    return [result[id_] for id_ in sorted(result)]


def set_status(
    lake: Lake, ids: Iterable[str], status: Status, reason: str | None, now: int
) -> list[Finding]:
    """Archive, suppress or reopen findings; ids may be shortened to a unique beginning.

    Raises:
        UsageError: an id is unknown or fits several findings.
    """
    wanted = list(ids)
    changed: list[Finding] = []

    def apply(known: dict[str, Finding]) -> list[Finding]:
        changed.clear()
        chosen = {pick(known, text) for text in wanted}
        result = []
        for id_, finding in known.items():
            if id_ in chosen:
                new = replace(finding, status=status, status_reason=reason, updated=now)
                changed.append(new)
                result.append(new)
            else:
                result.append(finding)
        return result

    _rewrite(lake, apply)
    return changed


def pick(known: Iterable[str], text: str) -> str:
    """The one id that begins with `text`.

    Raises:
        UsageError: none or several do.
    """
    ids = list(known)
    fits = [id_ for id_ in ids if id_.startswith(text.lower())]
    if len(fits) == 1:
        return fits[0]
    if fits:
        some = ", ".join(id_[:10] for id_ in fits[:4])
        hint = some + (", …" if len(fits) > 4 else "")
        raise UsageError(f"{len(fits)} findings begin with {text[:40]!r}", hint=hint)
    shown = meant(text[:10], [id_[:10] for id_ in ids], "flowscan findings list shows the ids")
    raise UsageError(f"there is no finding {text[:40]!r}", hint=shown)


def _rewrite(lake: Lake, change: Callable[[dict[str, Finding]], list[Finding]]) -> None:
    """Replace the table, unless the change leaves everything as it is."""
    before = {f.id: f for f in map(from_row, lake.read("findings").to_pylist())}
    if change(dict(before)) == list(before.values()):
        return

    def table(old: Any) -> Any:
        known = {f.id: f for f in map(from_row, old.to_pylist())}
        rows = [to_row(f) for f in change(known)]
        return pa.Table.from_pylist(rows, schema=small_schema("findings"))

    lake.replace("findings", table)


def _suppressed(finding: Finding, rules: Sequence[Rule], now: int) -> Finding:
    """Apply the rules; a finding that a rule had suppressed and none does any more is active."""
    reason = next((r.reason for r in rules if _holds(r, finding, now)), None)
    prefix = "flowscan.toml: "
    if reason is not None and finding.status == "active":
        return replace(finding, status="suppressed", status_reason=prefix + reason)
    by_rule = finding.status == "suppressed" and (finding.status_reason or "").startswith(prefix)
    if reason is None and by_rule:
        return replace(finding, status="active", status_reason=None)
    return finding


def _holds(rule: Rule, finding: Finding, now: int) -> bool:
    if rule.until is not None and now >= rule.until:
        return False
    if not fnmatch.fnmatchcase(finding.type, rule.type):
        return False
    names = {finding.resource, *map(str, finding.details.values())}
    if rule.resource and not any(_covers(rule.resource, name) for name in names):
        return False
    actors = finding.actors
    if rule.actor and not (actors and all(_covers(rule.actor, a.address) for a in actors)):
        return False
    ports = {finding.evidence.get("port"), *(finding.evidence.get("ports") or ())}
    return rule.port is None or ports - {None} == {rule.port}


def _covers(rule: str, name: str) -> bool:
    """Whether a name is the rule's id, address, or lies in its prefix."""
    if rule == name:
        return True
    try:
        return ipaddress.ip_address(name) in ipaddress.ip_network(rule, strict=False)
    except ValueError:
        return False
