"""Text lines → typed columns with the compiled kernel (native/*.c).

Invariant: same rows, counts and rejects as `lines.LineParser` line by line, hence as
`arrow_text.ArrowText`. The kernel may be absent (no C compiler); `available` tells.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from flowscan.parse.header import MAX_COLUMNS, header_columns, split
from flowscan.parse.lines import TRAFFIC, limit
from flowscan.parse.model import (
    COVERAGE,
    MAX_REJECTS,
    Data,
    Fed,
    Plan,
    Reject,
    Times,
    flow_schema,
    reject_text,
)
from flowscan.schema import ADDRESS_COLUMNS, BY_NAME

if TYPE_CHECKING:
    from flowscan.parse import _kernel
else:
    try:
        from flowscan.parse import _kernel
    except ImportError:  # not built: ArrowText does the work
        _kernel = None

_STRING, _ADDRESS, _ACTION, _STATUS, _INTEGER, _TIME = range(6)
_COVERAGE_TEXTS = ("account_id", "interface_id", "vpc_id", "subnet_id", "region")
_REASONS = {
    0xFF01: "line too long",
    0xFF02: "not printable ASCII",
    0xFF03: "too few fields",
    0xFF04: "too many fields",
    0xFF05: "no time",
    0xFF06: "end before start",
}
_KNOWN = "".join(f"{name}\0" for name in BY_NAME).encode("ascii")


def available() -> bool:
    """Whether the kernel was built for this installation."""
    return _kernel is not None


def supports(plan: Plan) -> bool:
    """Whether the kernel reads texts of this plan: all that a header can name."""
    return 0 < len(plan.columns) <= MAX_COLUMNS and len(set(plan.columns)) == len(plan.columns)


def instructions() -> str:
    """Instruction set of the delimiter scan on this machine: avx2, sse2, neon or plain."""
    return _parser(Plan(("start",)), 1, "").instructions


class _Exported:
    """An Arrow array of the kernel on its way to Arrow, by the PyCapsule protocol."""

    def __init__(self, schema: pa.Schema, array: object) -> None:
        self._capsules = schema.__arrow_c_schema__(), array

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        return self._capsules


class NativeText:
    """See `model.TextColumns`. It holds the GIL only to hand over results.

    `start_range` is the lowest and highest start of the batch drained last, None without rows.
    `instructions` picks the scan (for tests and benchmarks), empty for the machine's best.
    """

    def __init__(self, plan: Plan, *, max_line: int, instructions: str = "") -> None:
        self.plan = plan
        self.rows = 0
        self.start_range: tuple[int, int] | None = None
        self._header = b""
        self._schema = flow_schema(plan.flow_columns)
        self._parser = _parser(plan, max_line, instructions)

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the rows held take; beyond 2 GiB in one column feed raises."""
        return self._parser.nbytes

    @property
    def one_day(self) -> bool:
        """Whether all rows of the batch drained last start on one UTC date."""
        first, last = self.start_range or (0, 0)
        return first // 86_400 == last // 86_400

    def feed(self, data: Data, line: int, *, final: bool, times: Times = None) -> Fed:
        """Parse the whole lines of a block.

        Raises:
            OverflowError: a column holds 2 GiB of text (drain when `nbytes` grows large).
            MemoryError: no memory; what is held is lost.
        """
        fed = Fed()
        view = memoryview(data)
        if self._header and bytes(view[: len(self._header)]) == self._header:
            fed.lines, fed.consumed = 1, len(self._header)  # saves a call of the kernel a file
        while True:
            header = self._feed(view[fed.consumed :], line, fed, final=final, times=times)
            if header is None:
                return fed
            if (
                header_columns(split(header.strip(b" \t\r"), self.plan.delimiter))
                != self.plan.columns
            ):
                fed.foreign_header = True
                return fed
            fed.lines += 1
            line_end = fed.consumed + len(header) + 1
            if line_end <= len(view):
                self._header = bytes(view[fed.consumed : line_end])
            fed.consumed = min(line_end, len(view))

    def _feed(
        self, view: memoryview, line: int, fed: Fed, *, final: bool, times: Times
    ) -> bytes | None:
        """Feed the kernel once; the header line that it stopped before, if it did."""
        each = times[fed.lines :] if isinstance(times, np.ndarray) else None
        every = None if each is not None or times is None else int(times)
        consumed, lines, records, flows, nodata, skipdata, header, rejects = self._parser.feed(
            view, final, every, each
        )
        for number, reason, text in rejects[: MAX_REJECTS - len(fed.rejects)]:
            why = _REASONS.get(reason) or f"bad {self.plan.columns[reason - 1]}"
            fed.rejects.append(Reject(line + fed.lines + number, why, reject_text(text)))
        self.rows += flows
        fed.consumed += consumed
        fed.lines += lines
        fed.records += records
        fed.flows += flows
        fed.nodata += nodata
        fed.skipdata += skipdata
        return None if header < 0 else bytes(view[consumed : consumed + header])

    def drain(self) -> tuple[pa.Table, pa.Table]:
        """Give out flows and coverage rows without a copy, and hold none.

        The memory comes back for later rows when Arrow lets go of the batches.
        """
        flows, coverage, self.start_range = self._parser.drain()
        self.rows = 0
        return (
            pa.Table.from_batches([pa.record_batch(_Exported(self._schema, flows))]),
            pa.Table.from_batches([pa.record_batch(_Exported(COVERAGE, coverage))]),
        )


def _parser(plan: Plan, max_line: int, instructions: str) -> _kernel.Parser:
    columns = plan.columns

    def find(name: str) -> int:
        return columns.index(name) if name in columns else -1

    kinds = [_kind(name) for name in columns]
    return _kernel.Parser(
        kinds=kinds,
        limits=[limit(name) or 0 for name in columns],
        comma=plan.delimiter == b",",
        max_line=max_line,
        start=find("start"),
        end=find("end"),
        status=find("log_status"),
        coverage=[find(name) for name in _COVERAGE_TEXTS],
        traffic=[find(name) for name in TRAFFIC if name in columns],
        known=_KNOWN,
        seed=secrets.randbits(64),
        instructions=instructions,
    )


def _kind(column: str) -> int:
    special = {"action": _ACTION, "log_status": _STATUS, "start": _TIME, "end": _TIME}
    if column in special:
        return special[column]
    if limit(column) is not None:
        return _INTEGER
    return _ADDRESS if column in ADDRESS_COLUMNS else _STRING
