"""The report as Markdown, for a ticket or a chat.

Invariant: every value is escaped, one line each; tables keep their column count whatever is in
their cells.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flowscan.net.services import protocol_name
from flowscan.report.model import Report
from flowscan.report.wording import gateway_of, what_of, who_of
from flowscan.text import change, human_bytes, human_count, markdown_text, plain, utc

_FIGURES = {
    "flows": "records",
    "accepted": "accepted records",
    "rejected": "refused records",
    "packets": "packets",
    "bytes": "bytes",
    "refused_packets": "refused packets",
    "refused_bytes": "refused bytes",
    "interfaces": "interfaces",
}


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
    period, asked = report.overview.period, report.overview.asked
    parts.append(f"{utc(period.since)} to {utc(period.until)}, from {markdown_text(report.lake)}")
    if asked:
        parts.append(f"These are the whole hours of {utc(asked.since)} to {utc(asked.until)}.")
    parts.append(_figures(report))
    for title, heads, rows, nothing in _sections(report):
        body = _table(heads, rows) if rows else nothing
        parts.append(f"## {title}\n\n{body}")
    parts.append(_probes(report))
    q = report.quality
    parts.append(
        f"{human_count(q.records)} records: {human_count(q.flows)} flows, "
        f"{human_count(q.nodata)} NODATA, {human_count(q.skipdata)} SKIPDATA, "
        f"{human_count(q.rejects)} rejects."
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _figures(report: Report) -> str:
    now, before = report.overview.totals, report.overview.previous
    rows = []
    for name, title in _FIGURES.items():
        value = getattr(now, name)
        shown = human_bytes(value) if name.endswith("bytes") else human_count(value)
        old = change(value, getattr(before, name)) if before else None
        rows.append([title, shown, old or "–"])
    for title, size in (
        ("to the internet", report.overview.bytes_out),
        ("from the internet", report.overview.bytes_in),
    ):
        rows.append([title, human_bytes(size), "–"])
    return _table(["figure", "value", "change"], rows)


def _probes(report: Report) -> str:
    """What is in no table: calls that nobody answered, and those of unknown callers."""
    unclear = report.overview.undecided
    said = []
    if report.probed:
        said.append(f"{human_count(report.probed)} connections from outside got no answer.")
    if unclear.connections:
        said.append(
            f"Who called is unknown for {human_count(unclear.connections)} connections"
            f" ({human_bytes(unclear.bytes)})."
        )
    return " ".join(said)


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
        ["address", "feed", "what", "who called", "accepted", "refused", "bytes", "last seen"],
        [
            [
                m.address,
                m.feed,
                what_of(m),
                who_of(m),
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
        ["port", "service", "records", "sources", "targets"],
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
        "No record was refused.",
    )
    yield (
        "What answers the internet",
        ["address", "port", "service", "sensitive", "sources", "connections"],
        [
            [
                e.address,
                f"{e.port}/{protocol_name(e.protocol)}",
                e.service,
                "yes" if e.sensitive else "",
                human_count(e.sources),
                human_count(e.connections),
            ]
            for e in report.exposure
        ],
        "Nothing.",
    )
    yield (
        "Pairs that exchanged most",
        ["from", "to", "bytes", "connections"],
        [
            [t.source, t.destination, human_bytes(t.bytes), human_count(t.connections)]
            for t in report.talkers[:10]
        ],
        "Nothing was accepted.",
    )
    yield (
        "Coverage",
        ["interface", "address", "records", "silent hours", "NODATA", "SKIPDATA"],
        [
            [
                c.interface or "–",
                f"{c.label} ({gateway_of(c)})" if c.nat else c.label,
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
