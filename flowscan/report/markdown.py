"""The report as Markdown, for a ticket or a chat.

Invariant: every value is escaped, one line each; tables keep their column count whatever is in
their cells.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flowscan.net.services import protocol_name
from flowscan.report.model import Report
from flowscan.text import change, human_bytes, human_count, markdown_text, plain, utc


def render(report: Report) -> str:
    """The report as one Markdown text."""
    parts = [
        f"# {markdown_text(report.verdict)}",
        markdown_text(report.detail),
        markdown_text(report.tally),
    ]
    if report.known is None:
        parts.append("Bring logs in: `flowscan ingest ./logs`, or `s3://BUCKET/AWSLogs/`.")
        return "\n\n".join(part for part in parts if part) + "\n"
    period = report.overview.period
    parts.append(f"{utc(period.since)} to {utc(period.until)}, from {markdown_text(report.lake)}")
    parts.append(_figures(report))
    for title, heads, rows, nothing in _sections(report):
        body = _table(heads, rows) if rows else nothing
        parts.append(f"## {title}\n\n{body}")
    q = report.quality
    parts.append(
        f"{human_count(q.records)} records: {human_count(q.flows)} flows, "
        f"{human_count(q.nodata)} NODATA, {human_count(q.skipdata)} SKIPDATA, "
        f"{human_count(q.rejects)} refused lines."
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _figures(report: Report) -> str:
    now, before = report.overview.totals, report.overview.previous
    names = ("flows", "accepted", "rejected", "packets", "bytes", "interfaces")
    rows = []
    for name in names:
        value = getattr(now, name)
        shown = human_bytes(value) if name == "bytes" else human_count(value)
        old = change(value, getattr(before, name)) if before else None
        rows.append([name, shown, old or "–"])
    return _table(["figure", "value", "change"], rows)


def _sections(report: Report) -> Iterable[tuple[str, list[str], list[list[str]], str]]:
    yield (
        "Findings",
        ["severity", "finding", "resource", "connections", "first seen", "last seen"],
        [
            [
                f.label,
                f"{f.title}. {f.what}".strip(),
                f.host or f.resource,
                human_count(f.count),
                *_seen(f.first_seen, f.last_seen),
            ]
            for f in report.findings[:50]
        ],
        "No findings."
        if report.detected
        else "No detection has run yet: " + _code("flowscan detect"),
    )
    yield (
        "Listed addresses",
        ["address", "feed", "accepted", "refused", "bytes", "last seen"],
        [
            [
                m.address,
                m.feed,
                human_count(m.accepted),
                human_count(m.refused),
                human_bytes(m.bytes),
                utc(m.last_seen),
            ]
            for m in report.matches
        ],
        "None was met."
        if report.feeds
        else "No feeds yet: " + _code("flowscan feeds add tor-exit"),
    )
    yield (
        "Refused ports",
        ["port", "service", "flows", "sources", "targets"],
        [
            [
                f"{p.port}/{protocol_name(p.protocol)}",
                p.service,
                human_count(p.flows),
                human_count(p.sources),
                human_count(p.targets),
            ]
            for p in report.rejected_ports[:15]
        ],
        "No flow was refused.",
    )
    yield (
        "What the internet reached",
        ["address", "port", "service", "sensitive", "sources", "flows"],
        [
            [
                e.address,
                f"{e.port}/{protocol_name(e.protocol)}",
                e.service,
                "yes" if e.sensitive else "",
                human_count(e.sources),
                human_count(e.flows),
            ]
            for e in report.exposure
        ],
        "Nothing.",
    )
    yield (
        "Pairs that exchanged most",
        ["from", "to", "bytes", "flows"],
        [
            [t.source, t.destination, human_bytes(t.bytes), human_count(t.flows)]
            for t in report.talkers[:10]
        ],
        "No flow was accepted.",
    )
    yield (
        "Coverage",
        ["interface", "address", "flows", "silent hours", "NODATA", "SKIPDATA"],
        [
            [
                c.interface or "–",
                c.label,
                human_count(c.flows),
                human_count(c.silent_hours),
                human_count(c.nodata),
                human_count(c.skipdata),
            ]
            for c in report.coverage
        ],
        "No interface is known in this period.",
    )


def _seen(first: int, last: int) -> tuple[str, str]:
    return utc(first), utc(last)


def _code(text: str) -> str:
    return "`" + plain(text).replace("`", "'") + "`"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [_row(heads), "|" + " --- |" * len(heads)]
    lines += [_row([markdown_text(cell) for cell in row]) for row in rows]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
