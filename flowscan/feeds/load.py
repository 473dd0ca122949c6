"""Bytes of a feed → rows of the `indicators` table, with counts and the first problems.

Invariant: this is the only place where text becomes an indicator, so that formats cannot differ
in their rules. Works in blocks of columns: only odd entries become Python objects.
"""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from flowscan.errors import FeedError
from flowscan.feeds import blocks, formats, safety
from flowscan.feeds.blocks import Block
from flowscan.feeds.model import Counts, Feed, Policy, Problem, ReadOptions
from flowscan.feeds.spelling import kind_of, loose_interval
from flowscan.net import columns, intervals
from flowscan.net.address import Interval, parse_interval
from flowscan.net.columns import Columns, Texts
from flowscan.schema import small_schema

MAX_BYTES: Final = 256 << 20
"""Largest feed, expanded. GuardDuty stops at 35 MB; a million lines are about 20 MB."""
MAX_ENTRIES: Final = 5_000_000
KEPT_PROBLEMS: Final = 50
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
    """Indicator rows under construction: one Arrow table per block of entries."""

    def __init__(self, feed: Feed, policy: Policy, now: int) -> None:
        self._feed, self._policy, self._now = feed, policy, now
        self._end = now + feed.lifetime if feed.lifetime is not None else None
        self._tables: list[Any] = []
        self._spans: list[Spans] = []
        self.counts = Counts()
        self.problems: list[Problem] = []

    def add(self, block: Block) -> None:
        """Take a block of entries."""
        read = columns.read(block.texts)
        slow, reasons = self._slowly(block.texts, read.rest)
        families = {4: _appended(4, read.four, slow), 6: _appended(6, read.six, slow)}
        good = {}
        for family, one in families.items():
            bad = safety.refused(family, one.first, one.last, self._policy)
            self.counts.refused += int(bad.sum())
            for at in np.flatnonzero(bad)[:KEPT_PROBLEMS].tolist():
                (low,) = intervals.unpack(family, one.first[at : at + 1])
                (high,) = intervals.unpack(family, one.last[at : at + 1])
                refusal = safety.refusal(family, low, high, self._policy)
                reasons[int(one.rows[at])] = f"refused: {refusal}"
            good[family] = Columns(one.rows[~bad], one.first[~bad], one.last[~bad])
        for row in sorted(reasons)[: KEPT_PROBLEMS - len(self.problems)]:
            text = block.texts[row][:200]
            self.problems.append(Problem(int(block.lines[row]), reasons[row], text))
        self.counts.entries += len(block.lines)
        self.counts.indicators += len(good[4].rows) + len(good[6].rows)
        self._spans.append({family: (one.first, one.last) for family, one in good.items()})
        self._tables.append(self._table(block, good))

    def _slowly(
        self, texts: Texts, rows: intervals.Int64
    ) -> tuple[list[tuple[int, Interval]], dict[int, str]]:
        """Read what the columns left, text by text: intervals, and why others are none."""
        found, reasons = [], {}
        for row in rows.tolist():
            text = texts[row]
            interval = parse_interval(text) or loose_interval(text)
            if interval is not None:
                found.append((row, interval))
                continue
            kind = kind_of(text)
            setattr(self.counts, _COUNTER[kind], getattr(self.counts, _COUNTER[kind]) + 1)
            reasons[row] = f"{kind} entry, not an address" if kind != "broken" else "not understood"
        return found, reasons

    def _table(self, block: Block, good: dict[int, Columns]) -> Any:
        """The Arrow table of a block's indicators, in the order of the entries."""
        import pyarrow as pa
        import pyarrow.compute as pc

        four, six = good[4], good[6]
        rows = np.concatenate([four.rows, six.rows])
        order = np.argsort(rows, kind="stable")
        rows, place = rows[order], pa.array(order)
        text = block.texts.take(rows)
        indicator = text.arrow()
        if (text.ends - text.starts > _MAX_TEXT).any():
            indicator = pc.utf8_slice_codeunits(indicator, 0, _MAX_TEXT)
        names = _texts(4, four), _texts(6, six)
        nothing = pa.nulls(len(six.rows), pa.int64())
        feed, count = self._feed, len(rows)
        made = {
            "feed": pa.repeat(feed.name, count),
            "category": pa.repeat(feed.category, count),
            "confidence": pa.repeat(pa.scalar(feed.confidence, pa.int32()), count),
            "trusted": pa.repeat(feed.trusted, count),
            "indicator": indicator,
            "family": pa.array(np.where(order < len(four.rows), 4, 6).astype("i4")),
            "first": pa.concat_arrays([names[0][0], names[1][0]]).take(place),
            "last": pa.concat_arrays([names[0][1], names[1][1]]).take(place),
            "first_number": _numbers(four.first, nothing).take(place),
            "last_number": _numbers(four.last, nothing).take(place),
            "description": _picked(block.about, rows, pa.string()),
            "expires": self._expires(block, rows),
            "updated": pa.repeat(pa.scalar(self._now, pa.int64()), count),
        }
        return pa.table(made, schema=small_schema("indicators"))

    def _expires(self, block: Block, rows: intervals.Int64) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        if self._end is None:
            return _picked(block.expires, rows, pa.int64())
        end = pa.repeat(pa.scalar(self._end, pa.int64()), len(rows))
        if block.expires is None:
            return end
        return pc.min_element_wise(_picked(block.expires, rows, pa.int64()), end)

    def finish(self) -> tuple[Any, Spans]:
        """Return the Arrow table and the intervals."""
        import pyarrow as pa

        table = pa.concat_tables([small_schema("indicators").empty_table(), *self._tables])
        return table, join_spans(self._spans)


def _appended(family: int, one: Columns, slow: list[tuple[int, Interval]]) -> Columns:
    """Columns of a family with what was read slowly, in the order of the rows."""
    mine = [(row, span) for row, span in slow if span.family == family]
    if not mine:
        return one
    rows = np.concatenate([one.rows, [row for row, _ in mine]])
    first = np.concatenate([one.first, intervals.pack(family, [s.first for _, s in mine])])
    last = np.concatenate([one.last, intervals.pack(family, [s.last for _, s in mine])])
    order = np.argsort(rows, kind="stable")
    return Columns(rows[order], first[order], last[order])


def _texts(family: int, one: Columns) -> tuple[Any, Any]:
    """Canonical texts of first and last addresses; most last ones are the first."""
    import pyarrow as pa

    write = columns.format_four if family == 4 else columns.format_six
    first = write(one.first)
    other = np.flatnonzero(one.first != one.last)
    if not len(other):
        return first, first
    where = np.arange(len(first))
    where[other] = len(first) + np.arange(len(other))
    return first, pa.concat_arrays([first, write(one.last[other])]).take(pa.array(where))


def _numbers(four: intervals.Array, nothing: Any) -> Any:
    import pyarrow as pa

    return pa.concat_arrays([pa.array(four.astype("i8")), nothing])


def _picked(values: Any, rows: intervals.Int64, kind: Any) -> Any:
    import pyarrow as pa

    return pa.nulls(len(rows), kind) if values is None else values.take(pa.array(rows))


def join_spans(parts: Iterable[Spans]) -> Spans:
    """Put the intervals of several parts together."""
    every = list(parts)
    empty = {f: [(intervals.pack(f, ()), intervals.pack(f, ()))] for f in (4, 6)}
    return {
        f: (
            np.concatenate([pair[0] for pair in empty[f] + [part[f] for part in every]]),
            np.concatenate([pair[1] for pair in empty[f] + [part[f] for part in every]]),
        )
        for f in (4, 6)
    }


def load(data: bytes, feed: Feed, *, now: int) -> Loaded:
    """Read a feed's bytes. Domains, foreign kinds and broken lines are counted, never fatal.

    Raises:
        FeedError: the whole is unreadable: no list, binary, not well-formed, or nothing in it.
    """
    text = decode(data)
    options = ReadOptions(feed.format, feed.column)
    name = feed.format or formats.detect(text, options)
    policy = Policy(private=feed.private or feed.trusted, broad=feed.broad)
    rows = _Rows(feed, policy, now)
    parse = formats.parser(name)
    every = blocks.of_plain(text) if name == "plain" else blocks.of_entries(parse(text, options))
    counts = rows.counts
    for block in every:
        rows.add(block)
        if counts.entries > MAX_ENTRIES:
            raise FeedError(f"more than {MAX_ENTRIES:,} entries")
    if counts.entries and counts.broken == counts.entries:
        raise FeedError(f"nothing in it is an address or a domain (read as {name})")
    table, spans = rows.finish()
    return Loaded(table, counts, name, tuple(rows.problems), spans)


_COUNTER = {"domain": "domains", "other": "other", "broken": "broken"}
