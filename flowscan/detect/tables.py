"""The tables that all detections share, made once per run: sessions, hosts, contacts and others.

Made from the same query files that a user or Athena runs as views; here they are temporary tables
of an engine. Invariant: every row belongs to one UTC day and depends on that day's flows only,
so a day gives the same rows whichever other days are evaluated with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from flowscan import queries
from flowscan.detect import known
from flowscan.engine import Engine
from flowscan.enrich import Geo
from flowscan.match import FeedIndex

SHARED: Final = ("edges", "sessions", "hosts", "contacts", "volumes")

_CALLED: Final = """
SELECT DISTINCT address FROM (
  SELECT server AS address FROM contacts WHERE server_side = 'public'
  UNION ALL SELECT client FROM contacts WHERE client_side = 'public')
"""
_AWS: Final = """
SELECT DISTINCT pkt_dstaddr AS address, 'aws-service' AS kind FROM flows
WHERE pkt_dst_aws_service IS NOT NULL AND pkt_dstaddr IS NOT NULL
"""


def shared_query(name: str) -> queries.Query:
    """Query file of a shared table."""
    return queries.read(queries.queries_dir() / f"{name}.sql")


def make(engine: Engine, since: int, until: int) -> None:
    """Make sessions, hosts and contacts from the flows of whole UTC days."""
    for name in SHARED:
        query = shared_query(name)
        given = {"since": since, "until": until, "by_day": 1}
        given = {n: v for n, v in given.items() if n in query.params}
        select = engine.translate(queries.inline(query, given))
        engine.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {select}")


def make_places(engine: Engine, *, aws_services: bool) -> None:
    """Make `places` (address, kind): the well-known services among the addresses."""
    addresses = engine.execute(_CALLED).column("address").to_pylist()
    insert(engine, "places", ("address", "kind"), known.classify(addresses))
    if aws_services:
        engine.execute(
            f"INSERT INTO places SELECT * FROM ({_AWS}) a "
            "WHERE a.address NOT IN (SELECT address FROM places)"
        )


def make_matches(engine: Engine, index: FeedIndex | None) -> int:
    """Make `matches` (address, feed, category, confidence, indicator): which are listed."""
    names = ("address", "feed", "category", "confidence", "indicator")
    rows: list[Sequence[object]] = []
    if index is not None and len(index):
        texts = engine.execute(_CALLED).column("address").combine_chunks()
        found, _ = index.find(texts)
        listed = index.table.select(list(names[1:])).take(found.row).to_pylist()
        where = texts.take(found.position).to_pylist()
        rows = [
            (address, *(row[n] for n in names[1:]))
            for address, row in zip(where, listed, strict=True)
        ]
    types = {"confidence": "INTEGER"}
    insert(engine, "matches", names, rows, types)
    return len(rows)


def make_geo(engine: Engine, files: Sequence[str]) -> None:
    """Make `geo` (address, country, asn, as_name) of the outside addresses, from MMDB files.

    Raises:
        ConfigError: a file is missing or damaged.
    """
    rows: list[Sequence[object]] = []
    if files:
        with Geo(files) as geo:
            for address in engine.execute(_CALLED).column("address").to_pylist():
                place = geo.lookup(address)
                if place.country or place.asn:
                    rows.append((address, place.country, place.asn, place.as_name))
    insert(engine, "geo", ("address", "country", "asn", "as_name"), rows, {"asn": "BIGINT"})


def insert(
    engine: Engine,
    table: str,
    names: Sequence[str],
    rows: Iterable[Sequence[object]],
    types: Mapping[str, str] | None = None,
) -> None:
    """Make a temporary table of a few thousand rows; texts and numbers only, quoted."""
    columns = ", ".join(f"{name} {(types or {}).get(name, 'VARCHAR')}" for name in names)
    engine.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({columns})")
    lines = [f"({', '.join(_literal(value) for value in row)})" for row in rows]
    for at in range(0, len(lines), 5000):
        engine.execute(f"INSERT INTO {table} VALUES {', '.join(lines[at : at + 5000])}")


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    return queries.quote(value if isinstance(value, int | float) else str(value))
