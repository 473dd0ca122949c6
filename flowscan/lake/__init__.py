"""The lake: Parquet files and a ledger that says which of them are true.

LAKE/
  flows/date=YYYY-MM-DD/<batch>-<n>.parquet   live flows by UTC date of `start`
  coverage/ rejects/ findings/ …              small tables, same rules, no date
  _flowscan/lake.json                         format number of the lake
  _flowscan/commits/00000001.json             numbered, immutable, create-only: the truth
  _flowscan/checkpoints/*.ckpt                folded state, only ever a short cut
  _flowscan/staging/<batch>/*.tmp             written and fsynced, not yet live
  _flowscan/removed/*.gone                    taken out by upkeep, deleted after a grace
  _flowscan/locks/<turn>.held                 who runs the scheduled cycle (see lock.py)
  _flowscan/blobs/<kind>/<sha256>             opaque bytes (feed originals, caches)
"""

from __future__ import annotations

from flowscan.lake.lake import Lake, StoreOptions
from flowscan.lake.ledger import Commit, FileEntry, Refusal, SourceRecord
from flowscan.lake.share import Share
from flowscan.lake.snapshot import Snapshot
from flowscan.lake.state import State, Totals
from flowscan.lake.transaction import Transaction

__all__ = [
    "Commit",
    "FileEntry",
    "Lake",
    "Refusal",
    "Share",
    "Snapshot",
    "SourceRecord",
    "State",
    "StoreOptions",
    "Totals",
    "Transaction",
]
