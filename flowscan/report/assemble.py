"""Makes a report: the tables of traffic of a period folded once, every section asked of that.

Invariant: findings and matches are read from the lake as detect and match left them, never
recomputed; the cost is that of a few columnar scans. Only the period and the one before are read.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flowscan import __version__
from flowscan.engine import Opener, Workspace
from flowscan.enrich import Geo
from flowscan.lake import Lake
from flowscan.report import findings, flows, ground, quality, sql
from flowscan.report.ground import DAY, HOUR, Window
from flowscan.report.known import Known
from flowscan.report.model import Left, Overview, Period, Report, Totals, Undecided
from flowscan.report.verdict import verdict

DEFAULT_DAYS = 7
_STEPS = (HOUR, 3 * HOUR, 6 * HOUR, DAY, 7 * DAY)
_MOST_BUCKETS = 110


@dataclass(frozen=True, slots=True)
class Options:
    """How much a report shows, the MMDB files that countries come from, if any, and the engine.

    `opener` gives the engine to run on, DuckDB on this machine if None.
    """

    top: int = 20
    findings: int = 500
    geo: Geo | None = None
    opener: Opener | None = None


def build(
    lake: Lake,
    since: int | None = None,
    until: int | None = None,
    *,
    now: int | None = None,
    options: Options | None = None,
) -> Report:
    """Make the report of `since <= start < until` (epoch seconds), rounded out to whole hours.

    Without `until` it ends with the last flow, without `since` it begins with the first one, at
    most seven days before the end. Tables of traffic that are not current are made so first.

    Raises:
        EngineError: the flows cannot be read.
    """
    made = int(time.time()) if now is None else now
    chosen = options or Options()
    span = spanned(lake, since, until, made)
    with ground.opened(lake, Window.of(span.period), chosen.opener) as engine:
        return on(engine, lake, span, made, chosen, {})


@dataclass(frozen=True, slots=True)
class Span:
    """The period of a report, the one that was asked for, and what the lake has, if anything."""

    period: Period
    asked: Period
    held: Period | None


def spanned(lake: Lake, since: int | None, until: int | None, now: int) -> Span:
    """The period of a report that is asked for, in whole hours, as bytes are kept."""
    files = lake.snapshot().files("flows")
    firsts = [f.min_start for f in files if f.min_start is not None]
    lasts = [f.max_start for f in files if f.max_start is not None]
    first, last = min(firsts, default=now - DAY), max(lasts, default=now)
    # Whole minutes, so that a period of a day and a half reads as one.
    end = until if until is not None else -(-(last + 1) // 3600) * 3600
    begin = since if since is not None else max(first - first % 3600, end - DEFAULT_DAYS * DAY)
    held = Period(first, last + 1) if firsts and lasts else None
    asked = Period(min(begin, end - 1), end)
    whole = Period(asked.since - asked.since % HOUR, -(-asked.until // HOUR) * HOUR)
    return Span(whole, asked, held)


def on(
    engine: Workspace, lake: Lake, span: Span, now: int, options: Options, seen: findings.Seen
) -> Report:
    """The report of a period, from a ground that holds it; `now` is when it is made.

    `seen` are findings of earlier reports of the same state of the lake, to which it adds.

    Raises:
        EngineError: the flows cannot be read.
    """
    period, held = span.period, span.held
    known = Known(options.geo)
    step = _step(period)
    bound = ground.bounds(period, held) | {"step": step}
    ground.fold(engine, bound)
    overview = _overview(engine, bound, period, held.since if held else now - DAY)
    hosts, gateways = flows.hosts(engine)
    matched = flows.matches(engine, bound)
    kept = findings.read(lake, period, options.findings, known, hosts, seen)
    exposed = flows.exposure(engine)
    coverage, interfaces = quality.coverage(engine, bound, options.top, hosts, gateways)
    groups, links = flows.matrix(engine)
    report = Report(
        lake=lake.store.where,
        made=now,
        version=__version__,
        verdict="",
        detail="",
        tally="",
        verdict_level="unknown",
        overview=replace(overview, asked=span.asked if span.asked != period else None),
        timeline=flows.timeline(engine, bound, period, step),
        heat=flows.heat(engine, bound),
        rejected_ports=flows.rejected_ports(engine, bound, options.top),
        rejected_sources=flows.rejected_sources(engine, options.top, known),
        talkers=flows.talkers(engine, known, options.top),
        exposure=exposed[: options.top],
        probed=flows.rows(engine, sql.PROBED, {})[0]["probed"],
        groups=groups,
        links=links,
        countries=flows.countries(engine, known),
        feeds=len(set(lake.read("indicators").column("feed").to_pylist())),
        matched=flows.matched(matched),
        matches=matched[: 2 * options.top],
        detected=kept.detected,
        detected_at=kept.detected_at,
        findings=kept.shown,
        severities=kept.severities,
        detections=kept.detections,
        coverage=coverage,
        quality=quality.quality(lake, engine),
        left=Left(
            interfaces=interfaces - len(coverage),
            exposure=max(0, len(exposed) - options.top),
            matches=max(0, len(matched) - 2 * options.top),
            findings=kept.total - len(kept.shown),
        ),
        known=held,
    )
    said = verdict(report)
    return replace(
        report,
        verdict=said.sentence,
        detail=said.detail,
        tally=said.tally,
        verdict_level=said.level,
    )


def _step(period: Period) -> int:
    return next((s for s in _STEPS if period.seconds <= s * _MOST_BUCKETS), _STEPS[-1])


def _overview(engine: Workspace, bound: Mapping[str, Any], period: Period, first: int) -> Overview:
    by_period = flows.totals(engine, bound)
    parties = flows.rows(engine, sql.PARTIES, bound)[0]
    internet = flows.rows(engine, sql.INTERNET, bound)[0]
    unclear = flows.rows(engine, sql.UNDECIDED, bound)[0]
    # Comparing with a period that the lake covers only in part would show growth that is none.
    whole = first <= period.before.since + period.seconds // 10
    return Overview(
        period=period,
        totals=by_period.get(True, Totals()),
        previous=by_period.get(False) if whole else None,
        local_addresses=parties["local_addresses"],
        public_addresses=parties["public_addresses"],
        bytes_in=internet["bytes_in"],
        bytes_out=internet["bytes_out"],
        undecided=Undecided(unclear["sessions"], unclear["bytes"]),
    )
