"""The lake: Parquet files and a ledger that says which of them are true.

LAKE/
  flows/date=YYYY-MM-DD/<batch>-<n>.parquet   live flows by UTC date of `start`
  sessions/date=YYYY-MM-DD/ …                 tables derived from flows, by the same date
  coverage/ rejects/ findings/ …              small tables, same rules, no date
  _flowscan/lake.json                         format number of the lake
  _flowscan/commits/00000001.json             numbered, immutable, create-only: the truth
  _flowscan/checkpoints/*.ckpt                folded state, only ever a short cut
  _flowscan/staging/<batch>/*.tmp             written and fsynced, not yet live
  _flowscan/removed/*.gone                    taken out by upkeep, deleted after a grace
  _flowscan/locks/<turn>.held                 who runs the scheduled cycle (see lock.py)
  _flowscan/blobs/<kind>/<sha256>             opaque bytes (feed originals, caches)

A key is a relative path made by layout.py; a Store (local_store.py, s3_store.py) keeps files under
keys; everything above is the same on disk and on S3.

Writing. A transaction writes Parquet to the staging folder of its batch and makes it durable. One
commit then names the batch's files and the sources they came from; it is created only if its
number is free, and that creation is the decision: before it the batch is garbage, after it the
batch is in the lake whatever happens. Its number is the version of the state in which its sources
were looked for, plus one, so a source that another writer brought first is always seen. Then the
files are moved to their live place and the staging folder is dropped (publish.py). Any writer
finishes what a crashed one committed, before it does anything of its own.

Reading. A state is the sum of all commits: it knows every source. A snapshot is the exact list of
files at the newest version whose commits are all published; it agrees with a plain glob. Readers
never write, wait for nobody and follow no link below the root.

Lineage. Every file of flows knows the versions of the commits that brought its rows; compaction
keeps the union, so that a day's versions tell whether its flows have changed (lineage.py). Every
row knows its source object by number (numbers.py). Parts of derived tables say which versions they
were made from (parts.py).

Formats. A lake of format 1 is read as it is; writers want it upgraded first, which is a commit
that writers of format 1 cannot pass (upgrade.py).

Upkeep. Compaction and expiry are commits that remove files. A removed file leaves the folders
that globs read at once: the glob shows live data only, at the price of a moment, while one date
is being compacted, in which it misses that date's rows (it never sees them twice). The file waits
under `removed/` for a grace of a day, and a snapshot taken before finds it there.

Invariants, which `lake verify` checks: a source (uri, etag) is in at most one commit, and so is its
number; rows of live files plus expired ones = flows of committed sources, and the same source by
source; compaction keeps rows and lineage; commits are gap-free and never rewritten.
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
