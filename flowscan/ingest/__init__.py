"""Ingest: sources → parse → lake, exactly once.

Every worker thread takes objects from one queue, parses them into its own columns, writes its
own Parquet files and commits its own batch; nothing waits for a common barrier. Invariant:
the records of an object and the fact that it was read become visible in the same commit, so
any crash, race or repetition leaves each object in the lake once or not at all.
"""

from __future__ import annotations

from flowscan.ingest.model import IngestOptions, IngestResult, Progress
from flowscan.ingest.run import dry_run, ingest

__all__ = ["IngestOptions", "IngestResult", "Progress", "dry_run", "ingest"]
