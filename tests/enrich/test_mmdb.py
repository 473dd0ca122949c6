"""MMDB files of every layout, written by mmdb-writer, and damaged ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from flowscan.enrich.mmdb import Geo, Place, read_record
from flowscan.errors import ConfigError

LAYOUTS: dict[str, tuple[dict[str, Any], Place]] = {
    "GeoLite2-City": (
        {"country": {"iso_code": "DE", "names": {"en": "Germany", "de": "Deutschland"}}, "city": {"names": {"en": "Berlin"}}},
        Place("DE", "Germany", "Berlin"),
    ),
    "GeoLite2-Country, registered only": (
        {"registered_country": {"iso_code": "FR", "names": {"en": "France"}}},
        Place("FR", "France"),
    ),
    "GeoLite2-ASN": (
        {"autonomous_system_number": 64500, "autonomous_system_organization": "Example Net"},
        Place(asn=64500, as_name="Example Net"),
    ),
    "DBIP-City-Lite": (
        {"city": {"names": {"en": "Lyon"}}, "country": {"iso_code": "FR", "names": {"en": "France"}}},
        Place("FR", "France", "Lyon"),
    ),
    "ipinfo lite": (
        {"asn": "AS64500", "as_name": "Example Net", "country": "Germany", "country_code": "DE"},
        Place("DE", "Germany", None, 64500, "Example Net"),
    ),
    "ipinfo country_asn": (
        {"country": "DE", "country_name": "Germany", "asn": "AS64500", "as_name": "Example Net"},
        Place("DE", "Germany", None, 64500, "Example Net"),
    ),
    "ip-location-db country": ({"country_code": "DE"}, Place("DE")),
    "ip-location-db city": ({"city": "Berlin", "country_code": "de"}, Place("DE", None, "Berlin")),
    "nonsense": ({"country": 7, "asn": "ASX", "city": ["x"], "country_code": "DEU"}, Place()),
}  # fmt: skip


def write(
    path: Path, record: dict[str, Any], network: str = "45.1.0.0/16", version: int = 4
) -> Path:
    writer = MMDBWriter(version, "Test", languages=["en"])
    writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return path


@pytest.mark.parametrize("case", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_layouts(case: tuple[dict[str, Any], Place], tmp_path: Path) -> None:
    record, expected = case
    assert read_record(record) == expected
    with Geo([write(tmp_path / "x.mmdb", record)]) as geo:
        assert geo.lookup("45.1.2.3") == expected
        assert geo.lookup("46.1.2.3") == Place()
        assert geo.lookup("2a00::1") == Place()
        assert geo.lookup("no address") == Place()


def test_files_add_up_and_the_first_wins(tmp_path: Path) -> None:
    country = write(tmp_path / "c.mmdb", {"country_code": "DE"})
    asn = write(tmp_path / "a.mmdb", {"asn": "AS64500", "country_code": "FR"})
    with Geo([country, asn]) as geo:
        assert geo.lookup("45.1.2.3") == Place("DE", asn=64500)
    with Geo([]) as geo:
        assert not geo
        assert geo.lookup("45.1.2.3") == Place()


def test_ipv6(tmp_path: Path) -> None:
    path = write(tmp_path / "x.mmdb", {"country_code": "SE"}, "2a00::/16", 6)
    with Geo([path]) as geo:
        assert geo.lookup("2a00:1::5").country == "SE"


def test_hostile_values_are_made_printable(tmp_path: Path) -> None:
    record = {"as_name": "evil\x1b[31m\u202ename\n" + "x" * 500, "asn": "AS5"}
    with Geo([write(tmp_path / "x.mmdb", record)]) as geo:
        name = geo.lookup("45.1.2.3").as_name
    assert name is not None
    assert name.isprintable()
    assert len(name) <= 120


def test_no_file_or_no_mmdb(tmp_path: Path) -> None:
    (tmp_path / "x.mmdb").write_bytes(b"no database")
    for name in ("x.mmdb", "absent.mmdb"):
        with pytest.raises(ConfigError, match=name):
            Geo([tmp_path / name])
