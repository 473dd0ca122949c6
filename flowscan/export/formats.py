"""The forms by name, and writing them: JSON documents, lines, or CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TextIO

from flowscan.errors import UsageError
from flowscan.export import asff, guardduty, ocsf, siem
from flowscan.findings import Finding, to_row


def _plain(finding: Finding) -> dict[str, Any]:
    row = to_row(finding)
    texts = ("actors", "evidence", "details", "days")
    return {k: json.loads(v) if k in texts else v for k, v in row.items()}


_DOCUMENTS: Final[Mapping[str, Callable[[Finding], dict[str, Any]]]] = {
    "guardduty": guardduty.guardduty,
    "ocsf": ocsf.detection_finding,
    "asff": asff.asff,
    "ecs": siem.ecs,
    "ndjson": _plain,
    "json": _plain,
}

FORMATS: Final = (*_DOCUMENTS, "cef", "csv")
"""Names of the forms of findings. `json` is one array, the others are one document a line."""


def lines(findings: Iterable[Finding], form: str) -> Iterator[str]:
    """Findings in a form, as lines without their ends.

    Raises:
        UsageError: there is no such form.
    """
    if form not in FORMATS:
        raise UsageError(f"no such format: {form[:40]!r}", hint=f"one of {', '.join(FORMATS)}")
    if form == "cef":
        yield from map(siem.cef, findings)
    elif form == "csv":
        yield from _csv(findings)
    elif form == "json":
        documents = [_plain(f) for f in findings]
        yield json.dumps(documents, indent=2, ensure_ascii=True)
    else:
        make = _DOCUMENTS[form]
        yield from (json.dumps(make(f), ensure_ascii=True, sort_keys=True) for f in findings)


def _csv(findings: Iterable[Finding]) -> Iterator[str]:
    writer: csv.DictWriter[str] | None = None
    buffer = io.StringIO()
    for finding in findings:
        row = siem.flat(finding)
        if writer is None:
            writer = csv.DictWriter(buffer, list(row), lineterminator="\n")
            writer.writeheader()
        writer.writerow(row)
        yield buffer.getvalue().rstrip("\n")
        buffer.seek(0)
        buffer.truncate()


def write(findings: Iterable[Finding], form: str, stream: TextIO) -> int:
    """Write findings in a form; the number of findings written."""
    listed = list(findings)
    stream.writelines(line + "\n" for line in lines(listed, form))
    return len(listed)
