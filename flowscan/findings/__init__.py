"""Findings: what a detection raises, one value that is stored, shown and exported.

actors (who was on the other side) → merging (over days) → model (days and numbers) → row (as
the lake keeps them).
Invariant: nothing here knows the engine, and only `stored` the lake, so it is not imported here.
"""

from __future__ import annotations

from flowscan.findings.actors import MAX_ACTORS, Actor, Actors, Counts, json_text
from flowscan.findings.model import (
    DAY,
    MAX_SAMPLES,
    Confidence,
    Day,
    Finding,
    Role,
    Status,
    finding_id,
    severity_label,
    update,
    with_actors,
    withdraw,
)
from flowscan.findings.row import from_row, to_row

__all__ = [
    "DAY",
    "MAX_ACTORS",
    "MAX_SAMPLES",
    "Actor",
    "Actors",
    "Confidence",
    "Counts",
    "Day",
    "Finding",
    "Role",
    "Status",
    "finding_id",
    "from_row",
    "json_text",
    "severity_label",
    "to_row",
    "update",
    "with_actors",
    "withdraw",
]
