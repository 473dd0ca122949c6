"""Texts of addresses as numbers, a million at a time.

Invariant: `numbers` agrees with `parse_address` on every text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from flowscan.arrays import integer_array
from flowscan.net.address import parse_address
from flowscan.net.columns import Texts, quads
from flowscan.net.intervals import Array, Int64, pack

_CHUNK: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Numbers:
    """Addresses of one family: values, and their positions in the array of texts."""

    values: Array
    positions: Int64


def numbers(texts: Any) -> dict[int, Numbers]:
    """Values of an Arrow string array, by family; texts that are no address are left out."""
    if texts.type != pa.string():
        texts = texts.cast(pa.large_string())
    parts = [_quads(texts.slice(at, _CHUNK)) for at in range(0, len(texts), _CHUNK)]
    values = np.concatenate([p[0] for p in parts]) if parts else np.zeros(0, np.uint32)
    valid = np.concatenate([p[1] for p in parts]) if parts else np.zeros(0, bool)
    where = np.flatnonzero(~valid)
    found: dict[int, tuple[list[int], list[int]]] = {4: ([], []), 6: ([], [])}
    others = texts.take(integer_array(where, None)).to_pylist() if len(where) else ()
    for at, text in zip(where.tolist(), others, strict=True):
        one = parse_address(text) if text is not None else None
        if one is not None:
            found[one[0]][0].append(one[1])
            found[one[0]][1].append(at)
    four = Numbers(
        np.concatenate([values[valid], pack(4, found[4][0])]),
        np.concatenate([np.flatnonzero(valid), np.array(found[4][1], np.int64)]),
    )
    return {4: four, 6: Numbers(pack(6, found[6][0]), np.array(found[6][1], np.int64))}


def _quads(texts: Any) -> tuple[Array, Array]:
    """Read strict dotted quads: values, and which are valid."""
    value, valid = quads(Texts.of_arrow(texts))
    if texts.null_count:
        valid &= ~np.asarray(texts.is_null())
    return value, valid
