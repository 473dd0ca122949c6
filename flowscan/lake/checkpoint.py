"""Checkpoints: the folded ledger in one file, so that opening a lake reads few commits.

Invariant: a checkpoint of version V is a function of the published commits 1…V and only ever a
short cut: one that is damaged, absent or too old is passed over, never trusted in part. It holds
hashes of the known sources, not their names, and so stays near 16 bytes a key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np

from flowscan.errors import LakeCorrupt, LakeError
from flowscan.lake import layout
from flowscan.lake.ledger import check_format, decode_entries, encode_entries
from flowscan.lake.state import Fold, KeySet, Totals
from flowscan.lake.store import Store

MAGIC = b"flowscan checkpoint\n"
COMMITS = 128
SOURCES = 20_000
KEEP = 2


def due(fold: Fold) -> bool:
    """Tell whether enough came since the last checkpoint.

    The number of new sources grows with the lake, so that all checkpoints together cost no
    more than a few times the last one.
    """
    if fold.pending:
        return False
    enough = max(SOURCES, len(fold.known) // 8)
    return fold.version - fold.checkpoint >= COMMITS or fold.fresh >= enough


def write(store: Store, fold: Fold) -> None:
    """Write the checkpoint of a fold without pending commits, and drop old ones."""
    assert not fold.pending
    fold.known, fold.refused = fold.known.merged(), fold.refused.merged()
    store.put(layout.checkpoint_key(fold.version), encode(fold))
    fold.checkpoint, fold.fresh = fold.version, 0
    # A batch in the checkpoint is published: what its staging still holds is garbage.
    fold.batches.clear()
    for version in versions(store)[KEEP:]:
        store.delete(layout.checkpoint_key(version))


def versions(store: Store) -> list[int]:
    """Versions that have a checkpoint, newest first."""
    found = (layout.checkpoint_version(e.key.rpartition("/")[2]) for e in _listed(store))
    return sorted((v for v in found if v is not None), reverse=True)


def _listed(store: Store) -> Iterator[Any]:
    return store.walk(layout.CHECKPOINTS)


def load(store: Store, *, exact: bool) -> Fold:
    """The fold of the newest good checkpoint; an empty one when there is none.

    `exact` passes over those of format 1, which do not know the lineage of their files.

    Raises:
        LakeError: a newer flowscan wrote the checkpoint.
    """
    for version in versions(store):
        try:
            fold = decode(store.read(layout.checkpoint_key(version)), version)
        except (LakeCorrupt, FileNotFoundError):
            continue
        if fold.exact or not exact:
            return fold
    return Fold()


def encode(fold: Fold) -> bytes:
    """Serialise: magic, one line of JSON that names and hashes the sections, the sections."""
    sections = {
        "known": _bytes(fold.known),
        "refused": _bytes(fold.refused),
        "files": _json(encode_entries(fold.files.values(), fold.version)),
    }
    header = {
        "format": layout.FORMAT,
        "version": fold.version,
        "totals": asdict(fold.totals),
        "expired": fold.expired,
        "sections": [
            [name, len(data), hashlib.sha256(data).hexdigest()] for name, data in sections.items()
        ],
    }
    line = _json(header)
    check = hashlib.sha256(line).hexdigest().encode()
    return b"".join([MAGIC, check, b" ", line, b"\n", *sections.values()])


def _json(body: Any) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def decode(data: bytes, version: int) -> Fold:
    """Read a checkpoint.

    Raises:
        LakeCorrupt: any byte of it is not as it was written.
        LakeError: a newer flowscan wrote it.
    """
    where = layout.checkpoint_key(version)
    try:
        header, rest = _header(data)
        check_format(header, where)
        parts = _sections(rest, header["sections"])
        fold = Fold(
            version=header["version"],
            published=header["version"],
            checkpoint=header["version"],
            known=_keys(parts["known"]),
            refused=_keys(parts["refused"]),
            files={e.path: e for e in decode_entries(_parsed(parts["files"]), version)},
            totals=Totals(**header["totals"]),
            expired=header["expired"],
            format=header["format"],
            exact=header["format"] > 1,
        )
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise _damaged(where, str(error)) from error
    if fold.version != version:
        raise _damaged(where, f"says it is version {fold.version}")
    return fold


def _parsed(section: memoryview) -> Any:
    return json.loads(bytes(section))


def _damaged(where: str, what: str) -> LakeError:
    return LakeCorrupt(
        f"the checkpoint is damaged: {what}", where=where, hint="delete it, the ledger suffices"
    )


def _header(data: bytes) -> tuple[Any, memoryview]:
    if not data.startswith(MAGIC):
        raise ValueError("does not begin as a checkpoint")
    end = data.index(b"\n", len(MAGIC))
    check, line = data[len(MAGIC) : end].split(b" ", 1)
    if hashlib.sha256(line).hexdigest().encode() != check:
        raise ValueError("the header is damaged")
    return json.loads(line), memoryview(data)[end + 1 :]


def _sections(data: memoryview, listed: Any) -> dict[str, memoryview]:
    parts, begin = {}, 0
    for name, length, digest in listed:
        part = data[begin : begin + length]
        if len(part) != length or hashlib.sha256(part).hexdigest() != digest:
            raise ValueError(f"the section {name} is damaged")
        parts[name] = part
        begin += length
    if begin != len(data):
        raise ValueError("has more than its sections")
    return parts


def _bytes(keys: KeySet) -> bytes:
    return bytes(np.concatenate([keys.high, keys.low]).astype("<u8").tobytes())


def _keys(data: memoryview) -> KeySet:
    both = np.frombuffer(data, dtype="<u8").astype(np.uint64)  # a copy, aligned
    half = len(both) // 2
    return KeySet(both[:half], both[half:])
