"""Tells the shape of an object by its content, never by its name.

Invariant: what the object is is decided by its first 64 KiB (after decompression) alone, so that
it does not depend on how the bytes arrive; what is no flow log is refused, with the reason, before
any of it reaches the sink.

The rule for text: it is a flow log when its first line is a header of flow-log fields, or when any
line within the first 64 KiB is a record of the plan (the given format, else AWS's transit-gateway
or default format) or a header. So broken lines do no harm where records are, and a text without
one is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Literal, TypeAlias

from flowscan.errors import RejectedObject
from flowscan.parse import cloudwatch
from flowscan.parse.header import headerless_plan, is_flow_format, plan_of
from flowscan.parse.lines import LineParser
from flowscan.parse.model import ParseOptions, Plan

Shape: TypeAlias = Literal[
    "empty", "text", "csv", "parquet", "json", "base64", "cloudwatch-export", "cloudwatch-csv"
]
HEAD = 64 << 10
_REMEMBERED = 4096
_ODD = bytes(set(range(256)) - set(range(0x20, 0x7F)) - {9, 10, 13})
_WRITE_TEST = re.compile(rb"(?i)\s*permission\b[^\n]*\s*\Z")
_TRACES = re.compile(
    rb"\b(ACCEPT|REJECT|NODATA|SKIPDATA|eni-[0-9a-f]+|\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})\b"
)


def recognise(head: bytes) -> tuple[Shape, Plan | None]:
    """Shape of an object by its first bytes, and the plan if they begin with a header's line.

    Raises:
        RejectedObject: recognised as something that is no flow log.
    """
    line = head[: head.find(b"\n") + 1]
    headed = _headed(line) if 0 < len(line) <= _REMEMBERED else None
    return headed or (sniff(head), None)


@lru_cache(maxsize=64)
def _headed(line: bytes) -> tuple[Shape, Plan] | None:
    """What a text is that begins with this line; None where its other lines have a say.

    Thousands of objects begin with the same line, and are small.
    """
    shape = sniff(line)
    plan = plan_of(line) if shape in ("text", "csv") else None
    return (shape, plan) if plan and is_flow_format(plan.columns) else None


def sniff(head: bytes) -> Shape:
    """Shape of an object by its first bytes.

    Raises:
        RejectedObject: recognised as something that is no flow log.
    """
    start = head.lstrip(b" \t\r\n")
    if not start:
        return "empty" if len(head) < HEAD else "text"
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise RejectedObject("not a flow log: text in UTF-16")
    if start[:1] in (b"{", b"["):
        return "json"
    if start.startswith(b"H4sI"):
        return "base64"
    lines = significant(head)
    first = next(lines, b"")
    if cloudwatch.EXPORTED.match(first):
        return "cloudwatch-export"
    if cloudwatch.is_console_header(first):
        return "cloudwatch-csv"
    return "csv" if b"," in first else "text"


def significant(head: bytes) -> Iterator[bytes]:
    """Lines that are neither blank nor comments, without blanks around them."""
    at = 0
    while at < len(head):  # as far as it is asked for: mostly that is one line of hundreds
        end = head.find(b"\n", at)
        line = head[at : end if end >= 0 else len(head)].strip(b" \t\r")
        if line and not line.startswith(b"#"):
            yield line
        at = end + 1 if end >= 0 else len(head)


def text_plan(head: bytes, options: ParseOptions) -> Plan:
    """Plan of a text.

    Raises:
        RejectedObject: the text is no flow log, by the rule of this module.
    """
    first = next(significant(head), None)
    if first is None:
        return headerless_plan(b"", options.format)
    plan = plan_of(first)
    if plan:
        if not is_flow_format(plan.columns):
            raise RejectedObject("not a flow log: its header names no address, interface or count")
        return plan
    plan = headerless_plan(first, options.format)
    if len(head) >= HEAD:
        whole = head[: head.rfind(b"\n") + 1]  # the last line may have been cut
        head = whole if next(significant(whole), None) else head
    check(significant(head), plan, options)
    return plan


def check(lines: Iterable[bytes], plan: Plan, options: ParseOptions) -> None:
    """Make sure that any of these lines is a record.

    Raises:
        RejectedObject: none is.
    """
    parser = LineParser(plan, options.max_line)
    seen, reasons = [], []
    for line in lines:
        got = parser.parse(line, options.default_time or 0)
        if got.kind not in ("reject", "none"):
            return
        seen.append(line)
        reasons.append(got.reason)
    raise RejectedObject(_why(b"\n".join(seen), reasons[0], plan, options))


def _why(text: bytes, reason: str, plan: Plan, options: ParseOptions) -> str:
    if _WRITE_TEST.match(text):
        return "not a flow log: AWS's test whether it may write here"
    if text.startswith(b"<"):
        return "not a flow log: HTML or XML"
    if len(text.translate(None, _ODD)) < 0.7 * len(text):
        return "not a flow log: binary data"
    # at least one trace a line on average, or it is some other log that has addresses in it
    if len(_TRACES.findall(text)) >= 2 * (text.count(b"\n") + 1):
        given = "the given format" if options.format else "AWS's default format"
        return f"no line fits {given} of {len(plan.columns)} fields ({reason}): give --format"
    return "not a flow log: no line of it is a record"
