"""Everything known about an address or a prefix: lists, activity, place, registration.

One object of plain values, for the command line and the report. Invariant: nothing leaves the
host unless a `Registrar` is given, and a source that has no answer leaves a note, not an error.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from flowscan.engine import Engine
from flowscan.enrich.mmdb import Geo, Place
from flowscan.enrich.rdap import Registrar, Registration
from flowscan.errors import UsageError
from flowscan.net.address import Interval, format_address, parse_interval
from flowscan.net.intervals import IntervalIndex, pack
from flowscan.net.networks import Network, classify
from flowscan.net.numbers import numbers

if TYPE_CHECKING:
    from flowscan.lake import Lake

BUCKETS: Final = 60
"""Columns of the sparkline."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What the lake has about the addresses; times are epoch seconds, lists are by weight."""

    flows: int = 0
    accepted: int = 0
    refused: int = 0
    packets: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    first_seen: int | None = None
    last_seen: int | None = None
    addresses: int = 0
    sparkline: tuple[int, ...] = ()
    ports: tuple[dict[str, Any], ...] = ()
    interfaces: tuple[dict[str, Any], ...] = ()
    peers: tuple[dict[str, Any], ...] = ()
    busiest: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Lookup:
    """Answer of `lookup`. `lists` are rows of `indicators` that hold or lie in the target."""

    target: str
    first: str
    last: str
    network: Network
    lists: tuple[dict[str, Any], ...]
    activity: Activity
    place: Place | None = None
    registration: Registration | None = None
    notes: tuple[str, ...] = field(default=())


def lookup(
    lake: Lake,
    target: str,
    *,
    since: int | None = None,
    until: int | None = None,
    geo: Geo | None = None,
    registrar: Registrar | None = None,
    now: int | None = None,
) -> Lookup:
    """Collect what is known about an address, prefix or range.

    Raises:
        UsageError: the text is none of these.
    """
    interval = parse_interval(target.strip())
    if interval is None:
        raise UsageError(f"{target!r} is no address, prefix or range")
    first = format_address(interval.family, interval.first)
    last = format_address(interval.family, interval.last)
    now = int(time.time()) if now is None else now
    notes = [] if geo else ["country and AS: no MMDB file given (--mmdb or [enrich] mmdb)"]
    if registrar is None:
        notes.append("registration: not asked (--whois)")
    return Lookup(
        target=target.strip(),
        first=first,
        last=last,
        network=classify(first),
        lists=_lists(lake, interval, now),
        activity=_activity(lake, interval, since, until),
        place=geo.lookup(first) if geo else None,
        registration=registrar.lookup(first) if registrar else None,
        notes=tuple(notes),
    )


def _lists(lake: Lake, interval: Interval, now: int) -> tuple[dict[str, Any], ...]:
    """Indicators that touch an interval; a prefix that was looked up may hold many: 1000."""
    table = lake.read("indicators")
    low, high = numbers(table["first"].combine_chunks()), numbers(table["last"].combine_chunks())
    first, last = (pack(interval.family, [v])[0] for v in (interval.first, interval.last))
    mine, theirs = low[interval.family], high[interval.family]
    if len(mine.positions) != len(theirs.positions):  # a range that reaches into ::ffff:0:0/96
        return ()
    touching = (mine.values <= last) & (theirs.values >= first)
    rows = table.take(pa.array(np.sort(mine.positions[touching])[:1000])).to_pylist()
    return tuple(r for r in rows if r["expires"] is None or r["expires"] > now)


_TOUCHED: Final = """
CREATE OR REPLACE TEMP TABLE touched AS
SELECT *, s.text IS NOT NULL AS sent,
  coalesce(s.text, d.text) AS mine, CASE WHEN s.text IS NULL THEN srcaddr ELSE dstaddr END AS peer
FROM (
  SELECT interface_id, srcaddr, dstaddr, srcport, dstport, protocol, packets, bytes, "start",
    "end", action
  FROM flows
  WHERE srcaddr IN (SELECT text FROM wanted) OR dstaddr IN (SELECT text FROM wanted)
) f
LEFT JOIN wanted s ON s.text = srcaddr
LEFT JOIN wanted d ON d.text = dstaddr
"""
_TOTALS: Final = """
SELECT count(*) AS flows,
  count(*) FILTER (coalesce(action, 'ACCEPT') = 'ACCEPT') AS accepted,
  count(*) FILTER (action = 'REJECT') AS refused,
  CAST(coalesce(sum(packets), 0) AS BIGINT) AS packets,
  CAST(coalesce(sum(bytes) FILTER (sent), 0) AS BIGINT) AS bytes_sent,
  CAST(coalesce(sum(bytes) FILTER (NOT sent), 0) AS BIGINT) AS bytes_received,
  min("start") AS first_seen, max("end") AS last_seen, count(DISTINCT mine) AS addresses
FROM touched
"""
_SPARK: Final = """
SELECT CAST(("start" - $first) * $buckets // greatest($span, 1) AS BIGINT) AS bucket,
  count(*) AS flows
FROM touched GROUP BY bucket ORDER BY bucket
"""
_PORTS: Final = """
SELECT protocol,
  CASE WHEN protocol IN (6, 17, 33, 132) THEN least(srcport, dstport) END AS port,
  count(*) FILTER (coalesce(action, 'ACCEPT') = 'ACCEPT') AS accepted,
  count(*) FILTER (action = 'REJECT') AS refused,
  CAST(coalesce(sum(bytes), 0) AS BIGINT) AS bytes
FROM touched GROUP BY ALL ORDER BY accepted + refused DESC, bytes DESC, protocol, port LIMIT 10
"""
_INTERFACES: Final = """
SELECT interface_id, count(*) FILTER (coalesce(action, 'ACCEPT') = 'ACCEPT') AS accepted,
  count(*) FILTER (action = 'REJECT') AS refused,
  CAST(coalesce(sum(bytes), 0) AS BIGINT) AS bytes
FROM touched GROUP BY ALL ORDER BY accepted + refused DESC, bytes DESC, interface_id LIMIT 10
"""
_PEERS: Final = """
SELECT peer AS address, count(*) AS flows,
  count(*) FILTER (action = 'REJECT') AS refused,
  CAST(coalesce(sum(bytes), 0) AS BIGINT) AS bytes
FROM touched GROUP BY ALL ORDER BY flows DESC, bytes DESC, address LIMIT 10
"""
_BUSIEST: Final = """
SELECT mine AS address, count(*) AS flows,
  count(*) FILTER (action = 'REJECT') AS refused,
  CAST(coalesce(sum(bytes), 0) AS BIGINT) AS bytes
FROM touched GROUP BY ALL ORDER BY flows DESC, bytes DESC, address LIMIT 10
"""
_DISTINCT: Final = "SELECT srcaddr AS text FROM flows UNION SELECT dstaddr FROM flows"


def _activity(lake: Lake, interval: Interval, since: int | None, until: int | None) -> Activity:
    snapshot = lake.snapshot(since, until)
    if not snapshot.files("flows"):
        return Activity()
    wanted = _texts(snapshot, interval)
    with Engine(snapshot, since=since, until=until, tables={"wanted": wanted}) as engine:
        engine.execute(_TOUCHED)
        totals = engine.execute(_TOTALS).to_pylist()[0]
        if not totals["flows"]:
            return Activity()
        first, last = totals["first_seen"], totals["last_seen"]
        bounds = {"first": first, "span": last - first + 1, "buckets": BUCKETS}
        spark = [0] * BUCKETS
        for row in engine.execute(_SPARK, bounds).to_pylist():
            spark[min(int(row["bucket"]), BUCKETS - 1)] += row["flows"]
        lists: dict[str, Any] = {
            name: tuple(engine.execute(sql).to_pylist())
            for name, sql in (
                ("ports", _PORTS),
                ("interfaces", _INTERFACES),
                ("peers", _PEERS),
                ("busiest", _BUSIEST),
            )
        }
    return Activity(**totals, sparkline=tuple(spark), **lists)


def _texts(snapshot: Any, interval: Interval) -> Any:
    """Texts by which flows may name the addresses of an interval: a table `wanted`."""
    family, first, last = interval
    if first == last:
        text = format_address(family, first)
        forms = [text] if family == 6 else [text, f"::ffff:{text}"]
        return pa.table({"text": pa.array(forms, pa.string())})
    index = IntervalIndex.build([interval])
    with Engine(snapshot) as engine:
        every = engine.execute(_DISTINCT).column(0).combine_chunks().drop_null()
    kept = [
        one.positions[index.find(kind, one.values) >= 0] for kind, one in numbers(every).items()
    ]
    return pa.table({"text": every.take(pa.array(np.concatenate(kept)))})
