"""Lineage: the versions of the commits that brought the flows of a file.

Invariant: compaction gives its files the union of what it removed, so the versions of a UTC day
change only when flows of that day come or go, never when its files do. Whoever keeps something
that was made from a day's flows compares versions, not names of files.

Written as text, in runs: `1-5,7` are the versions 1, 2, 3, 4, 5 and 7.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

Versions = tuple[int, ...]
"""Versions of commits, ascending, each once."""

_RUN = re.compile(r"([1-9][0-9]{0,11})(?:-([1-9][0-9]{0,11}))?")


def union(parts: Iterable[Versions]) -> Versions:
    """All versions that any of the parts has."""
    return tuple(sorted(set[int]().union(*parts)))


def to_text(versions: Versions) -> str:
    """Versions in runs; nothing for none."""
    runs: list[list[int]] = []
    for version in versions:
        if runs and version == runs[-1][1] + 1:
            runs[-1][1] = version
        else:
            runs.append([version, version])
    return ",".join(f"{low}-{high}" if low < high else f"{low}" for low, high in runs)


def from_text(text: str, last: int) -> Versions:
    """The inverse of `to_text`; no version is beyond `last`.

    Raises:
        ValueError: the text is not what `to_text` makes of such versions.
    """
    versions: list[int] = []
    for run in text.split(",") if text else ():
        match = _RUN.fullmatch(run)
        if match is None:
            raise ValueError(f"not a run of versions: {run[:80]!r}")
        low = int(match[1])
        high = int(match[2] or low)
        if (versions and low <= versions[-1]) or high < low or high > last:
            raise ValueError(f"versions out of order: {run!r}")
        versions.extend(range(low, high + 1))
    return tuple(versions)


def digest(versions: Versions, rows: int) -> str:
    """A short name of `rows` flows that came with these versions: equal flows, equal name."""
    text = f"{to_text(versions)}/{rows}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]
