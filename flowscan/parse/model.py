"""What parsing takes and gives: options, plans, counts, rejects; and the meaning of a text line.

Invariant: records == flows + nodata + skipdata + rejects, of every block and every object.

How a line becomes a record, to the letter, for every implementation of `TextColumns`:

* A line ends with LF; one CR before it is dropped. Only with `final` may the last line lack its
  LF. The length is that of the line without LF and CR: more than `max_line` bytes is a reject
  "line too long", whatever the line holds.
* Leading and trailing blanks (space, tab) are dropped. What is then empty, or starts with `#`, is
  a line but no record (so a comment may hold any bytes).
* Any byte outside 0x20-0x7e and tab: "not printable ASCII".
* Tokens: a space plan is separated by runs of blanks. A comma plan is separated by single commas;
  each token loses the blanks around it, then one pair of surrounding double quotes. `-` is NULL,
  so is the empty token of a comma plan.
* Header (see `header.is_header`): the plan's own is skipped (a line, no record), another one ends
  the block before it (`Fed.foreign_header`).
* Then: number of tokens ("too few fields", "too many fields"), each column from left to right
  ("bad <column>"), time ("no time"), order ("end before start").
* Columns of a flow: the plan's, in its order, then `start` and `end` where the plan lacks them.
* A NULL start takes end and a NULL end takes start; both NULL take the time of the line
  (`times`), else it is a reject "no time". This holds for coverage records as well.
* log_status NODATA or SKIPDATA makes a coverage record. Where the plan has no log_status but any
  of srcaddr, dstaddr, packets, bytes, a line on which all of those are NULL is coverage too, kept
  with the log_status NODATA.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import pyarrow as pa

from flowscan import schema

MAX_REJECTS = 1000
"""Rejects of one object (and of one block) that are kept; all are counted."""

MAX_REJECT_TEXT = 500
"""Characters of a rejected line that are kept; bytes that are not ASCII are shown as `\\xNN`."""

MILLISECONDS = 100_000_000_000
"""A start or end from here on is in milliseconds; after the division it is no time at all."""

Data: TypeAlias = bytes | bytearray | memoryview
Times: TypeAlias = int | Any | None
"""Time for records without one, epoch seconds: of the whole block, or one int64 a line (-1: none).

As an array it is a contiguous numpy int64 array with at least as many entries as the block has
lines (blank lines and comments included).
"""


@dataclass(frozen=True, slots=True)
class ParseOptions:
    """How to read one object.

    `format` holds the lake column names of text without a header (None: AWS's default format),
    `default_time` the epoch second of records whose format has neither start nor end. The limits
    keep hostile objects bounded: bytes of one line, bytes after decompression, expanded bytes per
    compressed byte (held from `ratio_floor` expanded bytes on), gzip members or zstd frames.
    """

    format: tuple[str, ...] | None = None
    default_time: int | None = None
    max_line: int = 65_536
    max_expanded: int = 16 << 30
    max_ratio: int = 250
    ratio_floor: int = 16 << 20
    max_members: int = 200_000
    max_json: int = 64 << 20


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that is no flow: line number (from 1), why, and its text (cut)."""

    line: int
    reason: str
    text: str


@dataclass(slots=True)
class Counts:
    """Records of one object by what became of them."""

    records: int = 0
    flows: int = 0
    nodata: int = 0
    skipdata: int = 0
    rejects: int = 0

    def add(self, fed: Fed) -> None:
        """Add the records of one block."""
        self.records += fed.records
        self.flows += fed.flows
        self.nodata += fed.nodata
        self.skipdata += fed.skipdata
        self.rejects += fed.rejected


@dataclass(frozen=True, slots=True)
class Plan:
    """The fields of a text: lake column names in the order of the tokens, and the delimiter."""

    columns: tuple[str, ...]
    delimiter: bytes = b" "

    @property
    def flow_columns(self) -> tuple[str, ...]:
        """Columns of the flows: the plan's, then start and end where it lacks them."""
        return self.columns + tuple(n for n in ("start", "end") if n not in self.columns)


@dataclass(slots=True)
class Fed:
    """What one block brought.

    `consumed` bytes and `lines` lines are done with; `rejects` holds the first MAX_REJECTS of
    `rejected`. With `foreign_header` the block was left before a header of another format.
    """

    consumed: int = 0
    lines: int = 0
    records: int = 0
    flows: int = 0
    nodata: int = 0
    skipdata: int = 0
    rejects: list[Reject] = field(default_factory=list)
    foreign_header: bool = False

    @property
    def rejected(self) -> int:
        """Number of all rejects of the block."""
        return self.records - self.flows - self.nodata - self.skipdata


@dataclass(slots=True)
class Drained:
    """Typed rows taken out of a sink: one table per format, and the coverage rows.

    Every string column of flows is dictionary<int32, utf8> with one dictionary. If the sink was
    told the numbers of its sources, `source_id` is the last column of all.
    """

    flows: list[pa.Table]
    coverage: pa.Table


class TextColumns(Protocol):
    """Turns lines of one plan into typed columns; made as `Class(plan, max_line=…)`."""

    @property
    def rows(self) -> int:
        """Flows held and not drained."""
        ...

    def feed(self, data: Data, line: int, *, final: bool, times: Times = None) -> Fed:
        """Parse the whole lines of a block; `line` is the number of its first line (from 1).

        What follows the last LF is left unconsumed unless `final`.
        """
        ...

    def drain(self) -> tuple[pa.Table, pa.Table]:
        """Give out flows and coverage rows, in the order of the lines, and hold none."""
        ...


def reject_text(raw: Data) -> str:
    r"""Text of a rejected line as it is kept: without line end, cut, odd bytes as `\xNN`."""
    text = bytes(raw[: MAX_REJECT_TEXT + 2]).removesuffix(b"\n").removesuffix(b"\r")
    shown = "".join(chr(b) if 0x20 <= b < 0x7F else f"\\x{b:02x}" for b in text)
    return shown[:MAX_REJECT_TEXT]


def flow_schema(columns: Sequence[str]) -> pa.Schema:
    """Arrow schema of flows as they leave the parser: strings are dictionary<int32, utf8>."""
    text = pa.dictionary(pa.int32(), pa.string())
    plain = schema.arrow_schema(columns)
    return pa.schema([f.with_type(text) if pa.types.is_string(f.type) else f for f in plain])


COVERAGE = pa.schema([f for f in schema.small_schema("coverage") if f.name != schema.SOURCE_ID])
"""What parsing knows of a coverage row: all but the number of its source."""
