"""The tables beside traffic's that all detections share: places, matches, geo.

What is known of the addresses that were called from here or called us, made once per run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from flowscan.engine import Workspace
from flowscan.match import FeedIndex
from flowscan.net.networks import services_among

_STRANGERS: Final = """
SELECT DISTINCT address FROM (
  SELECT server AS address FROM contacts WHERE server_side = 'public'
  UNION ALL SELECT client FROM contacts WHERE client_side = 'public') called
"""
_AWS: Final = """
SELECT DISTINCT pkt_dstaddr AS address, 'aws-service' AS kind FROM flows
WHERE pkt_dst_aws_service IS NOT NULL AND pkt_dstaddr IS NOT NULL
"""


def strangers(engine: Workspace) -> Any:
    """The outside addresses that were called from here or called us, as an Arrow array."""
    return engine.execute(_STRANGERS).column("address").combine_chunks()


def make_places(engine: Workspace, addresses: Any, *, aws_services: bool) -> None:
    """Make `places` (address, kind): the well-known services among the addresses."""
    insert(engine, "places", ("address", "kind"), services_among(addresses.to_pylist()))
    if aws_services:
        engine.execute(
            f"INSERT INTO places SELECT * FROM ({_AWS}) a "
            "WHERE a.address NOT IN (SELECT address FROM places)"
        )


def make_matches(engine: Workspace, addresses: Any, index: FeedIndex | None) -> int:
    """Make `matches` (address, feed, category, confidence, indicator): which are listed."""
    names = ("address", "feed", "category", "confidence", "indicator")
    rows: list[Sequence[object]] = []
    if index is not None and len(index):
        found, _ = index.find(addresses)
        listed = index.table.select(list(names[1:])).take(found.row).to_pylist()
        where = addresses.take(found.position).to_pylist()
        rows = [
            (address, *(row[n] for n in names[1:]))
            for address, row in zip(where, listed, strict=True)
        ]
    types = {"confidence": "INTEGER"}
    insert(engine, "matches", names, rows, types)
    return len(rows)


def make_geo(engine: Workspace, addresses: Any, files: Sequence[str]) -> None:
    """Make `geo` (address, country, asn, as_name) of the addresses, from MMDB files.

    Raises:
        ConfigError: a file is missing or damaged.
    """
    rows: list[Sequence[object]] = []
    if files:
        from flowscan.enrich import Geo

        with Geo(files) as geo:
            for address in addresses.to_pylist():
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
