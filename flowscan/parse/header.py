"""Header lines and formats: field names → plans. The header decides the format, nothing else.

Invariant: the columns of a plan are distinct, match [a-z][a-z0-9_]{0,63} and never take a name
that the lake gives to a column of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from flowscan.errors import RejectedObject, UsageError
from flowscan.parse.model import Plan
from flowscan.schema import DEFAULT_FORMAT, SOURCE_ID, TGW_FORMAT, field_for

MAX_COLUMNS = 256
"""More fields than that no flow log has (AWS knows 76); an object that claims so is refused."""

_CACHED = 4096
_TOKEN = re.compile(rb"[A-Za-z][A-Za-z0-9_-]*\Z")
_RESERVED = {"date", "start_ts", "end_ts", "filename", SOURCE_ID}


def column_name(token: str) -> str:
    """Lake column of a field name; names AWS added since are kept, made safe for SQL."""
    known = field_for(token)
    if known:
        return known.name
    name = re.sub(r"[^a-z0-9_]", "_", token.strip().lower())[:64]
    if not name or not name[0].isalpha():
        name = f"f_{name}"[:64]
    return f"{name}_"[-64:] if name in _RESERVED else name


def columns_of(tokens: Iterable[str]) -> tuple[str, ...]:
    """Column names of a format.

    Raises:
        ValueError: no field, too many, a field twice, or none that flow logs have.
    """
    names = tuple(column_name(t) for t in tokens)
    if not names:
        raise ValueError("the format has no fields")
    if len(names) > MAX_COLUMNS:
        raise ValueError(f"the format has {len(names)} fields, more than {MAX_COLUMNS}")
    if len(set(names)) < len(names):
        twice = next(n for n in names if names.count(n) > 1)
        raise ValueError(f"the format has the field {twice} twice")
    if not any(field_for(n) for n in names):
        raise ValueError("the format has none of the fields of flow logs")
    return names


_MARKS = {
    "srcaddr", "dstaddr", "pkt_srcaddr", "pkt_dstaddr", "interface_id", "tgw_id", "resource_id",
    "packets", "bytes", "log_status", "action",
}  # fmt: skip


def is_flow_format(columns: Iterable[str]) -> bool:
    """Tell flow logs from other tables that happen to share some field names."""
    return not _MARKS.isdisjoint(columns)


def split(line: bytes, delimiter: bytes) -> list[bytes]:
    """Tokens of a stripped line, as the model's page says."""
    if delimiter == b" ":
        return line.split()
    tokens = [t.strip(b" \t") for t in line.split(delimiter)]
    return [t[1:-1] if len(t) > 1 and t[:1] == t[-1:] == b'"' else t for t in tokens]


def is_header(tokens: list[bytes], *, single: bool = False) -> bool:
    """Tell a header from a record.

    At least two tokens (`single`: at least one), each a letter followed by letters, digits, `_`
    and `-`, and at least half of them fields that are known.
    """
    if len(tokens) < (1 if single else 2) or not all(map(_TOKEN.match, tokens)):
        return False
    return 2 * sum(field_for(t.decode("ascii")) is not None for t in tokens) >= len(tokens)


def header_columns(tokens: list[bytes]) -> tuple[str, ...]:
    """Columns that a header line names; may hold duplicates (`plan_of` refuses those)."""
    return _header_columns(b" ".join(tokens))


@lru_cache(maxsize=64)
def _header_columns(line: bytes) -> tuple[str, ...]:
    return tuple(column_name(t) for t in line.decode("ascii").split(" "))


def plan_of(line: bytes) -> Plan | None:
    """Plan of a header line (space or comma separated), None when the line is no header.

    Raises:
        RejectedObject: the header names a field twice or far too many.
    """
    line = line.strip(b" \t\r\n")
    # Thousands of objects begin with the same line; a long one is not worth its memory.
    return _plan_of(line) if len(line) <= _CACHED else _plan_of.__wrapped__(line)


@lru_cache(maxsize=64)
def _plan_of(line: bytes) -> Plan | None:
    for delimiter in (b" ", b","):
        tokens = split(line, delimiter)
        if is_header(tokens):
            try:
                return Plan(columns_of(t.decode("ascii") for t in tokens), delimiter)
            except ValueError as e:
                raise RejectedObject(str(e)) from None
    return None


def headerless_plan(first: bytes, columns: tuple[str, ...] | None) -> Plan:
    """Plan of text that starts with the record `first`: as given, transit gateway, or default."""
    delimiter = b"," if first.count(b",") > first.count(b" ") else b" "
    if columns is not None:
        return Plan(columns, delimiter)
    tokens = split(first.strip(b" \t\r\n"), delimiter)
    return Plan(
        TGW_FORMAT if tokens[:2] == [b"6", b"TransitGateway"] else DEFAULT_FORMAT, delimiter
    )


def parse_format(text: str) -> tuple[str, ...]:
    """Columns of a format as AWS writes it (`${version} ${account-id} …`) or as plain names.

    Raises:
        UsageError: not a format.
    """
    tokens = text.replace(",", " ").split()
    for token in tokens:
        if not re.fullmatch(r"\$\{[A-Za-z][A-Za-z0-9_-]*\}|[A-Za-z][A-Za-z0-9_-]*", token):
            raise UsageError(f"not a field name in the format: {token!r}")
    try:
        return columns_of(t.removeprefix("${").removesuffix("}") for t in tokens)
    except ValueError as e:
        raise UsageError(str(e), hint='as in "${version} ${account-id} ${srcaddr} …"') from None
