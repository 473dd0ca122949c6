"""Parsing: bytes of one object, of whatever shape → typed rows, coverage and rejects in a sink.

Pure: no files, no network, no clock, no environment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flowscan.parse import cloudwatch
from flowscan.parse.decompress import Meter, peek, plain
from flowscan.parse.documents import Collector
from flowscan.parse.header import parse_format
from flowscan.parse.model import Counts, Data, Drained, ParseOptions, Plan, Reject
from flowscan.parse.shapes import HEAD, Shape, recognise, text_plan
from flowscan.parse.sink import Sink, kernel_name
from flowscan.parse.text import TextFeed

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

_BOM = b"\xef\xbb\xbf"


def parse(chunks: Iterable[bytes], options: ParseOptions, sink: Sink) -> Iterator[int]:
    """Parse one object into the sink; yields the bytes read so far after each block.

    The caller may drain the sink at each yield. Calls `sink.begin`.

    Raises:
        RejectedObject: the object is no flow log, corrupt, or beyond the limits. What it brought
            until then (`sink.dirty`) is the caller's to throw away.
    """
    sink.begin(options)
    meter = Meter(options, sink.piece)
    data: Iterator[Data]
    head, data = peek(plain(chunks, meter), HEAD)
    if head.startswith(_BOM):
        head, data = head[len(_BOM) :], _without(data, len(_BOM))
    shape, plan = recognise(head)
    sink.shape = shape
    for _ in _stream(shape, plan, head, data, options, sink, meter):
        yield meter.read
    yield meter.read


def _stream(
    shape: Shape,
    plan: Plan | None,
    head: bytes,
    data: Iterator[Data],
    options: ParseOptions,
    sink: Sink,
    meter: Meter,
) -> Iterator[None]:
    if shape == "empty":
        return iter(())
    if shape == "json":
        return Collector(options, sink, meter).stream(data)
    if shape == "base64":
        return Collector(options, sink, meter).packed(data)
    if shape == "parquet":
        from flowscan.parse import parquet

        return parquet.stream(data, options, sink)
    if shape == "cloudwatch-export":
        head = cloudwatch.exported(head)
    elif shape == "cloudwatch-csv":
        head = cloudwatch.console(head)
    feed = TextFeed(plan or text_plan(head, options), options, sink)
    if shape in ("text", "csv"):
        return feed.stream(data)
    return cloudwatch.stream(data, feed, csv=shape == "cloudwatch-csv")


def _without(chunks: Iterator[Data], count: int) -> Iterator[Data]:
    """The stream without its first bytes."""
    for chunk in chunks:
        view = memoryview(chunk)
        yield view[min(count, view.nbytes) :]
        count -= min(count, view.nbytes)
