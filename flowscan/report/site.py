"""The pages that `serve` shows: the report of a period, and the flows behind a number.

Invariant: reads only, reports from a ground that stands while the lake does, flows through a fresh
engine per page; every part of a request is parsed into a value of its type before it is bound into
the SQL, and nothing of it reaches SQL text or a path.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from flowscan.config import parse_time
from flowscan.engine import Engine
from flowscan.errors import UsageError
from flowscan.lake import Lake
from flowscan.report import html
from flowscan.report.assemble import Options
from flowscan.report.standing import Standing
from flowscan.text import utc

PAGE: Final = 200
"""Flows per page of the drill-down."""

KEPT: Final = 16
"""Report pages kept in memory, of the newest version of the lake."""

_QUERIES: Final = 2
_TIMEOUT: Final = 120.0

FLOWS: Final = """
SELECT "start", "end", interface_id, srcaddr, srcport, dstaddr, dstport, protocol, packets, bytes,
       action, tcp_flags
FROM flows
WHERE "start" >= $since AND "start" < $until
  AND (CAST($address AS VARCHAR) IS NULL OR srcaddr = $address OR dstaddr = $address)
  AND (CAST($port AS INTEGER) IS NULL OR srcport = $port OR dstport = $port)
  AND (CAST($protocol AS INTEGER) IS NULL OR protocol = $protocol)
  AND (CAST($action AS VARCHAR) IS NULL OR action = $action)
ORDER BY "start", "end", srcaddr, srcport, dstaddr, dstport, interface_id
LIMIT $limit OFFSET $offset
"""


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the flows is asked for; None means all."""

    since: int
    until: int
    address: str | None = None
    port: int | None = None
    protocol: int | None = None
    action: str | None = None
    offset: int = 0

    def query(self, **changed: Any) -> str:
        """The part of a URL that asks for this."""
        names = ("address", "port", "protocol", "action", "offset")
        values = {name: getattr(self, name) for name in names}
        values |= {"since": utc(self.since), "until": utc(self.until)} | changed
        if not values["offset"]:
            del values["offset"]
        return urlencode({k: v for k, v in values.items() if v is not None})


@dataclass(slots=True)
class Site:
    """Pages over one lake. Thread-safe: one report is made at a time, of lists of flows two."""

    lake: Lake
    options: Options = field(default_factory=Options)
    _standing: Standing = field(init=False)
    _pages: dict[tuple[int, int | None, int | None], str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _slots: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(_QUERIES))

    def __post_init__(self) -> None:
        self._standing = Standing(self.lake, self.options)

    def close(self) -> None:
        """Give up what is kept of the lake; another report opens it again."""
        with self._lock:
            self._standing.close()

    def report(self, request: Mapping[str, str]) -> str:
        """The report page of `since` and `until`.

        Raises:
            UsageError: one of them is no time.
        """
        since, until = _moment(request, "since"), _moment(request, "until")
        if since is not None and until is not None and until <= since:
            raise UsageError("the period ends before it begins")
        with self._lock:
            key = (self.lake.state().version, since, until)
            kept = self._pages.get(key)
            if kept is not None:
                return kept
            report = self._standing.build(since, until)
            page = html.render(report, live=self._live(report.overview.period, request))
            for old in [k for k in self._pages if k[0] != key[0]] or list(self._pages)[: 1 - KEPT]:
                del self._pages[old]
            self._pages[key] = page
        return page

    def flows(self, request: Mapping[str, str]) -> str:
        """The flows of an address, a port, or both.

        Raises:
            UsageError: a part of the request is not what it should be.
        """
        wanted = _filter(request)
        values = {
            "since": wanted.since,
            "until": wanted.until,
            "address": wanted.address,
            "port": wanted.port,
            "protocol": wanted.protocol,
            "action": wanted.action,
            "limit": PAGE + 1,
            "offset": wanted.offset,
        }
        snapshot = self.lake.snapshot(wanted.since, wanted.until)
        with self._slots, Engine(snapshot, timeout=_TIMEOUT) as engine:
            rows = engine.execute(FLOWS, values).to_pylist()
        live = {"query": Filter(wanted.since, wanted.until).query()}
        return html.page(
            "flows.html",
            live=live,
            wanted=wanted,
            rows=rows[:PAGE],
            more=wanted.query(offset=wanted.offset + PAGE) if len(rows) > PAGE else None,
            less=wanted.query(offset=max(0, wanted.offset - PAGE)) if wanted.offset else None,
        )

    def _live(self, period: Any, request: Mapping[str, str]) -> dict[str, Any]:
        """What the page of a live lake has beyond the file: periods to pick, links to flows."""
        files = self.lake.snapshot().files("flows")
        last = max((f.max_start for f in files if f.max_start is not None), default=period.until)
        end = -(-(last + 1) // 3600) * 3600
        spans = (("last hour", 1), ("6 hours", 6), ("24 hours", 24), ("7 days", 168))
        periods = [(name, f"/?{Filter(end - 3600 * h, end).query()}") for name, h in spans]
        here = urlencode({k: request[k] for k in ("since", "until") if request.get(k)})
        return {
            "query": Filter(period.since, period.until).query(),
            "periods": [("all", "/"), *periods],
            "path": f"/?{here}" if here else "/",
            "since": _local(period.since),
            "until": _local(period.until),
        }


def _moment(request: Mapping[str, str], name: str) -> int | None:
    text = request.get(name, "").strip()
    return parse_time(text[:64]) if text else None


def _filter(request: Mapping[str, str]) -> Filter:
    address = request.get("address", "").strip() or None
    if address is not None:
        try:
            ipaddress.ip_address(address)
        except ValueError:
            raise UsageError(f"{address[:60]!r} is no address") from None
    action = request.get("action") or None
    if action not in {None, "ACCEPT", "REJECT"}:
        raise UsageError("an action is ACCEPT or REJECT")
    now = int(time.time())
    since, until = _moment(request, "since"), _moment(request, "until")
    return Filter(
        since=since if since is not None else 0,
        until=until if until is not None else now,
        address=address,
        port=_number(request, "port", 65_535),
        protocol=_number(request, "protocol", 255),
        action=action,
        offset=_number(request, "offset", 1_000_000) or 0,
    )


def _number(request: Mapping[str, str], name: str, most: int) -> int | None:
    text = request.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) <= most):
        raise UsageError(f"{name} is a number up to {most}")
    return int(text)


def _local(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M}"
