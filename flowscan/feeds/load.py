"""Bytes of a feed → rows of the `indicators` table, with counts and the first problems.

Invariant: this is the only place where text becomes an indicator, so that formats cannot differ
in their rules. Works in chunks: a million entries never exist as a million Python objects.
"""

from __future__ import annotations

import codecs
import zlib
from dataclasses import dataclass
from typing import Any, Final

from flowscan.errors import FeedError
from flowscan.feeds import formats, intervals, safety
from flowscan.feeds.address import (
    Interval,
    format_address,
    kind_of,
    loose_interval,
    parse_address,
    parse_interval,
)
from flowscan.feeds.model import Counts, Entry, Feed, Policy, Problem, ReadOptions
from flowscan.schema import small_schema

MAX_BYTES: Final = 256 << 20
"""Largest feed, expanded. GuardDuty stops at 35 MB; a million lines are about 20 MB."""
KEPT_PROBLEMS: Final = 50
_CHUNK: Final = 1 << 16
_MAX_TEXT: Final = 500


@dataclass(frozen=True, slots=True)
class Loaded:
    """A feed that was read: Arrow table of schema "indicators", counts, first problems."""

    table: Any
    counts: Counts
    format: str
    problems: tuple[Problem, ...]
    intervals: int


def decode(data: bytes) -> str:
    """Text of a feed: gzip expanded, BOMs understood, undecodable bytes replaced.

    Raises:
        FeedError: the data is binary, a damaged gzip, or expands beyond MAX_BYTES.
    """
    if data[:2] == b"\x1f\x8b":
        data = _gunzip(data)
    if len(data) > MAX_BYTES:
        raise FeedError(f"larger than {MAX_BYTES >> 20} MB")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    if b"\x00" in data[:4096]:
        raise FeedError("binary data, not a list")
    return data.decode("utf-8-sig", "replace")


def _gunzip(data: bytes) -> bytes:
    inflate = zlib.decompressobj(wbits=31)
    try:
        out = inflate.decompress(data, MAX_BYTES + 1)
    except zlib.error as error:
        raise FeedError(f"a damaged gzip file: {error}") from error
    if len(out) <= MAX_BYTES and not inflate.eof:
        raise FeedError("a gzip file that ends early")
    return out


class _Rows:
    """Indicator rows under construction, flushed to Arrow every _CHUNK of them."""

    def __init__(self, feed: Feed, now: int) -> None:
        self._feed, self._now = feed, now
        self._batches: list[Any] = []
        self._clear()
        self._spans: dict[int, list[Any]] = {4: [], 6: []}

    def _clear(self) -> None:
        self.text: list[str] = []
        self.spans: list[Interval] = []
        self.about: list[str | None] = []
        self.expires: list[int | None] = []

    def add(self, entry: Entry, interval: Interval) -> None:
        self.text.append(entry.text[:_MAX_TEXT])
        self.spans.append(interval)
        self.about.append(entry.description or None)
        self.expires.append(entry.expires)
        if len(self.text) >= _CHUNK:
            self.flush()

    def flush(self) -> None:
        import pyarrow as pa

        if not self.text:
            return
        feed, n = self._feed, len(self.text)
        first = [format_address(f, a) for f, a, _ in self.spans]
        last = [
            text if a == b else format_address(f, b)
            for text, (f, a, b) in zip(first, self.spans, strict=True)
        ]
        columns = {
            "feed": [feed.name] * n,
            "category": [feed.category] * n,
            "confidence": [feed.confidence] * n,
            "trusted": [feed.trusted] * n,
            "indicator": self.text,
            "family": [s.family for s in self.spans],
            "first": first,
            "last": last,
            "first_number": [s.first if s.family == 4 else None for s in self.spans],
            "last_number": [s.last if s.family == 4 else None for s in self.spans],
            "description": self.about,
            "expires": self.expires,
            "updated": [self._now] * n,
        }
        schema = small_schema("indicators")
        self._batches.append(
            pa.table({name: pa.array(columns[name], schema.field(name).type) for name in schema.names})
        )
        for family in (4, 6):
            mine = [s for s in self.spans if s.family == family]
            low = intervals.pack(family, (s.first for s in mine))
            high = intervals.pack(family, (s.last for s in mine))
            self._spans[family].append((low, high))
        self._clear()

    def finish(self) -> tuple[Any, int]:
        """Return the Arrow table and the number of intervals that remain after merging."""
        import numpy as np
        import pyarrow as pa

        self.flush()
        if not self._batches:
            return small_schema("indicators").empty_table(), 0
        number = 0
        for family, parts in self._spans.items():
            low = np.concatenate([p[0] for p in parts])
            high = np.concatenate([p[1] for p in parts])
            number += len(intervals.merged(family, low, high)[0])
        return pa.concat_tables(self._batches), number


def load(data: bytes, feed: Feed, *, now: int) -> Loaded:
    """Read a feed's bytes. Domains, foreign kinds and broken lines are counted, never fatal.

    Raises:
        FeedError: the whole is unreadable: no list, binary, not well-formed, or nothing in it.
    """
    text = decode(data)
    options = ReadOptions(feed.format, feed.column)
    name = feed.format or formats.detect(text, options)
    policy = Policy(private=feed.private or feed.trusted, broad=feed.broad)
    counts, problems = Counts(), list[Problem]()
    rows = _Rows(feed, now)
    for entry in formats.parser(name)(text, options):
        counts.entries += 1
        interval = parse_interval(entry.text) or loose_interval(entry.text)
        if interval is None:
            kind = kind_of(entry.text)
            setattr(counts, _COUNTER[kind], getattr(counts, _COUNTER[kind]) + 1)
            reason = f"{kind} entry, not an address" if kind != "broken" else "not understood"
        else:
            refused = safety.refusal(*interval, policy)
            if refused is None:
                counts.indicators += 1
                rows.add(entry, interval)
                continue
            counts.refused += 1
            reason = f"refused: {refused}"
        if len(problems) < KEPT_PROBLEMS:
            problems.append(Problem(entry.line, reason, entry.text[:200]))
    if counts.entries and counts.broken == counts.entries:
        raise FeedError(f"nothing in it is an address or a domain (read as {name})")
    table, number = rows.finish()
    return Loaded(table, counts, name, tuple(problems), number)


_COUNTER = {"domain": "domains", "other": "other", "broken": "broken"}
__all__ = ["MAX_BYTES", "Loaded", "decode", "load", "parse_address"]
