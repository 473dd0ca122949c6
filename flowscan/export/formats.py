"""The forms by name, and writing them: JSON documents, lines, or CSV.

Invariant: one finding at a time is in memory, however many there are.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TextIO

from flowscan.errors import UsageError
from flowscan.export import asff, guardduty, ocsf, siem
from flowscan.findings import Finding, to_row


def _plain(finding: Finding) -> str:
    """All that the lake keeps of a finding; what it keeps as JSON goes in as it is."""
    row = to_row(finding)
    texts = "".join(f', "{name}": {row.pop(name)}' for name in _TEXTS)
    return f"{json.dumps(row)[:-1]}{texts}}}"


_TEXTS: Final = ("actors", "evidence", "details", "days")

_DOCUMENTS: Final[Mapping[str, Callable[[Finding], dict[str, Any]]]] = {
    "guardduty": guardduty.guardduty,
    "ocsf": ocsf.detection_finding,
    "asff": asff.asff,
    "ecs": siem.ecs,
}

ALONE: Final = (*_DOCUMENTS, "ndjson", "cef")
"""Names of the forms of findings in which a finding is one line, whatever the others are."""

FORMATS: Final = (*ALONE, "json", "csv")
"""Names of all forms; `json` is one array, `csv` has a head."""


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
    elif form == "ndjson":
        yield from map(_plain, findings)
    elif form == "json":
        yield from _array(map(_plain, findings))
    else:
        make = _DOCUMENTS[form]
        yield from (json.dumps(make(f), ensure_ascii=True, sort_keys=True) for f in findings)


def _array(documents: Iterator[str]) -> Iterator[str]:
    """One array, a document a line."""
    line = "["
    for document in documents:
        yield line
        line = f"{document},"
    yield "[]" if line == "[" else line[:-1]
    if line != "[":
        yield "]"


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
    number = 0

    def counted() -> Iterator[Finding]:
        nonlocal number
        for finding in findings:
            number += 1
            yield finding

    stream.writelines(f"{line}\n" for line in lines(counted(), form))
    return number
