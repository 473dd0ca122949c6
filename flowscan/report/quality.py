"""Coverage and data quality: what is known of each interface, and what did not get in.

Invariant: nothing that AWS said was lost (SKIPDATA) and nothing that was refused is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from flowscan.engine import Workspace
from flowscan.lake import Lake
from flowscan.report import sql
from flowscan.report.flows import rows
from flowscan.report.model import InterfaceCoverage, Quality


def coverage(
    engine: Workspace,
    bound: Mapping[str, Any],
    top: int,
    names: Mapping[str, str],
    gateways: Collection[str],
) -> tuple[tuple[InterfaceCoverage, ...], int]:
    """The interfaces with most records, with hours, NODATA and SKIPDATA; and how many there are.

    `names` are the addresses that they go by, `gateways` those of NAT gateways.
    """
    found = rows(engine, sql.COVERAGE, {**bound, "top": top})
    processed: dict[str, int] = {}
    if any(r["interface_id"] in gateways for r in found):
        processed = {r["interface_id"]: r["bytes"] for r in rows(engine, sql.PROCESSED, bound)}
    shown = tuple(
        InterfaceCoverage(
            interface=r["interface_id"] or "",
            label=names.get(r["interface_id"] or "", ""),
            flows=r["flows"],
            bytes=r["bytes"],
            hours=r["hours"],
            silent_hours=r["span"] - r["hours"],
            nodata=r["nodata"],
            skipdata=r["skipdata"],
            first_seen=r["first_seen"],
            last_seen=r["last_seen"],
            nat=r["interface_id"] in gateways,
            processed=processed.get(r["interface_id"]),
        )
        for r in found
    )
    return shown, found[0]["interfaces"] if found else 0


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
