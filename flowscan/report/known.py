"""What is known of an address beside its flows: country and AS from MMDB files, published ranges.

Invariant: nothing here asks the network; without MMDB files there are no countries.
"""

from __future__ import annotations

from flowscan.enrich import Geo
from flowscan.net.networks import classify

_UNSAID = "unknown"


class Known:
    """Answers from the MMDB files given, if any, and from the shipped list of networks."""

    def __init__(self, geo: Geo | None = None) -> None:
        """Use opened MMDB files; the caller closes them."""
        self._geo = geo

    @property
    def has_countries(self) -> bool:
        """Tell whether there is a file to ask for countries."""
        return bool(self._geo)

    def country(self, address: str) -> str:
        """Name of the country of a public address."""
        if not self._geo:
            return ""
        place = self._geo.lookup(address)
        return place.country_name or place.country or _UNSAID

    def name(self, address: str) -> str:
        """What a public address is published as, such as a health checker; often nothing."""
        network = classify(address)
        return network.name if network.public else ""

    def details(self, address: str) -> dict[str, str]:
        """Country, AS and published name, as far as they are known."""
        found = {"known as": self.name(address)}
        if self._geo and classify(address).public:
            place = self._geo.lookup(address)
            found["country"] = place.country_name or place.country or ""
            number = f"AS{place.asn}" if place.asn else ""
            found["AS"] = " ".join(part for part in (number, place.as_name or "") if part)
        return {name: text for name, text in found.items() if text}
