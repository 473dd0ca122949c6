"""STIX 2.0 and 2.1: addresses in indicator patterns and observed addresses.

Invariant: only comparisons for equality (`=`, `IN`, `ISSUBSET`) make indicators; a pattern that
names an address in another way is not guessed at. The same value of one object counts once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from flowscan.feeds.model import Entry

_STRING = r"'((?:[^'\\]|\\.)*)'"
_COMPARISON = re.compile(
    r"(ipv4-addr|ipv6-addr|domain-name|url)\s*:\s*value\s*"
    rf"(?:=\s*{_STRING}|(?:ISSUBSET)\s*{_STRING}|IN\s*\(((?:\s*{_STRING}\s*,?)*)\))"
)
_REFERENCE = re.compile(
    r"network-traffic\s*:\s*(?:src|dst)_ref\.value\s*(?:=|ISSUBSET)\s*" + _STRING
)
_EACH = re.compile(_STRING)
_OBSERVABLES = {"ipv4-addr", "ipv6-addr", "domain-name", "url"}


def is_stix(data: Any) -> bool:
    """Tell a bundle, or a single object or list of objects with STIX ids."""
    if isinstance(data, list):
        return bool(data) and all(is_stix(item) for item in data[:5])
    if not isinstance(data, dict):
        return False
    kind, identity = data.get("type"), data.get("id")
    return isinstance(kind, str) and isinstance(identity, str) and identity.startswith(f"{kind}--")


def entries(data: Any) -> Iterator[Entry]:
    """Entries of a bundle; `line` is the number of the object in it."""
    for number, item in enumerate(_objects(data), 1):
        if item.get("revoked") is True:
            continue
        kind = item.get("type")
        if kind == "indicator" and item.get("pattern_type", "stix") == "stix":
            yield from _indicator(number, item)
        elif kind in _OBSERVABLES and isinstance(item.get("value"), str):
            yield Entry(number, item["value"].strip())
        elif kind == "observed-data" and isinstance(item.get("objects"), dict):
            for part in item["objects"].values():
                if isinstance(part, dict) and part.get("type") in _OBSERVABLES:
                    yield Entry(number, str(part.get("value", "")).strip())


def _objects(data: Any) -> Iterator[dict[str, Any]]:
    items = data if isinstance(data, list) else data.get("objects", [data])
    for item in items if isinstance(items, list) else []:
        if isinstance(item, dict):
            yield from _objects(item) if item.get("type") == "bundle" else [item]


def _indicator(number: int, item: dict[str, Any]) -> Iterator[Entry]:
    about = str(item.get("name") or item.get("description") or "")[:200]
    expires = _epoch(item.get("valid_until"))
    for value in dict.fromkeys(_values(str(item.get("pattern", "")))):
        yield Entry(number, value, about, expires)


def _values(pattern: str) -> Iterator[str]:
    for found in _COMPARISON.finditer(pattern):
        _, equal, subset, several, _last = found.groups()
        if several is not None:
            yield from (_unescape(value) for value in _EACH.findall(several))
        else:
            yield _unescape(equal if equal is not None else subset)
    for found in _REFERENCE.finditer(pattern):
        yield _unescape(found.group(1))


def _unescape(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value).strip()


def _epoch(value: Any) -> int | None:
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())
