"""The tables that all detections share, made once per run: sessions, hosts, contacts and others.

Made from the same query files that a user or Athena runs as views; here they are tables of a
workspace. Invariant: every row belongs to one UTC day and depends on that day's flows only,
so a day gives the same rows whichever other days are evaluated with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from flowscan import queries
from flowscan.engine import Workspace
from flowscan.enrich import Geo
from flowscan.match import FeedIndex
from flowscan.net.networks import services_among

SHARED: Final = ("edges", "hosts", "lanes", "pairs", "slices", "connections", "endpoints",
          "evidence", "verdicts", "sessions", "contacts", "volumes")  # fmt: skip

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


def make(engine: Workspace, since: int, until: int) -> None:
    """Make sessions, hosts and contacts from the flows of whole UTC days."""
    for name in SHARED:
        query = shared_query(name)
        given = {"since": since, "until": until}
        given = {n: v for n, v in given.items() if n in query.params}
        engine.make(name, engine.translate(queries.inline(query, given)))


def make_places(engine: Workspace, *, aws_services: bool) -> None:
    """Make `places` (address, kind): the well-known services among the addresses."""
    addresses = engine.execute(_CALLED).column("address").to_pylist()
    insert(engine, "places", ("address", "kind"), services_among(addresses))
    if aws_services:
        engine.execute(
            f"INSERT INTO places SELECT * FROM ({_AWS}) a "
            "WHERE a.address NOT IN (SELECT address FROM places)"
        )


def make_matches(engine: Workspace, index: FeedIndex | None) -> int:
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


def make_geo(engine: Workspace, files: Sequence[str]) -> None:
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
    engine: Workspace,
    table: str,
    names: Sequence[str],
    rows: Iterable[Sequence[object]],
    types: Mapping[str, str] | None = None,
) -> None:
    """Make a table of these rows; columns are texts where `types` does not say."""
    import pyarrow as pa

    kinds = {"INTEGER": pa.int32(), "BIGINT": pa.int64()}
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    arrays = [
        pa.array(column, kinds.get((types or {}).get(name, ""), pa.string()))
        for name, column in zip(names, columns, strict=True)
    ]
    engine.put(table, pa.table(arrays, names=list(names)))
