"""What earlier days looked like: small tables kept in the lake, one Parquet text per day.

Invariant: a kept day is used only while the flow files of that day are the ones that it was made
from; otherwise it is made again. So baselines grow by a day at a time and never drift.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from flowscan.detect.tables import SHARED, shared_query
from flowscan.engine import Workspace
from flowscan.findings import DAY
from flowscan.lake import Lake, Snapshot

KIND: Final = "detect"
KEPT: Final = ("contacts", "volumes")

# A stranger who was let in is no history that anything looks back on; dropping those rows keeps
# a kept day small on a busy web site.
_SELECT: Final = {
    "contacts": "SELECT * FROM contacts WHERE day = {day} AND NOT (client_side = 'public' "
    "AND failed = 0)",
    "volumes": "SELECT * FROM volumes WHERE day = {day}",
}


class Days:
    """The flow files of a snapshot by UTC day: which days there are, how large, and a digest."""

    def __init__(self, snapshot: Snapshot) -> None:
        """Read the file list of a snapshot."""
        files: dict[int, list[str]] = defaultdict(list)
        self.rows: dict[int, int] = defaultdict(int)
        for entry in snapshot.files("flows"):
            if entry.min_start is None:
                continue
            day = entry.min_start - entry.min_start % DAY
            files[day].append(entry.path)
            self.rows[day] += entry.rows
        self._digests = {
            day: hashlib.sha256("\n".join(sorted(paths)).encode()).hexdigest()[:16]
            for day, paths in files.items()
        }

    def __iter__(self) -> Any:
        """Days that have flows, in order."""
        return iter(sorted(self._digests))

    def digest(self, day: int) -> str:
        """Names the exact files of a day; empty for a day without flows."""
        return self._digests.get(day, "")

    def window(self, day: int, lookback: int) -> list[int]:
        """The days before `day` that a look-back reaches and that have flows."""
        return [d for d in self if day - lookback * DAY <= d < day]


def version() -> str:
    """Name of the shared queries as they are; kept days of another version are made again."""
    text = "".join(shared_query(n).sql for n in SHARED)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def keep(lake: Lake, engine: Workspace, days: Days, wanted: Iterable[int]) -> None:
    """Keep the small tables of these days."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for day in wanted:
        for name in KEPT:
            table: pa.Table = engine.execute(_SELECT[name].format(day=day))
            mark = {b"flowscan": f"{version()} {days.digest(day)}".encode()}
            sink = io.BytesIO()
            pq.write_table(table.replace_schema_metadata(mark), sink, compression="zstd")
            lake.put_blob(KIND, f"{name}/{day}", sink.getvalue())


def recall(lake: Lake, days: Days, wanted: Iterable[int]) -> tuple[dict[str, list[Any]], list[int]]:
    """The kept tables of these days by name, and the days that have to be made again."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    found: dict[str, list[Any]] = {name: [] for name in KEPT}
    missing = []
    for day in wanted:
        tables = {}
        for name in KEPT:
            data = lake.get_blob(KIND, f"{name}/{day}")
            table = pq.read_table(pa.BufferReader(data)) if data else None
            mark = (table.schema.metadata or {}).get(b"flowscan", b"").decode() if table else ""
            if table is not None and mark == f"{version()} {days.digest(day)}":
                tables[name] = table.replace_schema_metadata(None)
        if len(tables) < len(KEPT):
            missing.append(day)
            continue
        for name, table in tables.items():
            found[name].append(table)
    return found, missing


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
