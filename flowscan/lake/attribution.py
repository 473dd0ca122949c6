"""Do the rows know their sources as the ledger does? Counted while `verify` reads the files.

Invariant: of an attributed source no more flows are live than its record says, and exactly as many
as long as nothing has expired; a flow names no source that the ledger does not have.
"""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np

from flowscan.arrays import filled
from flowscan.lake.ledger import Commit
from flowscan.schema import SOURCE_ID

_NONE = -1


class Attribution:
    """Flows by source: what the ledger says of each number, and what the files hold."""

    def __init__(self) -> None:
        self._said = array("q"), array("q")
        self._numbers: list[Any] = []
        self._counts: list[Any] = []

    def commit(self, commit: Commit) -> None:
        """Take what a commit says of its sources."""
        for source in commit.sources:
            if source.source_id is not None:
                self._said[0].append(source.source_id)
                self._said[1].append(source.flows)

    def rows(self, table: Any) -> None:
        """Count rows of flows."""
        if SOURCE_ID not in table.schema.names:
            return
        for chunk in table[SOURCE_ID].chunks:
            if str(chunk.type) != "int64":
                return  # a log's own field of that name, which format 1 kept
            numbers, counts = np.unique(filled(chunk, _NONE), return_counts=True)
            self._numbers.append(numbers)
            self._counts.append(counts)

    def wrong(self, *, expired: bool) -> list[str]:
        """What does not agree, a line each."""
        found, which = np.unique(_joined(self._numbers), return_inverse=True)
        live = np.bincount(which, weights=_joined(self._counts), minlength=len(found))
        known, place = np.unique(np.array(self._said[0], np.int64), return_index=True)
        flows = np.array(self._said[1], np.int64)[place]
        strange = found[~np.isin(found, known) & (found != _NONE)]
        if len(strange):
            return [f"{len(strange)} source numbers of flows are not in the ledger: {strange[:5]}"]
        held = np.zeros(len(known), np.int64)
        named = found != _NONE
        held[np.searchsorted(known, found[named])] = live[named]
        bad = held > flows if expired else held != flows
        return [
            f"source {known[i]} has {held[i]} flows, its record says {flows[i]}"
            for i in np.flatnonzero(bad)[:5]
        ]


def _joined(parts: list[Any]) -> Any:
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)
