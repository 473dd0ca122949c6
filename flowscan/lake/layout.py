"""Where everything lies in a lake: the only module that joins path pieces made of data.

Invariant: every key that leaves this module is relative, made of validated pieces, and stays
inside the root; text that came from a log, a bucket or a ledger entry never becomes a path
otherwise. A key is a `/`-joined relative path, on disk and on S3 alike.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets

from flowscan.errors import LakeCorrupt, LakeError
from flowscan.schema import DERIVED_TABLES, SMALL_TABLES

FORMAT = 2
"""Version of the lake format that this flowscan writes; a lake with a newer one is refused."""

MARKER = "_flowscan/lake.json"
COMMITS = "_flowscan/commits"
CHECKPOINTS = "_flowscan/checkpoints"
STAGING = "_flowscan/staging"
REMOVED = "_flowscan/removed"
BLOBS = "_flowscan/blobs"
LOCKS = "_flowscan/locks"

FLOWS = "flows"
DATED: tuple[str, ...] = (FLOWS, *DERIVED_TABLES)
"""Tables whose files lie under the UTC day of their rows."""

TABLES: tuple[str, ...] = (*DATED, *SMALL_TABLES)
"""Every table of a lake: the flows, what is derived from them, and the small tables."""

_BATCH = r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{16}"
_FILE = rf"(?P<file>{_BATCH}-[0-9]{{1,12}})"
_LIVE = re.compile(
    rf"(?P<table>[a-z_]{{1,32}})/(?:date=(?P<date>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})/)?{_FILE}\.parquet"
)
_BATCH_ONLY = re.compile(_BATCH)
_KIND = re.compile(r"[a-z][a-z0-9-]{0,31}")
_PIECE = re.compile(r"[A-Za-z0-9_=.~-]{1,255}")
_COMMIT = re.compile(r"([0-9]{8,12})\.json")
_LOCK = re.compile(r"([0-9]{8,12})\.(held|beat|free)")
_CHECKPOINT = re.compile(r"([0-9]{8,12})\.ckpt")

SECONDS_PER_DAY = 86400
LAST_DAY = 99_999_999_999 // SECONDS_PER_DAY
"""Last UTC day that a `start` in epoch seconds can name (parsers take greater ones for ms)."""


def check_key(key: str) -> tuple[str, ...]:
    """Split a key into its pieces; the last check before a store touches anything.

    Raises:
        LakeError: a piece is empty, `.`, `..`, or has a character that no key of a lake has.
    """
    pieces = tuple(key.split("/"))
    for piece in pieces:
        if not is_piece(piece):
            raise LakeError("not a path of a lake", where=repr(key[:200]))
    return pieces


def is_piece(name: str) -> bool:
    """Tell whether a file or folder name is one that a lake may have."""
    return name not in {".", ".."} and _PIECE.fullmatch(name) is not None


def new_batch(now: dt.datetime | None = None) -> str:
    """Name a new batch: UTC time for people and 64 random bits for uniqueness."""
    now = now or dt.datetime.now(dt.UTC)
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(8)}"


def check_batch(batch: str) -> str:
    """Return the batch name if it is one (`LakeCorrupt` otherwise)."""
    if not isinstance(batch, str) or not _BATCH_ONLY.fullmatch(batch):
        raise LakeCorrupt("not a batch name", where=repr(batch)[:200])
    return batch


def is_batch(name: str) -> bool:
    """Tell whether a folder name of staging is a batch's."""
    return _BATCH_ONLY.fullmatch(name) is not None


def commit_key(version: int) -> str:
    """Key of commit `version` (1, 2, …)."""
    return f"{COMMITS}/{version:08d}.json"


def commit_version(name: str) -> int | None:
    """Version that the file name of a commit carries; None for any other file."""
    match = _COMMIT.fullmatch(name)
    return int(match[1]) if match else None


def checkpoint_key(version: int) -> str:
    """Key of the checkpoint of the state at `version`."""
    return f"{CHECKPOINTS}/{version:08d}.ckpt"


def checkpoint_version(name: str) -> int | None:
    """Version that the file name of a checkpoint carries; None for any other file."""
    match = _CHECKPOINT.fullmatch(name)
    return int(match[1]) if match else None


def date_of(day: int) -> str:
    """ISO date of a UTC day number (days since 1970-01-01).

    Raises:
        LakeError: the day is outside 1970-01-01 … 5138-11-16.
    """
    if not 0 <= day <= LAST_DAY:
        raise LakeError("start lies outside the years 1970 to 5138", where=f"day {day}")
    return (dt.date(1970, 1, 1) + dt.timedelta(days=day)).isoformat()


def day_of(date: str) -> int:
    """UTC day number of an ISO date (the inverse of `date_of`)."""
    return (dt.date.fromisoformat(date) - dt.date(1970, 1, 1)).days


def live_key(table: str, batch: str, number: int, day: int | None = None) -> str:
    """Key of a live Parquet file: dated tables lie under their date, small ones do not."""
    check_batch(batch)
    if table not in TABLES:
        raise LakeError("no such table in a lake", where=repr(table)[:80])
    if table in DATED:
        if day is None:
            raise LakeError("a file of this table has a date", where=table)
        return f"{table}/date={date_of(day)}/{batch}-{number}.parquet"
    return f"{table}/{batch}-{number}.parquet"


def check_live(table: str, path: str) -> str:
    """Return a live path of a ledger entry if it is one of `table`.

    Raises:
        LakeCorrupt: it is not, such as a path that leaves the lake.
    """
    match = _LIVE.fullmatch(path) if isinstance(path, str) else None
    if match is None or match["table"] != table or table not in TABLES:
        raise LakeCorrupt("the ledger names a path that no lake has", where=repr(path)[:200])
    if (match["date"] is not None) != (table in DATED):
        raise LakeCorrupt("the ledger names a path that no lake has", where=repr(path)[:200])
    if match["date"] is not None:
        try:
            dt.date.fromisoformat(match["date"])
        except ValueError:
            raise LakeCorrupt("the ledger names a date that does not exist", where=path) from None
    return path


def table_of(path: str) -> str:
    """Table that a live path belongs to."""
    table = path.split("/", 1)[0]
    check_live(table, path)
    return table


def day_of_path(path: str) -> int | None:
    """UTC day of a live path; None for files of small tables."""
    match = _LIVE.fullmatch(path)
    return day_of(match["date"]) if match and match["date"] else None


def batch_of(path: str) -> str:
    """Batch that wrote a live file."""
    match = _LIVE.fullmatch(path)
    if match is None:
        raise LakeCorrupt("the ledger names a path that no lake has", where=repr(path)[:200])
    return match["file"].rsplit("-", 1)[0]


def stage_folder(batch: str) -> str:
    """Folder that a batch writes to before it is committed."""
    return f"{STAGING}/{check_batch(batch)}"


def staged_key(path: str) -> str:
    """Where the file lies until it is published at its live path."""
    match = _LIVE.fullmatch(path)
    if match is None:
        raise LakeCorrupt("the ledger names a path that no lake has", where=repr(path)[:200])
    return f"{stage_folder(batch_of(path))}/{match['file']}.tmp"


def removed_key(path: str) -> str:
    """Where a file waits for its deletion after a commit removed it from the lake.

    The folders are kept, so that readers which take `date` from the path still find it.
    """
    batch_of(path)
    return f"{REMOVED}/{path.removesuffix('.parquet')}.gone"


def lock_key(turn: int, part: str) -> str:
    """Key of a part (`held`, `beat` or `free`) of the lock in its n-th turn."""
    if part not in {"held", "beat", "free"}:
        raise LakeError("not a part of a lock", where=repr(part)[:80])
    return f"{LOCKS}/{turn:08d}.{part}"


def lock_turn(name: str) -> tuple[int, str] | None:
    """Turn and part that the file name of a lock carries; None for any other file."""
    match = _LOCK.fullmatch(name)
    return (int(match[1]), match[2]) if match else None


def temporary_key() -> str:
    """Key of a file that is being written before it gets its name."""
    return f"{STAGING}/{secrets.token_hex(8)}.tmp"


def blob_key(kind: str, name: str) -> str:
    """Key of an opaque blob; any text may be a name, since only its hash becomes a path."""
    if not _KIND.fullmatch(kind):
        raise LakeError("not a kind of blob", where=repr(kind)[:80])
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{BLOBS}/{kind}/{digest}"
