"""The report as data: JSON of everything, CSV of one long table.

Invariant: JSON holds each value of the model once, times as UTC ISO 8601; a CSV cell never begins
with a formula, and numbers stay numbers.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from flowscan.net.services import protocol_name
from flowscan.report.model import Report
from flowscan.text import csv_cell, utc

_TIMES = {"since", "until", "made", "detected_at", "start", "first_seen", "last_seen"}
CSV_COLUMNS = ("section", "item", "metric", "value")
Row = tuple[str, str, str, object]


def to_json(report: Report) -> str:
    """The whole report as a JSON object."""
    return json.dumps(_iso(asdict(report)), indent=2, ensure_ascii=True) + "\n"


def _iso(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {k: _iso(v, k) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_iso(v) for v in value]
    return utc(value) if name in _TIMES and isinstance(value, int) else value


def to_csv(report: Report) -> str:
    """The figures as rows of section, item, metric and value, for a spreadsheet's pivot table."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for row in _rows(report):
        # A NUL in a cell makes some readers stop; it says nothing in a spreadsheet.
        writer.writerow([_cell(value) for value in row])
    return stream.getvalue()


def _cell(value: object) -> object:
    return csv_cell(value.replace("\0", "?")) if isinstance(value, str) else value


def _rows(report: Report) -> Iterator[Row]:
    yield from _overview(report)
    for label, count in report.severities.items():
        yield "findings", label, "count", count
    for section, name, values in _lists(report):
        for value in values:
            row = asdict(value)
            yield from _items(section, name(value), row, skip=_NAMED[section])
    yield from _items("quality", "lake", asdict(report.quality), skip={"reasons"})
    for reason, count in report.quality.reasons:
        yield "rejects", reason, "count", count


def _overview(report: Report) -> Iterator[Row]:
    yield "overview", "verdict", "text", report.verdict
    overview = report.overview
    yield "overview", "period", "since", utc(overview.period.since)
    yield "overview", "period", "until", utc(overview.period.until)
    yield "overview", "internet", "bytes_in", overview.bytes_in
    yield "overview", "internet", "bytes_out", overview.bytes_out
    yield "overview", "undecided", "connections", overview.undecided.connections
    yield "overview", "undecided", "bytes", overview.undecided.bytes
    yield "overview", "probed", "connections", report.probed
    for name, value in asdict(overview.totals).items():
        yield "overview", "now", name, value
    if overview.previous:
        for name, value in asdict(overview.previous).items():
            yield "overview", "before", name, value


# What names a row of each list, and is no metric of it then.
_NAMED: dict[str, set[str]] = {
    "finding": {"id", "actors", "evidence", "facts"},
    "match": {"address", "feed"},
    "rejected-port": {"port", "protocol"},
    "rejected-source": {"address"},
    "exposure": {"address", "port", "protocol"},
    "talkers": {"source", "destination", "source_label", "destination_label"},
    "timeline": {"start"},
    "coverage": {"interface"},
}


def _lists(report: Report) -> list[tuple[str, Callable[[Any], str], tuple[Any, ...]]]:
    return [
        ("finding", lambda x: x.id, report.findings),
        ("match", lambda x: f"{x.address} {x.feed}", report.matches),
        ("rejected-port", lambda x: f"{x.port}/{protocol_name(x.protocol)}", report.rejected_ports),
        ("rejected-source", lambda x: x.address, report.rejected_sources),
        (
            "exposure",
            lambda x: f"{x.address} {x.port}/{protocol_name(x.protocol)}",
            report.exposure,
        ),
        ("talkers", lambda x: f"{x.source} to {x.destination}", report.talkers),
        ("timeline", lambda x: utc(x.start), report.timeline.buckets),
        ("coverage", lambda x: x.interface, report.coverage),
    ]


def _items(section: str, item: str, values: dict[str, Any], *, skip: set[str]) -> Iterator[Row]:
    for name, value in values.items():
        if name in skip:
            continue
        if isinstance(value, list | tuple):
            yield section, item, name, " ".join(str(v) for v in value)
        elif name in _TIMES and isinstance(value, int):
            yield section, item, name, utc(value)
        else:
            yield section, item, name, value
