"""The charts of the HTML report, as Vega-Lite specs made with Altair.

Each function gives the spec of one chart at a width in pixels; the page shows a wide and a narrow
rendering of each. Invariant: every mark says its numbers in words, and
no chart tells by colour alone what its shape, position or text does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import altair as alt

from flowscan.net.services import port_label
from flowscan.report.model import Bucket, FindingView, Report
from flowscan.report.svg import COLOR, say
from flowscan.text import human_bytes, human_count, utc

Spec = dict[str, Any]
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SHAPES = {
    "critical": "diamond",
    "high": "triangle-up",
    "medium": "circle",
    "low": "square",
    "informational": "cross",
}
# 1k, 2G; and a plain zero, which Vega would write 0k.
_BRIEF: dict[str, Any] = {"format": "~s", "labelExpr": "datum.value === 0 ? '0' : datum.label"}
_FONT = "system-ui, sans-serif"
# Readers' fonts are wider than the one that Vega measures with; cut labels would be the price.
PADDING = {"left": 26, "right": 12, "top": 4, "bottom": 4}


def timeline(report: Report, width: int) -> Spec:
    """Flows per step, accepted and refused stacked, findings above; accepted bytes below."""
    buckets = report.timeline.buckets
    step = report.timeline.step
    bare = alt.Axis(labels=False, ticks=False, grid=False)
    labelled = alt.Axis(
        tickCount=3 if width < 600 else 10,
        format=_time_format(buckets),
        labelOverlap=True,
        labelSeparation=14,
        grid=False,
    )
    color = alt.Color(
        "action:N",
        scale=alt.Scale(
            domain=["accepted", "refused"], range=[COLOR["accepted"], COLOR["rejected"]]
        ),
        # The page has the legend, whose entries switch the series on and off.
        legend=None,
    )
    flows = (
        alt.Chart({"values": _flow_rows(buckets, step)})
        .mark_rect()
        .encode(
            x=_time(buckets, step, bare),
            x2="u:T",
            y=alt.Y("low:Q", title="flows", axis=alt.Axis(tickCount=4, **_BRIEF)),
            y2="high:Q",
            color=color,
            description="say:N",
        )
        .properties(width=width, height=170)
    )
    volume = (
        alt.Chart({"values": _byte_rows(buckets, step)})
        .mark_rect(color=COLOR["bytes"])
        .encode(
            x=_time(buckets, step, labelled),
            x2="u:T",
            y=alt.Y("low:Q", title="bytes", axis=alt.Axis(tickCount=3, **_BRIEF)),
            y2="bytes:Q",
            description="say:N",
        )
        .properties(width=width, height=70)
    )
    rows = [flows, volume]
    active = [(at, f) for at, f in enumerate(report.findings) if f.status == "active"]
    if active:
        rows.insert(0, _marks(active, _time(buckets, step, None), buckets, step, width))
    charts = alt.vconcat(*rows, spacing=8)
    return _finish(charts.resolve_scale(x="shared", color="independent", shape="independent"))


def _time(buckets: Sequence[Bucket], step: int, axis: alt.Axis | None) -> alt.X:
    domain = [utc(buckets[0].start), utc(buckets[-1].start + step)]
    return alt.X("t:T", title=None, scale=alt.Scale(domain=domain, type="utc"), axis=axis)


def _marks(
    found: Sequence[tuple[int, FindingView]],
    x: alt.X,
    buckets: Sequence[Bucket],
    step: int,
    width: int,
) -> Any:
    """Findings above the timeline with their places in the list; a lane, a shape per severity."""
    begin, end = buckets[0].start, buckets[-1].start + step
    labels = [s for s in SHAPES if any(f.label == s for _, f in found)]
    values = [
        {
            "t": utc(min(max(f.first_seen, begin), end)),
            "severity": f.label,
            "say": say(f"{f.label}: {f.title}, {_clock(f.first_seen)}", f=at),
        }
        for at, f in found[:150]
    ]
    return (
        alt.Chart({"values": values})
        .mark_point(filled=True, size=80, opacity=0.95)
        .encode(
            x=x,
            y=alt.Y(
                "severity:N",
                title=None,
                scale=alt.Scale(domain=labels),
                axis=alt.Axis(ticks=False, domain=False, grid=True, labelPadding=12),
            ),
            color=alt.Color(
                "severity:N",
                scale=alt.Scale(domain=labels, range=[COLOR[s] for s in labels]),
                legend=None,
            ),
            shape=alt.Shape(
                "severity:N",
                scale=alt.Scale(domain=labels, range=[SHAPES[s] for s in labels]),
                legend=None,
            ),
            description="say:N",
        )
        .properties(width=width, height=17 * len(labels))
    )


def rejected_ports(report: Report, width: int) -> Spec:
    """Refused flows by port, most first."""
    values = [
        {
            "port": port_label(p.port, p.protocol),
            "flows": p.flows,
            "text": f"{human_count(p.flows)} from {human_count(p.sources)}",
            "say": say(
                f"{port_label(p.port, p.protocol)}: {human_count(p.flows)} refused flows "
                f"from {human_count(p.sources)} sources"
            ),
        }
        for p in report.rejected_ports[:15]
    ]
    most = max((p.flows for p in report.rejected_ports), default=1)
    base = alt.Chart({"values": values}).encode(
        x=alt.X(
            "flows:Q",
            title=None,
            scale=alt.Scale(domain=[0, most * 1.28], nice=False),
            axis=None,
        ),
        y=alt.Y("port:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False)),
        description="say:N",
    )
    bars = base.mark_bar(color=COLOR["rejected"], cornerRadiusEnd=3, height=15)
    text = base.mark_text(align="left", dx=6, color=COLOR["ink-2"]).encode(text="text:N")
    return _finish((bars + text).properties(width=width - 145, height=22 * len(values)))


def rhythm(report: Report, width: int) -> Spec:
    """Mean flows per hour of the week, days that were observed only."""
    days = sorted({c.weekday for c in report.heat})
    values = [
        {
            "day": WEEKDAYS[c.weekday],
            "hour": f"{c.hour:02d}",
            "flows": c.flows,
            "say": say(
                f"{WEEKDAYS[c.weekday]} {c.hour:02d}:00: {human_count(c.flows)} flows an hour, "
                f"{human_count(c.rejected)} of them refused"
            ),
        }
        for c in report.heat
    ]
    most = max((c.flows for c in report.heat), default=1)
    cell = (width - 40) / 24
    every = 6 if width < 600 else 2
    chart = alt.Chart({"values": values}).encode(
        x=alt.X(
            "hour:O",
            title=None,
            scale=alt.Scale(domain=[f"{h:02d}" for h in range(24)], paddingInner=0.08),
            axis=alt.Axis(
                labelAngle=0,
                ticks=False,
                domain=False,
                values=[f"{h:02d}" for h in range(0, 24, every)],
            ),
        ),
        y=alt.Y(
            "day:O",
            title=None,
            scale=alt.Scale(domain=[WEEKDAYS[d] for d in days], paddingInner=0.08),
            axis=alt.Axis(ticks=False, domain=False),
        ),
        opacity=alt.Opacity(
            "flows:Q", scale=alt.Scale(domain=[0, most], range=[0.07, 1]), legend=None
        ),
        description="say:N",
    )
    return _finish(
        chart.mark_rect(color=COLOR["accepted"], cornerRadius=3).properties(
            width=width - 40, height=max(22, min(34, cell)) * max(1, len(days))
        )
    )


def matrix(report: Report, width: int) -> Spec:
    """Who sent how many bytes to whom: a circle and a number per pair of groups."""
    names = [_short(g) for g in report.groups]
    side = (width - 110) / max(1, len(names))
    roomy = side > 60
    values = [
        {
            "from": _short(x.source),
            "to": _short(x.destination),
            "bytes": x.bytes,
            "text": (human_bytes(x.bytes) if x.bytes else "refused") if roomy else _tight(x.bytes),
            "say": say(
                f"{x.source} to {x.destination}: {human_bytes(x.bytes)} in "
                f"{human_count(x.flows)} flows, {human_count(x.rejected)} refused"
            ),
        }
        for x in report.links
    ]
    base = alt.Chart({"values": values}).encode(
        x=alt.X(
            "to:N",
            title="to",
            scale=alt.Scale(domain=names, paddingInner=0.04),
            axis=alt.Axis(
                orient="top",
                labelAngle=0 if side > 80 else -45,
                ticks=False,
                domain=False,
                labelLimit=110,
            ),
        ),
        y=alt.Y(
            "from:N",
            title="from",
            scale=alt.Scale(domain=names, paddingInner=0.06),
            axis=alt.Axis(ticks=False, domain=False, labelLimit=110, titlePadding=10),
        ),
        description="say:N",
    )
    # Bytes span many powers of ten: shades by the logarithm, the number in every cell.
    shades = alt.Scale(type="symlog", constant=1e6, range=[0.06, 0.6])
    cells = base.mark_rect(color=COLOR["bytes"], cornerRadius=4).encode(
        opacity=alt.Opacity("bytes:Q", scale=shades, legend=None)
    )
    text = base.mark_text(color=COLOR["ink"], fontSize=12 if roomy else 9).encode(text="text:N")
    layers = cells + text if side > 26 else cells
    return _finish(layers.properties(width=side * len(names), height=40 * len(names)))


def countries(report: Report, width: int) -> Spec:
    """Flows by country, most first."""
    values = [
        {
            "country": c.name[:24],
            "flows": c.flows,
            "text": f"{human_count(c.flows)}, {human_bytes(c.bytes)}",
            "say": say(f"{c.name}: {human_count(c.flows)} flows, {human_bytes(c.bytes)}"),
        }
        for c in report.countries[:15]
    ]
    most = max((c.flows for c in report.countries), default=1)
    base = alt.Chart({"values": values}).encode(
        x=alt.X("flows:Q", axis=None, scale=alt.Scale(domain=[0, most * 1.3], nice=False)),
        y=alt.Y("country:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False)),
        description="say:N",
    )
    bars = base.mark_bar(color=COLOR["accepted"], cornerRadiusEnd=3, height=15)
    text = base.mark_text(align="left", dx=6, color=COLOR["ink-2"]).encode(text="text:N")
    return _finish((bars + text).properties(width=width - 145, height=22 * len(values)))


def _finish(chart: Any) -> Spec:
    spec: Spec = (
        chart.configure(background="transparent", font=_FONT, padding=PADDING)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=COLOR["ink-2"],
            titleColor=COLOR["ink-2"],
            labelFontSize=11,
            titleFontSize=11,
            titleFontWeight="normal",
            gridColor=COLOR["line"],
            domainColor=COLOR["line"],
            tickColor=COLOR["line"],
        )
        .configure_legend(labelColor=COLOR["ink-2"], labelFontSize=11)
        .to_dict()
    )
    return spec


def _tight(size: int) -> str:
    """A byte size in four characters: `2.7G`, `40M`."""
    if not size:
        return "–"
    number, unit = human_bytes(size).split()
    short = number if len(number) <= 3 else f"{float(number):.0f}"
    return short + unit.removesuffix("B")


def _short(group: str) -> str:
    return group if len(group) <= 16 else group[:15] + "…"


def _clock(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%d %b %H:%M")


def _time_format(buckets: Sequence[Bucket]) -> str:
    days = (buckets[-1].start - buckets[0].start) / 86_400
    if days <= 1:
        return "%H:%M"
    return "%d %b %H:%M" if days <= 3 else "%d %b"


def _flow_rows(buckets: Sequence[Bucket], step: int) -> list[Spec]:
    return [
        {
            "t": utc(b.start),
            "u": utc(b.start + step),
            "action": action,
            "low": low,
            "high": low + flows,
            "say": say(f"{_clock(b.start)}: {human_count(flows)} {action}", b=b.start, s=action),
        }
        for b in buckets
        for action, low, flows in (
            ("refused", 0, b.rejected),
            ("accepted", b.rejected, b.accepted),
        )
        if flows
    ]


def _byte_rows(buckets: Sequence[Bucket], step: int) -> list[Spec]:
    return [
        {
            "t": utc(b.start),
            "u": utc(b.start + step),
            "low": 0,
            "bytes": b.bytes,
            "say": say(f"{_clock(b.start)}: {human_bytes(b.bytes)}", b=b.start, s="bytes"),
        }
        for b in buckets
    ]
