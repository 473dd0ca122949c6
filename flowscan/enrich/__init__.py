"""Who an address is: country and AS from the user's MMDB files, registration by RDAP.

What is known without asking anybody is in flowscan.net. Invariant: nothing here touches the
network unless the user asked for registrations.
"""

from __future__ import annotations

from flowscan.enrich.mmdb import Geo, Place
from flowscan.enrich.rdap import Registrar, Registration

__all__ = ["Geo", "Place", "Registrar", "Registration"]
