"""Everything known about an address or a prefix: lists, activity, place, registration.

One object of plain values, for the command line and the report. Activity comes from the tables of
traffic: volumes say how much and when, contacts who called whom and how it ended. Invariant:
nothing leaves the host unless a `Registrar` is given, and a source that has no answer leaves a
note, not an error.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from flowscan import traffic
from flowscan.arrays import integer_array
from flowscan.engine import threads_for
from flowscan.enrich.mmdb import Geo, Place
from flowscan.enrich.rdap import Registrar, Registration
from flowscan.errors import UsageError
from flowscan.net.address import Interval, format_address, parse_interval
from flowscan.net.intervals import IntervalIndex, pack
from flowscan.net.networks import Network, classify
from flowscan.net.numbers import numbers

if TYPE_CHECKING:
    from flowscan.engine import Engine
    from flowscan.lake import Lake

BUCKETS: Final = 60
"""Columns of the sparkline."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What the lake has about the addresses; times are epoch seconds, lists are by weight.

    `flows`, `accepted` and `refused` count flow records; bytes count once whoever recorded them,
    and only where they were let through. `called` are whom it called, `called_by` who called it,
    `undecided` with whom it is not known who did: ten pairs each, with up to three of their
    services and the connections by outcome; `more` says how many other pairs there are of each.
    `services` are its own that were called, of
    `services_open` that answered with more than a reset and `services_tried` in all. `sides` says
    whether it is ours, public or other; `gateway` that it passes on what others send, which
    counts as theirs and stands at their addresses.
    """

    flows: int = 0
    accepted: int = 0
    refused: int = 0
    packets: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    first_seen: int | None = None
    last_seen: int | None = None
    addresses: int = 0
    sides: tuple[str, ...] = ()
    gateway: bool = False
    services_tried: int = 0
    services_open: int = 0
    sparkline: tuple[int, ...] = ()
    called: tuple[dict[str, Any], ...] = ()
    called_by: tuple[dict[str, Any], ...] = ()
    undecided: tuple[dict[str, Any], ...] = ()
    more: dict[str, int] = field(default_factory=dict)
    services: tuple[dict[str, Any], ...] = ()
    interfaces: tuple[dict[str, Any], ...] = ()
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
    if any(edge is not None and edge % _HOUR_S for edge in (since, until)):
        notes.append("the window is widened to whole hours, connections to whole UTC days")
    elif any(edge is not None and edge % _DAY_S for edge in (since, until)):
        notes.append("connections and their outcomes are those of whole UTC days")
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
    touching = np.sort(mine.positions[(mine.values <= last) & (theirs.values >= first)])
    rows = [row for at in touching[:1000].tolist() for row in table.slice(at, 1).to_pylist()]
    return tuple(r for r in rows if r["expires"] is None or r["expires"] > now)


# Both ends of a row may be meant: it counts once, as its client's. Minutes are as fine as it needs.
_TOUCHED: Final = """
CREATE OR REPLACE TEMP TABLE touched AS
SELECT mine, side, interface_id, sum(records) AS records, sum(rejected) AS rejected,
  sum(packets) AS packets, sum(sent) AS sent, sum(received) AS received,
  min(first_seen) AS first_seen, max(last_seen) AS last_seen
FROM (
  SELECT client AS mine, client_side AS side, interface_id, records, rejected,
    packets_out + packets_in AS packets, bytes_out AS sent, bytes_in AS received, first_seen,
    last_seen
  FROM volumes WHERE client IN (SELECT text FROM wanted)
  UNION ALL
  SELECT server, server_side, interface_id, records, rejected, packets_out + packets_in, bytes_in,
    bytes_out, first_seen, last_seen
  FROM volumes
  WHERE server IN (SELECT text FROM wanted) AND client NOT IN (SELECT text FROM wanted)
)
GROUP BY mine, side, interface_id, first_seen // 60
"""
_MET: Final = """
CREATE OR REPLACE TEMP TABLE met AS
SELECT way, mine, peer, protocol, CASE WHEN protocol IN (6, 17, 132) THEN port END AS port,
  sum(sessions) AS sessions, sum(answered) AS answered, sum(closed) AS closed,
  sum(silent) AS silent, sum(refused) AS refused, sum(sent) AS sent, sum(received) AS received,
  min(first_seen) AS first_seen, max(last_seen) AS last_seen
FROM (
  SELECT CASE WHEN undecided = sessions THEN 'undecided' ELSE 'called' END AS way,
    client AS mine, server AS peer, protocol, port, sessions, "open" + empty AS answered, closed,
    silent, refused, bytes_out AS sent, bytes_in AS received, first_seen, last_seen
  FROM contacts WHERE client IN (SELECT text FROM wanted)
  UNION ALL
  SELECT CASE WHEN undecided = sessions THEN 'undecided' ELSE 'called_by' END,
    server, client, protocol, port, sessions, "open" + empty, closed, silent, refused, bytes_in,
    bytes_out, first_seen, last_seen
  FROM contacts WHERE server IN (SELECT text FROM wanted)
)
WHERE last_seen >= $since AND first_seen < $until
GROUP BY ALL
"""
_TOTALS: Final = """
SELECT CAST(coalesce(sum(records), 0) AS BIGINT) AS flows,
  CAST(coalesce(sum(records - rejected), 0) AS BIGINT) AS accepted,
  CAST(coalesce(sum(rejected), 0) AS BIGINT) AS refused,
  CAST(coalesce(sum(packets), 0) AS BIGINT) AS packets,
  CAST(coalesce(sum(sent), 0) AS BIGINT) AS bytes_sent,
  CAST(coalesce(sum(received), 0) AS BIGINT) AS bytes_received,
  min(first_seen) AS first_seen, max(last_seen) AS last_seen,
  list(DISTINCT side ORDER BY side) AS sides
FROM touched
"""
_SPARK: Final = """
SELECT CAST((first_seen - $first) * $buckets // greatest($span, 1) AS BIGINT) AS bucket,
  CAST(sum(records) AS BIGINT) AS flows
FROM touched GROUP BY bucket ORDER BY bucket
"""
_PAIRS: Final = """
SELECT mine, peer, count(*) AS ports, count(*) FILTER (answered > 0) AS ports_open,
  max_by({'port': port, 'protocol': protocol}, sessions * 65536 - coalesce(port, 0), 3)
    AS services,
  CAST(sum(sessions) AS BIGINT) AS sessions,
  CAST(sum(answered) AS BIGINT) AS answered, CAST(sum(closed) AS BIGINT) AS reset,
  CAST(sum(silent) AS BIGINT) AS unanswered, CAST(sum(refused) AS BIGINT) AS refused,
  CAST(sum(sent) AS BIGINT) AS bytes_sent, CAST(sum(received) AS BIGINT) AS bytes_received,
  min(first_seen) AS first_seen, max(last_seen) AS last_seen
FROM met WHERE way = $way
GROUP BY mine, peer
ORDER BY sum(met.sessions) DESC, bytes_sent + bytes_received DESC, mine, peer LIMIT 10
"""
_OF_EACH: Final = """
SELECT way, count(DISTINCT (mine, peer)) AS pairs FROM met GROUP BY way ORDER BY way
"""
_SERVICES: Final = """
SELECT protocol, port, count(DISTINCT peer) AS callers,
  CAST(sum(sessions) AS BIGINT) AS sessions,
  CAST(sum(answered) AS BIGINT) AS answered, CAST(sum(closed) AS BIGINT) AS reset,
  CAST(sum(silent) AS BIGINT) AS unanswered, CAST(sum(refused) AS BIGINT) AS refused,
  CAST(sum(sent) AS BIGINT) AS bytes_sent, CAST(sum(received) AS BIGINT) AS bytes_received
FROM met WHERE way = 'called_by'
GROUP BY protocol, port
ORDER BY sum(met.answered) > 0 DESC, sum(met.sessions) DESC, protocol, port LIMIT 10
"""
_COUNTS: Final = """
SELECT count(DISTINCT mine) AS addresses,
  count(DISTINCT (protocol, port)) FILTER (way = 'called_by') AS services_tried,
  count(DISTINCT (protocol, port)) FILTER (way = 'called_by' AND answered > 0) AS services_open
FROM met
"""
_INTERFACES: Final = """
SELECT interface_id, CAST(sum(records - rejected) AS BIGINT) AS accepted,
  CAST(sum(rejected) AS BIGINT) AS refused,
  CAST(sum(sent + received) AS BIGINT) AS bytes
FROM touched GROUP BY ALL ORDER BY accepted + refused DESC, bytes DESC, interface_id LIMIT 10
"""
_BUSIEST: Final = """
SELECT mine AS address, CAST(sum(records) AS BIGINT) AS flows,
  CAST(sum(rejected) AS BIGINT) AS refused,
  CAST(sum(sent + received) AS BIGINT) AS bytes
FROM touched GROUP BY ALL ORDER BY flows DESC, bytes DESC, address LIMIT 10
"""
_GATEWAY: Final = """
SELECT coalesce(max(gateway), 0) > 0 AS gateway
FROM hosts WHERE address IN (SELECT text FROM wanted)
"""
_DISTINCT: Final = """
SELECT client AS text FROM contacts UNION SELECT server FROM contacts UNION
SELECT address FROM hosts
"""
_HOUR_S: Final = 3_600
_DAY_S: Final = 86_400
_ALWAYS: Final = (0, 1 << 62)


def _activity(lake: Lake, interval: Interval, since: int | None, until: int | None) -> Activity:
    snapshot = lake.snapshot(since, until)
    if not snapshot.files("flows"):
        return Activity()
    threads = threads_for(snapshot.rows("volumes"))
    with traffic.reading(lake, since, until, threads=threads) as engine:
        engine.put("wanted", _texts(engine, interval))
        engine.execute(_TOUCHED)
        totals = engine.execute(_TOTALS).to_pylist()[0]
        totals |= engine.execute(_GATEWAY).to_pylist()[0]
        if not totals["flows"]:
            return Activity(gateway=totals["gateway"])
        begin, end = (_ALWAYS[i] if t is None else t for i, t in enumerate((since, until)))
        engine.execute(_MET, {"since": begin, "until": end})
        lists: dict[str, Any] = {
            way: tuple(engine.execute(_PAIRS, {"way": way}).to_pylist())
            for way in ("called", "called_by", "undecided")
        }
        pairs = {r["way"]: r["pairs"] for r in engine.execute(_OF_EACH).to_pylist()}
        totals["more"] = {way: pairs.get(way, 0) - len(found) for way, found in lists.items()}
        for name, sql in (
            ("services", _SERVICES),
            ("interfaces", _INTERFACES),
            ("busiest", _BUSIEST),
        ):
            lists[name] = tuple(engine.execute(sql).to_pylist())
        totals |= engine.execute(_COUNTS).to_pylist()[0]
        totals["sides"] = tuple(totals["sides"])
        return Activity(**totals, **lists, sparkline=_sparkline(engine, totals))


def _sparkline(engine: Engine, totals: dict[str, Any]) -> tuple[int, ...]:
    """Flow records over time, as finely as hours allow."""
    first, last = totals["first_seen"], totals["last_seen"]
    counts = [0] * BUCKETS
    bounds = {"first": first, "span": last - first + 1, "buckets": BUCKETS}
    for row in engine.execute(_SPARK, bounds).to_pylist():
        counts[min(int(row["bucket"]), BUCKETS - 1)] += row["flows"]
    return tuple(counts)


def _texts(engine: Engine, interval: Interval) -> Any:
    """Texts by which traffic may name the addresses of an interval: a table `wanted`."""
    family, first, last = interval
    if first == last:
        text = format_address(family, first)
        forms = [text] if family == 6 else [text, f"::ffff:{text}"]
        return pa.table({"text": pa.array(forms, pa.string())})
    index = IntervalIndex.build([interval])
    every = engine.execute(_DISTINCT).column(0).combine_chunks().drop_null()
    kept = [
        one.positions[index.find(kind, one.values) >= 0] for kind, one in numbers(every).items()
    ]
    return pa.table({"text": every.take(integer_array(np.concatenate(kept), None))})
