"""Which days a detection has evaluated, and from what.

Invariant: a day is named by its lineage, so compaction changes nothing and late objects exactly
their days; what was evaluated from other flows, parameters, feeds or query files is due again.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from flowscan.findings import DAY
from flowscan.lake import Lake, Snapshot

KIND: Final = "detect"


class Days:
    """The days of a snapshot that have flows: how many, and a digest of their lineage."""

    def __init__(self, snapshot: Snapshot) -> None:
        """Read the file list of a snapshot."""
        self.rows: dict[int, int] = defaultdict(int)
        for entry in snapshot.files("flows"):
            if entry.min_start is not None:
                self.rows[entry.min_start - entry.min_start % DAY] += entry.rows
        self._sorted = sorted(self.rows)
        self._coverage = snapshot.files("coverage")
        self._digests = {day: snapshot.lineage_digest(day // DAY) for day in self._sorted}

    def __iter__(self) -> Iterator[int]:
        """Days that have flows, in order."""
        return iter(self._sorted)

    def digest(self, day: int) -> str:
        """Names the flows of a day; empty for a day without flows."""
        return self._digests.get(day, "")

    def coverage(self, day: int) -> list[str]:
        """Names what NODATA and SKIPDATA say of a day and of the time before."""
        end = day + DAY
        return sorted(f.path for f in self._coverage if f.min_start is None or f.min_start < end)

    def window(self, day: int, lookback: int) -> list[int]:
        """The days before `day` that a look-back reaches and that have flows."""
        return [d for d in range(day - lookback * DAY, day, DAY) if d in self._digests]


class Progress:
    """What has been evaluated, and from what: detection → day → digest of everything it used."""

    def __init__(self, lake: Lake) -> None:
        """Read the progress of earlier runs."""
        data = lake.get_blob(KIND, "progress")
        self.done: dict[str, dict[str, str]] = json.loads(data) if data else {}

    def due(self, name: str, day: int, key: str) -> bool:
        """Whether a day has to be evaluated (again)."""
        return self.done.get(name, {}).get(str(day)) != key

    def save(self, lake: Lake, keys: Mapping[str, Mapping[int, str]], now: int) -> None:
        """Remember what was evaluated."""
        for name, days in keys.items():
            self.done.setdefault(name, {}).update({str(d): key for d, key in days.items()})
        lake.put_blob(KIND, "progress", json.dumps(self.done, sort_keys=True).encode())
        lake.put_blob(KIND, "last-run", json.dumps({"at": now}).encode())
