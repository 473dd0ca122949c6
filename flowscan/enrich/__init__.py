"""Who an address is: country and AS from the user's MMDB files, registration by RDAP, names.

networks and services are facts shipped as small tables; mmdb and rdap ask. Invariant: nothing
here touches the network unless the user asked for registrations.
"""

from __future__ import annotations

from flowscan.enrich.mmdb import Geo, Place
from flowscan.enrich.networks import Network, classify
from flowscan.enrich.rdap import Registrar, Registration
from flowscan.enrich.services import protocol_name, service_name

__all__ = [
    "Geo",
    "Network",
    "Place",
    "Registrar",
    "Registration",
    "classify",
    "protocol_name",
    "service_name",
]
