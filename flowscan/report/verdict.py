"""The verdict: one sentence for the reader who reads only one.

Invariant: it claims nothing that a section below does not show, and says when nobody looked.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from flowscan.report.listed import Matched
from flowscan.report.model import FindingView, Period, Report
from flowscan.text import human_count, utc


@dataclass(frozen=True, slots=True)
class Verdict:
    """The sentence, what was seen, the counts, and a level: a severity, ok or unknown."""

    sentence: str
    detail: str
    tally: str
    level: str


def verdict(report: Report) -> Verdict:
    """Judge a report by its findings, then its matches, then by whether anybody looked."""
    if report.is_empty:
        return _empty(report.known)
    passed = _passed(report.matched)
    active = [f for f in report.findings if f.status == "active"]
    if not active:
        return _quiet(report, passed)
    counts = [(label, n) for label, n in report.severities.items() if n]
    gravest, about = _subject(active)
    tally = f"{_counted(counts)}{about}."
    if passed:
        tally += f" {passed}"
    where = gravest.host or gravest.resource
    title = gravest.title.rstrip(".")
    sentence = f"{title}." if where in title + gravest.what else f"{where}: {title}."
    return Verdict(sentence, gravest.what, tally, counts[0][0])


def _empty(known: Period | None) -> Verdict:
    if known is None:
        return Verdict("There are no flows in this lake yet.", "", "", "unknown")
    held = f"The lake has flows from {utc(known.since)} to {utc(known.until - 1)}."
    return Verdict("There are no flows in this period.", held, "", "unknown")


def _quiet(report: Report, passed: str) -> Verdict:
    totals = report.overview.totals
    part = totals.rejected / totals.flows
    share = f"{part:.0%} of {human_count(totals.flows)} records were refused."
    if passed:
        return Verdict(passed, "", share, "medium")
    if not report.detected:
        return Verdict("No detection has run yet.", "Run: flowscan detect", share, "unknown")
    return Verdict("Nothing stands out: there are no findings.", "", share, "ok")


def _passed(matched: Matched) -> str:
    if not matched.passed:
        return ""
    named = f"{matched.passed} listed address{'es' if matched.passed != 1 else ''}"
    unclear = f"; of {matched.undecided} it is undecided who called" if matched.undecided else ""
    return f"Traffic with {named} got through{unclear}."


def _counted(counts: list[tuple[str, int]]) -> str:
    head = [f"{n} {label}" for label, n in counts[:2]]
    rest = sum(n for _, n in counts[2:])
    parts = [*head, f"{rest} lesser"] if rest else head
    total = sum(n for _, n in counts)
    joined = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"{joined} finding{'s' if total != 1 else ''}"


def _subject(active: list[FindingView]) -> tuple[FindingView, str]:
    """The gravest finding of the resource that most of the weight falls on, and its share."""
    weight: Counter[str] = Counter()
    for f in active:
        weight[f.host or f.resource] += round(f.severity**2 * 10)
    resource = max(weight, key=lambda r: (weight[r], r))
    mine = [f for f in active if (f.host or f.resource) == resource]
    # Of equals the earliest: it is where the story begins.
    gravest = min(mine, key=lambda f: (-f.severity, f.first_seen))
    if len(mine) == len(active) or len(mine) == 1:
        return gravest, ""
    return gravest, f", {len(mine)} of them about {resource}"
