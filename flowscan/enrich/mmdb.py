"""Country, city and AS of an address, from MMDB files that the user has.

Understands the layouts of GeoLite2/GeoIP2, DB-IP, IPinfo and ip-location-db by the members of a
record, not by the file's name. Invariant: values from a file are text of strangers; they are
bounded and made printable here, and a damaged file is an error that names it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from flowscan.errors import ConfigError
from flowscan.text import plain

_ASN = re.compile(r"(?:AS)?([0-9]{1,10})", re.IGNORECASE)
_LONGEST = 120


@dataclass(frozen=True, slots=True)
class Place:
    """What MMDB files say about an address; None is "not said". `country` is ISO 3166 alpha-2."""

    country: str | None = None
    country_name: str | None = None
    city: str | None = None
    asn: int | None = None
    as_name: str | None = None

    def or_else(self, other: Place) -> Place:
        """Fill what this one does not say with what another says."""
        return replace(
            other,
            **{
                name: value for name in self.__slots__ if (value := getattr(self, name)) is not None
            },
        )


class Geo:
    """Opened MMDB files; earlier ones win where several say something. Close when done."""

    def __init__(self, paths: Iterable[str | Path]) -> None:
        """Open files.

        Raises:
            ConfigError: a file is missing or no MMDB file.
        """
        self._readers: list[tuple[str, Any]] = []
        for path in paths:
            try:
                self._readers.append((str(path), _opened(path)))
            except ConfigError:
                self.close()
                raise

    def __enter__(self) -> Self:
        """The opened files."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files."""
        self.close()

    def close(self) -> None:
        """Close the files."""
        for _, reader in self._readers:
            reader.close()
        self._readers = []

    def __bool__(self) -> bool:
        """True when there is a file to ask."""
        return bool(self._readers)

    def lookup(self, address: str) -> Place:
        """What the files say about an address; an empty Place when nothing.

        Raises:
            ConfigError: a file is damaged.
        """
        import maxminddb

        place = Place()
        for path, reader in self._readers:
            try:
                record = reader.get(address)
            except ValueError:  # an IPv6 address in an IPv4-only file, or no address
                continue
            except maxminddb.InvalidDatabaseError as error:
                raise ConfigError(f"damaged MMDB file: {error}", where=path) from error
            if isinstance(record, dict):
                place = place.or_else(read_record(record))
        return place


def _opened(path: str | Path) -> Any:
    import maxminddb

    try:
        return maxminddb.open_database(str(path), maxminddb.MODE_AUTO)
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
        raise ConfigError(f"no MMDB file: {error}", where=str(path)) from error


def read_record(record: dict[str, Any]) -> Place:
    """Read a record of any known layout."""
    code, name = _country(record)
    number = record.get("autonomous_system_number", record.get("asn"))
    organisation = record.get(
        "autonomous_system_organization", record.get("as_name", record.get("organization"))
    )
    if isinstance(number, str):
        found = _ASN.fullmatch(number.strip())
        number = int(found[1]) if found else None
    return Place(
        country=code,
        country_name=name,
        city=_text(_name(record.get("city"))),
        asn=number if isinstance(number, int) and 0 < number < 1 << 32 else None,
        as_name=_text(organisation),
    )


def _country(record: dict[str, Any]) -> tuple[str | None, str | None]:
    """Code and name of the country: nested (GeoIP2, DB-IP) or flat (IPinfo, ip-location-db)."""
    nested = record.get("country") or record.get("registered_country")
    if isinstance(nested, dict):
        return _code(nested.get("iso_code")), _text(_name(nested))
    code = _code(record.get("country_code")) or _code(nested)
    name = record.get("country_name", nested if _code(nested) is None else None)
    return code, _text(name)


def _code(value: Any) -> str | None:
    good = isinstance(value, str) and len(value) == 2 and value.isascii() and value.isalpha()
    return value.upper() if good else None


def _name(value: Any) -> Any:
    names = value.get("names") if isinstance(value, dict) else None
    return names.get("en") if isinstance(names, dict) else value


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    return plain(value.strip())[:_LONGEST] or None
