"""Tells the shape of an object by its content, never by its name.

Invariant: an object that is no flow log is refused before anything of it reaches the sink.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from flowscan.parse.header import headerless_plan, plan_of
from flowscan.parse.model import Data, ParseOptions, Plan

HEAD = 64 << 10


def peek(chunks: Iterator[Data], size: int = HEAD) -> tuple[bytes, Iterator[Data]]:
    """First bytes of a stream, and the stream as if nothing had been taken."""
    held: list[Data] = []
    have = 0
    for chunk in chunks:
        held.append(chunk)
        have += len(chunk)
        if have >= size:
            break
    head = b"".join(bytes(h[:size]) for h in held)[:size]
    return head, itertools.chain(held, chunks)


def text_plan(head: bytes, options: ParseOptions) -> Plan:
    """Plan of a text by its first line that is neither blank nor a comment."""
    for raw in head.split(b"\n"):
        line = raw.strip(b" \t\r")
        if line and not line.startswith(b"#"):
            return plan_of(line) or headerless_plan(line, options.format)
    return headerless_plan(b"", options.format)
