"""Coverage and data quality: what is known of each interface, and what did not get in.

Invariant: nothing that AWS said was lost (SKIPDATA) and nothing that was refused is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowscan.engine import Workspace
from flowscan.lake import Lake
from flowscan.report import sql
from flowscan.report.flows import rows
from flowscan.report.model import InterfaceCoverage, Quality


def coverage(
    engine: Workspace, bound: Mapping[str, Any], names: Mapping[str, str]
) -> tuple[InterfaceCoverage, ...]:
    """One row per interface: flows, silent hours, NODATA and SKIPDATA records."""
    return tuple(
        InterfaceCoverage(
            interface=r["interface_id"] or "",
            label=names.get(r["interface_id"] or "", ""),
            flows=r["flows"],
            bytes=r["bytes"] or 0,
            hours=r["hours"],
            silent_hours=r["span"] - r["hours"],
            nodata=r["nodata"],
            skipdata=r["skipdata"],
            first_seen=r["first_seen"],
            last_seen=r["last_seen"],
        )
        for r in rows(engine, sql.COVERAGE, bound)
    )


def quality(lake: Lake, engine: Workspace) -> Quality:
    """Totals of the whole lake: records = flows + nodata + skipdata + rejects."""
    totals = lake.state().totals
    return Quality(
        records=totals.records,
        flows=totals.flows,
        nodata=totals.nodata,
        skipdata=totals.skipdata,
        rejects=totals.rejects,
        sources=totals.sources,
        refused_sources=totals.refused,
        reasons=tuple((r["reason"] or "–", r["n"]) for r in rows(engine, sql.REASONS, {})),
    )
