"""JSON formats: STIX 2.x, MISP events and warninglists, NDJSON, cloud range files, plain arrays.

Invariant: nothing is taken for an indicator because it looks like an address; each shape says
which of its members are indicators. Depth is bounded by the JSON reader's own recursion limit.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from flowscan.errors import FeedError
from flowscan.feeds.formats import stix2
from flowscan.feeds.model import Entry, ReadOptions

_VALUE_KEYS = (
    "cidr", "ip_prefix", "ipv6_prefix", "ipv4Prefix", "ipv6Prefix", "ip_address", "ipAddress",
    "dst_ip", "ip", "address", "ioc_value", "ioc", "indicator", "prefix", "network", "value",
    "domain", "url",
)  # fmt: skip
_DESCRIPTION_KEYS = ("description", "malware_printable", "malware", "sblid", "service", "comment")
_MISP_KINDS = {
    "ip-src", "ip-dst", "ip-src|port", "ip-dst|port", "domain", "hostname", "domain|ip", "url",
    "hostname|port", "uri", "link",
}  # fmt: skip


def load(text: str) -> Any:
    """Parse one JSON document.

    Raises:
        FeedError: it is no JSON, or nested too deeply.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise FeedError(f"JSON that cannot be read: {error.msg}", where=where) from error
    except RecursionError:
        raise FeedError("JSON nested too deeply") from None


def detect(text: str) -> str:
    """Name of the JSON format.

    Raises:
        FeedError: no JSON, or a shape that holds no list.
    """
    if _is_ndjson(text):
        return "ndjson"
    data = load(text)
    if stix2.is_stix(data):
        return "stix2"
    if isinstance(data, dict):
        if "list" in data and isinstance(data["list"], list):
            return "misp-warninglist"
        if _misp_events(data):
            return "misp"
    if isinstance(data, list) and any(isinstance(d, dict) and "Event" in d for d in data):
        return "misp"
    if any(True for _ in _records(data)):
        return "json"
    raise FeedError("JSON that holds no list of a known shape")


def _is_ndjson(text: str) -> bool:
    """Tell whether the first two lines that hold anything are JSON objects of their own."""
    heads = [line.strip() for line in text[:65536].split("\n")[:50]]
    heads = [line for line in heads if line][:2]
    if not heads or not all(line.startswith("{") and line.endswith("}") for line in heads):
        return False
    try:
        first = json.loads(heads[0])
    except ValueError:
        return False
    return isinstance(first, dict) and (len(heads) > 1 or any(key in first for key in _VALUE_KEYS))


def _record(number: int, data: Any) -> Iterator[Entry]:
    if isinstance(data, str):
        yield Entry(number, data.strip())
        return
    if not isinstance(data, dict):
        return
    about = next((str(data[k]) for k in _DESCRIPTION_KEYS if data.get(k)), "")
    for key in _VALUE_KEYS:
        if isinstance(data.get(key), str) and data[key].strip():
            yield Entry(number, data[key].strip(), about[:200])
            return


def parse_ndjson(text: str, options: ReadOptions) -> Iterator[Entry]:
    """One JSON object per line (Spamhaus DROP and the like); metadata objects are no entries."""
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if not stripped:
            continue
        try:
            data = json.loads(stripped)
        except (ValueError, RecursionError):
            yield Entry(number, stripped[:200])
            continue
        if isinstance(data, dict) and data.get("type") == "metadata":
            continue
        found = list(_record(number, data))
        yield from found or [Entry(number, stripped[:200])]


def _records(data: Any, depth: int = 0) -> Iterator[Entry]:
    """Records of a document: an array, or arrays as members (AWS ranges, ThreatFox export)."""
    if isinstance(data, list):
        for number, item in enumerate(data, 1):
            yield from _record(number, item)
    elif isinstance(data, dict) and depth < 3:
        for member in data.values():
            if isinstance(member, list | dict):
                yield from _records(member, depth + 1)


def parse_json(text: str, options: ReadOptions) -> Iterator[Entry]:
    """Arrays of strings or of objects with a member named like an address."""
    yield from _records(load(text))


def parse_warninglist(text: str, options: ReadOptions) -> Iterator[Entry]:
    """MISP warninglist; entries of lists about hashes or names are counted, not used."""
    data = load(text)
    name = str(data.get("name") or "")[:200] if isinstance(data, dict) else ""
    items = data.get("list") if isinstance(data, dict) else None
    for number, item in enumerate(items if isinstance(items, list) else [], 1):
        if isinstance(item, str):
            yield Entry(number, item.strip(), name)


def _misp_events(data: Any) -> list[dict[str, Any]]:
    """Find the events of a MISP export: one event, a response, or a list of either."""
    if isinstance(data, list):
        return [event for item in data for event in _misp_events(item)]
    if not isinstance(data, dict):
        return []
    if "response" in data:
        return _misp_events(data["response"])
    event = data.get("Event", data)
    if isinstance(event, dict) and ("Attribute" in event or "Object" in event):
        return [event]
    return []


def parse_misp(text: str, options: ReadOptions) -> Iterator[Entry]:
    """MISP event export: attributes of events and of their objects, those about addresses."""
    number = 0
    for event in _misp_events(load(text)):
        about = str(event.get("info") or "")[:200]
        attributes = list(_dicts(event.get("Attribute")))
        for item in _dicts(event.get("Object")):
            attributes.extend(_dicts(item.get("Attribute")))
        for attribute in attributes:
            number += 1
            kind, value = str(attribute.get("type")), str(attribute.get("value") or "").strip()
            if kind == "domain|ip":
                value = value.partition("|")[2]
            elif kind.endswith("|port"):
                value = value.partition("|")[0]
            if value and kind in _MISP_KINDS:
                yield Entry(number, value, str(attribute.get("comment") or about)[:200])


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    return (
        (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())
    )


parsers: dict[str, Callable[[str, ReadOptions], Iterator[Entry]]] = {
    "ndjson": parse_ndjson,
    "json": parse_json,
    "misp": parse_misp,
    "misp-warninglist": parse_warninglist,
    "stix2": lambda text, options: stix2.entries(load(text)),
}
