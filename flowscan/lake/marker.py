"""The marker: the file by which a folder is known as a lake, and the lake's format at a glance.

Invariant: the marker never says a higher format than the ledger lets old writers work in. A new
lake's is created with it; of an older lake it is raised after the commit that shut them out (see
upgrade.py), so a marker that is behind the ledger only tells of an upgrade that was cut short.
"""

from __future__ import annotations

import json
import time
from typing import Any

from flowscan.errors import LakeCorrupt
from flowscan.lake import layout
from flowscan.lake.ledger import check_format
from flowscan.lake.store import Store


def read(store: Store) -> int | None:
    """The format that the marker says; None where there is no marker.

    Raises:
        LakeCorrupt: it is damaged.
        LakeError: a newer flowscan wrote it.
    """
    try:
        data = store.read(layout.MARKER)
    except FileNotFoundError:
        return None
    return int(_body(data, store)["format"])


def create(store: Store, writer: str) -> None:
    """Make a lake of the present format, unless somebody does it at the same time."""
    body = {"format": layout.FORMAT, "created_by": writer, "at": int(time.time())}
    store.create(layout.MARKER, json.dumps(body).encode())


def raise_format(store: Store) -> None:
    """Let the marker say the present format; whoever does it says the same."""
    body = _body(store.read(layout.MARKER), store)
    if body["format"] < layout.FORMAT:
        store.put(layout.MARKER, json.dumps({**body, "format": layout.FORMAT}).encode())


def _body(data: bytes, store: Store) -> Any:
    try:
        body = json.loads(data)
        check_format(body, store.where)
    except ValueError as error:
        raise LakeCorrupt("the lake's marker is damaged", where=layout.MARKER) from error
    return body
