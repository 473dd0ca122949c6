"""Suppressions of flowscan.toml: findings that are expected here, by conditions, until a time.

Invariant: a rule only silences what is active, and what a rule had silenced is active again when
none does any more; what people said stays.
"""

from __future__ import annotations

import fnmatch
import ipaddress
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from flowscan.findings import Finding

_PREFIX: Final = "flowscan.toml: "


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


def in_force(rules: Sequence[Rule], now: int) -> list[Rule]:
    """The rules that have not ended."""
    return [rule for rule in rules if rule.until is None or now < rule.until]


def concerned(table: Any, rules: Sequence[Rule]) -> Any:
    """A mask of the rows that rules in force may silence, or that a rule has silenced.

    Seen by type and status alone, so that no other column is read.
    """
    types = table["type"].unique().to_pylist()
    fits = [t for t in types if t and any(fnmatch.fnmatchcase(t, rule.type) for rule in rules)]
    status, reason = (table[name].fill_null("") for name in ("status", "status_reason"))
    expected = pc.is_in(table["type"], value_set=pa.array(fits, pa.string()))
    return pc.or_(
        pc.and_(pc.equal(status, "active"), expected),
        pc.and_(pc.equal(status, "suppressed"), pc.starts_with(reason, _PREFIX)),
    )


def apply(finding: Finding, rules: Sequence[Rule]) -> Finding:
    """Apply rules in force to a finding."""
    reason = next((r.reason for r in rules if _holds(r, finding)), None)
    if reason is not None and finding.status == "active":
        return replace(finding, status="suppressed", status_reason=_PREFIX + reason)
    by_rule = finding.status == "suppressed" and (finding.status_reason or "").startswith(_PREFIX)
    if reason is None and by_rule:
        return replace(finding, status="active", status_reason=None)
    return finding


def _holds(rule: Rule, finding: Finding) -> bool:
    if not fnmatch.fnmatchcase(finding.type, rule.type):
        return False
    names = {finding.resource, *map(str, finding.details.values())}
    if rule.resource and not any(_covers(rule.resource, name) for name in names):
        return False
    ports = {finding.evidence.get("port"), *(finding.evidence.get("ports") or ())}
    if rule.port is not None and ports - {None} != {rule.port}:
        return False
    if not rule.actor:
        return True
    actors = finding.actors
    return len(actors) > 0 and all(_covers(rule.actor, a.address) for a in actors)


def _covers(rule: str, name: str) -> bool:
    """Whether a name is the rule's id, address, or lies in its prefix."""
    if rule == name:
        return True
    try:
        return ipaddress.ip_address(name) in ipaddress.ip_network(rule, strict=False)
    except ValueError:
        return False
