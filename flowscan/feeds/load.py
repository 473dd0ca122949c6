"""Bytes of a feed → rows of the `indicators` table, with counts and the first problems.

Invariant: this is the only place where text becomes an indicator, so that formats cannot differ
in their rules. Works in chunks: a million entries never exist as a million Python objects.
"""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterable
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
MAX_ENTRIES: Final = 5_000_000
KEPT_PROBLEMS: Final = 50
_CHUNK: Final = 1 << 16
_MAX_TEXT: Final = 500


Spans = dict[int, tuple[intervals.Array, intervals.Array]]
"""First and last addresses of all indicators, by family."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A feed that was read: Arrow table of schema "indicators", counts, first problems."""

    table: Any
    counts: Counts
    format: str
    problems: tuple[Problem, ...]
    spans: Spans

    @property
    def intervals(self) -> int:
        """Number of intervals that remain when overlapping and touching ones are merged."""
        return sum(len(intervals.merged(f, *pair)[0]) for f, pair in self.spans.items())


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
        self._end = now + feed.lifetime if feed.lifetime is not None else None
        self._batches: list[Any] = []
        self._clear()
        self._spans: dict[int, list[Any]] = {4: [], 6: []}

    def _clear(self) -> None:
        self.text: list[str] = []
        self.canonical: list[str | None] = []
        self.family: list[int] = []
        self.first: list[int] = []
        self.last: list[int] = []
        self.about: list[str | None] = []
        self.expires: list[int | None] = []

    def add(
        self, entry: Entry, interval: Interval | tuple[int, int, int], canonical: str | None
    ) -> None:
        """Take an indicator; `canonical` is the text of its first address where that is known."""
        family, first, last = interval
        self.canonical.append(canonical)
        self.text.append(entry.text[:_MAX_TEXT])
        self.family.append(family)
        self.first.append(first)
        self.last.append(last)
        self.about.append(entry.description or None)
        self.expires.append(_sooner(entry.expires, self._end))
        if len(self.text) >= _CHUNK:
            self.flush()

    def flush(self) -> None:
        """Turn the rows so far into one Arrow table."""
        import pyarrow as pa

        if not self.text:
            return
        feed, schema = self._feed, small_schema("indicators")
        spans = list(zip(self.family, self.first, self.last, strict=True))
        first = [
            known or format_address(family, value)
            for known, (family, value, _) in zip(self.canonical, spans, strict=True)
        ]
        last = [
            text if low == high else format_address(family, high)
            for text, (family, low, high) in zip(first, spans, strict=True)
        ]
        varying = {
            "indicator": self.text,
            "family": self.family,
            "first": first,
            "last": last,
            "first_number": [low if family == 4 else None for family, low, _ in spans],
            "last_number": [high if family == 4 else None for family, _, high in spans],
            "description": self.about,
            "expires": self.expires,
        }
        same = {
            "feed": feed.name,
            "category": feed.category,
            "confidence": feed.confidence,
            "trusted": feed.trusted,
            "updated": self._now,
        }
        arrays = []
        for field in schema:
            if field.name in same:
                scalar = pa.scalar(same[field.name], field.type)
                arrays.append(pa.repeat(scalar, len(spans)))
            else:
                arrays.append(pa.array(varying[field.name], field.type))
        self._batches.append(pa.table(arrays, schema=schema))
        for kind in (4, 6):
            low = intervals.pack(kind, [low for family, low, _ in spans if family == kind])
            high = intervals.pack(kind, [high for family, _, high in spans if family == kind])
            self._spans[kind].append((low, high))
        self._clear()

    def finish(self) -> tuple[Any, Spans]:
        """Return the Arrow table and the intervals."""
        import pyarrow as pa

        self.flush()
        spans = join_spans(
            [{f: parts[i] for f, parts in self._spans.items()} for i in range(len(self._batches))]
        )
        return pa.concat_tables([small_schema("indicators").empty_table(), *self._batches]), spans


def join_spans(parts: Iterable[Spans]) -> Spans:
    """Put the intervals of several parts together."""
    import numpy as np

    every = list(parts)
    empty = {f: [(intervals.pack(f, ()), intervals.pack(f, ()))] for f in (4, 6)}
    return {
        f: (
            np.concatenate([pair[0] for pair in empty[f] + [part[f] for part in every]]),
            np.concatenate([pair[1] for pair in empty[f] + [part[f] for part in every]]),
        )
        for f in (4, 6)
    }


def _sooner(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)


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
        if counts.entries > MAX_ENTRIES:
            raise FeedError(f"more than {MAX_ENTRIES:,} entries")
        one = parse_address(entry.text)
        interval: tuple[int, int, int] | None
        canonical = None
        if one is not None:  # by far the most frequent
            interval = (one[0], one[1], one[1])
            canonical = entry.text if ":" not in entry.text else None
        else:
            interval = parse_interval(entry.text) or loose_interval(entry.text)
        if interval is None:
            kind = kind_of(entry.text)
            setattr(counts, _COUNTER[kind], getattr(counts, _COUNTER[kind]) + 1)
            reason = f"{kind} entry, not an address" if kind != "broken" else "not understood"
        else:
            refused = safety.refusal(*interval, policy)
            if refused is None:
                counts.indicators += 1
                rows.add(entry, interval, canonical)
                continue
            counts.refused += 1
            reason = f"refused: {refused}"
        if len(problems) < KEPT_PROBLEMS:
            problems.append(Problem(entry.line, reason, entry.text[:200]))
    if counts.entries and counts.broken == counts.entries:
        raise FeedError(f"nothing in it is an address or a domain (read as {name})")
    table, spans = rows.finish()
    return Loaded(table, counts, name, tuple(problems), spans)


_COUNTER = {"domain": "domains", "other": "other", "broken": "broken"}
