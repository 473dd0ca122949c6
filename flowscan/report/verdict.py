"""The verdict: one sentence for the reader who reads only one.

Invariant: it claims nothing that a section below does not show, and says when nobody looked.
"""

from __future__ import annotations

from collections import Counter

from flowscan.report.model import FindingView, Report
from flowscan.text import human_count


def verdict(report: Report) -> tuple[str, str]:
    """The sentence, and its level: critical, high, medium, low, ok or unknown."""
    if report.is_empty:
        return "There are no flows in this period, so there is nothing to judge.", "unknown"
    passed = sum(1 for m in report.matches if m.accepted)
    active = [f for f in report.findings if f.status == "active"]
    if not active:
        return _quiet(report, passed)
    counts = [(label, n) for label, n in report.severities.items() if n]
    worst = counts[0][0]
    text = f"{_counted(counts)}. {_subject(active)}"
    if passed:
        text += f" {_addresses(passed)} got through."
    return text, "low" if worst == "informational" else worst


def _quiet(report: Report, passed: int) -> tuple[str, str]:
    totals = report.overview.totals
    share = (
        f"{totals.rejected / totals.flows:.0%} of {human_count(totals.flows)} flows were refused"
    )
    if passed:
        return f"{_addresses(passed)} got through; {share}.", "medium"
    if not report.detected:
        return f"No detection has run yet; {share}.", "unknown"
    return f"Nothing stands out: no findings, and {share}.", "ok"


def _addresses(count: int) -> str:
    return f"Traffic with {count} listed address{'es' if count != 1 else ''}"


def _counted(counts: list[tuple[str, int]]) -> str:
    head = [f"{n} {label}" for label, n in counts[:2]]
    rest = sum(n for _, n in counts[2:])
    parts = [*head, f"{rest} lesser"] if rest else head
    total = sum(n for _, n in counts)
    joined = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"{joined} finding{'s' if total != 1 else ''}"


def _subject(active: list[FindingView]) -> str:
    """Name the resource that most of the weight falls on, and its gravest finding."""
    weight: Counter[str] = Counter()
    for f in active:
        weight[f.resource] += round(f.severity**2 * 10)
    resource = max(weight, key=lambda r: (weight[r], r))
    mine = [f for f in active if f.resource == resource]
    gravest = max(mine, key=lambda f: (f.severity, f.last_seen))
    if len(mine) == len(active) or len(mine) == 1:
        return f"Look at {resource} first: {gravest.title}."
    return f"Look at {resource} first, which {len(mine)} of them are about: {gravest.title}."
