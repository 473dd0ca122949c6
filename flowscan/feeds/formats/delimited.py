"""Comma-separated formats: OTX_CSV, PROOF_POINT, FIRE_EYE, abuse.ch and any CSV with a header.

They are all one: a header row names the columns, some columns hold indicators, some describe
them. Invariant: columns are found by name, never by position; a row yields one entry per
indicator column that is filled, and a row where none is yields one broken entry.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator

from flowscan.errors import FeedError
from flowscan.feeds.model import Entry, ReadOptions
from flowscan.feeds.spelling import loose_interval

# Column names that hold an address, best first; a list has as a rule one of them.
_ADDRESS = (
    "ip", "cidr", "dst_ip", "ip_address", "ipaddress", "ip address", "address", "src_ip", "srcip",
    "ioc_value", "ioc", "indicator", "value", "network", "prefix", "ip_range", "range", "netblock",
    "subnet", "host", "domain", "url",
)  # fmt: skip
_DESCRIPTION = (
    "description", "malware", "malware_printable", "threat", "threat_type", "malwarefamily",
    "comment", "category", "activity", "name", "sblid",
)  # fmt: skip
_COMMENT = ("#", ";", "//")
_COMMENTED_HEADER = re.compile(r"^[#;]+\s*")
_FIELD_LIMIT = 1 << 17


def _names(line: str) -> list[str]:
    try:
        row = next(csv.reader([line], skipinitialspace=True), [])
    except csv.Error:
        return []
    return [name.strip().strip('"').lower() for name in row]


def _is_header(names: list[str]) -> bool:
    if len(names) < 2 or any(loose_interval(name) for name in names if name):
        return False
    return any(name in _ADDRESS for name in names)


def find_header(text: str, column: str | None = None) -> tuple[int, list[str], bool] | None:
    """Line number, column names and "stands in a comment" of the header row, or None.

    abuse.ch writes some headers as the last comment before the data.
    """
    commented: tuple[int, list[str], bool] | None = None
    for number, line in enumerate(io.StringIO(text, newline=None), 1):
        stripped = line.strip()
        if not stripped:
            continue
        inside = stripped.startswith(_COMMENT)
        names = _names(_COMMENTED_HEADER.sub("", stripped) if inside else stripped)
        if _is_header(names) or (column and column.lower() in names and len(names) > 1):
            if not inside:
                return number, names, False
            commented = (number, names, True)
        if not inside:
            enough = commented is not None and len(names) == len(commented[1])
            return commented if enough else None
    return None


def detect(text: str, options: ReadOptions) -> str | None:
    """Name of the CSV format, or None when the text has no header row."""
    if options.column is not None:
        return "csv"
    header = find_header(text)
    if header is None:
        return None
    names = header[1]
    if names[:2] == ["indicator type", "indicator"]:
        return "otx-csv"
    if "reportid" in names and "cidr" in names:
        return "fire-eye"
    if names[0] in {"ip", "domain"} and names[1:3] == ["category", "score"]:
        return "proof-point"
    return "csv"


def _rows(text: str, after: int) -> Iterator[tuple[int, list[str]]]:
    """Rows behind the header; one line is one row, so that one stray quote costs one line."""
    for number, line in enumerate(io.StringIO(text, newline=None), 1):
        stripped = line.strip()
        if number <= after or not stripped or stripped.startswith(_COMMENT):
            continue
        try:
            row = next(csv.reader([stripped[:_FIELD_LIMIT]], skipinitialspace=True), [])
        except csv.Error:
            row = []
        yield number, [value.strip() for value in row]


def _indicator_columns(names: list[str], column: str | None) -> list[int]:
    if column is not None:
        if column.lower() not in names:
            raise FeedError(f"no column {column!r}", hint=f"the columns are {', '.join(names)}")
        return [names.index(column.lower())]
    found = [names.index(name) for name in _ADDRESS if name in names]
    # FIRE_EYE rows fill either cidr or ip or domain; elsewhere one column is the indicator.
    return sorted(found) if "reportid" in names else found[:1]


def parse_csv(text: str, options: ReadOptions) -> Iterator[Entry]:
    """Rows below a header row; the indicator column is the one named, or the best known name.

    Raises:
        FeedError: there is no header row, or no such column.
    """
    header = find_header(text, options.column)
    if header is None and options.column is not None:
        raise FeedError(f"no column {options.column!r}", hint="the header row names the columns")
    if header is None:
        hint = "name the column that holds addresses with --column"
        raise FeedError("no header row that names an address column", hint=hint)
    after, names, _ = header
    where = _indicator_columns(names, options.column)
    about = [names.index(name) for name in _DESCRIPTION if name in names and name not in _ADDRESS]
    for number, row in _rows(text, after):
        description = next((row[i] for i in about if i < len(row) and row[i]), "")
        values = [row[i] for i in where if i < len(row) and row[i]]
        if not values:
            yield Entry(number, ",".join(row)[:200])
        for value in values:
            yield Entry(number, value, description[:200])


parsers: dict[str, Callable[[str, ReadOptions], Iterator[Entry]]] = {
    "csv": parse_csv,
    "otx-csv": parse_csv,
    "proof-point": parse_csv,
    "fire-eye": parse_csv,
}
