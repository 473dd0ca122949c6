"""Parsing: bytes of one object, of whatever shape → typed rows, coverage and rejects in a sink.

Pure: no files, no network, no clock, no environment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flowscan.parse.decompress import Meter, plain
from flowscan.parse.header import parse_format
from flowscan.parse.model import Counts, Drained, ParseOptions, Plan, Reject
from flowscan.parse.shapes import peek, text_plan
from flowscan.parse.sink import Sink, kernel_name
from flowscan.parse.text import TextFeed, feed_all

__all__ = [
    "Counts",
    "Drained",
    "ParseOptions",
    "Plan",
    "Reject",
    "Sink",
    "kernel_name",
    "parse",
    "parse_format",
]


def parse(chunks: Iterable[bytes], options: ParseOptions, sink: Sink) -> Iterator[int]:
    """Parse one object into the sink; yields the bytes read so far after each block.

    The caller may drain the sink at each yield. Calls `sink.begin`.

    Raises:
        RejectedObject: the object is no flow log, corrupt, or beyond the limits. What it brought
            until then (`sink.dirty`) is the caller's to throw away.
    """
    sink.begin(options)
    meter = Meter(options)
    head, data = peek(plain(chunks, meter))
    sink.shape = "text"
    feed = TextFeed(text_plan(head, options), options, sink)
    for _ in feed_all(data, feed):
        yield meter.read
