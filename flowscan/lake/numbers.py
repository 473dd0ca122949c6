"""The numbers of source objects: known while an object is read, and never given twice.

A number must stand in Parquet before it is decided which commit brings it, so no counter can give
it. Numbers come in blocks: a batch draws its blocks by hashing its own name, which has 64 random
bits, and the commit is refused if another one has used a block of it before; the batch is then
read again under a new name. So what is in the ledger is unique whatever the dice, and nobody has
to ask anybody. Drawing costs nothing; a lake of half a million batches makes four in a million
new ones draw again.

Invariant: numbers stay below 2^53, so that JSON and floating-point columns keep them whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

ORDINAL_BITS = 16
BLOCK_BITS = 37


def number(batch: str, ordinal: int) -> int:
    """The number of the n-th source object (from 0) of a batch."""
    block, rest = ordinal >> ORDINAL_BITS, ordinal & ((1 << ORDINAL_BITS) - 1)
    digest = hashlib.blake2b(f"{batch}/{block}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> (64 - BLOCK_BITS) << ORDINAL_BITS | rest


def block_hashes(numbers: Iterable[int | None]) -> set[int]:
    """128-bit hashes of the blocks that some numbers are of, for a set of what is known.

    No source's identity has such a hash: no address of a source begins with a NUL.
    """
    blocks = {number >> ORDINAL_BITS for number in numbers if number is not None}
    return {
        int.from_bytes(hashlib.blake2b(f"\0block\0{b}".encode(), digest_size=16).digest(), "big")
        for b in blocks
    }
