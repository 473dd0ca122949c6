"""One worker: takes objects, parses them into its own columns, commits its own batch.

Invariant: a batch that has to leave an object out (corrupt in the middle, already committed by
somebody else) is thrown away and parsed again without it; nothing half-read is ever committed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from time import perf_counter
from typing import TYPE_CHECKING

from flowscan.arrays import decoded, repeated
from flowscan.errors import LakeConflict, RejectedObject, SourceError
from flowscan.ingest.model import IngestOptions, IngestResult, Progress
from flowscan.ingest.queue import Queue, Ticket, fetch
from flowscan.lake import Lake, Refusal, SourceRecord, State, Transaction
from flowscan.parse import ParseOptions, Reject, Sink, parse
from flowscan.schema import small_schema
from flowscan.sources import Payload, Source, SourceObject

if TYPE_CHECKING:
    import pyarrow as pa


MAX_TEXT = 512 << 20
"""Text parsed and not yet written: lines may be long, so rows alone do not bound memory."""

RUN, RUN_BYTES = 16, 1 << 20
"""So many objects, or so many bytes of them, are opened one after the other."""


class _Spoiled(Exception):  # noqa: N818 - no mistake, a signal inside this module
    """An object failed after some of its rows had been taken; the batch is parsed again."""


@dataclass(slots=True)
class _Batch:
    """The objects of one commit and what is known of them.

    `claimed` are all that were taken from the queue, `dropped` the URIs that turned out not to
    belong in: refused, failed or committed by another writer.
    """

    claimed: list[tuple[Source, SourceObject]] = field(default_factory=list)
    dropped: set[str] = field(default_factory=set)
    refusals: list[Refusal] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)
    already: int = 0
    bytes: int = 0
    records: list[SourceRecord] = field(default_factory=list)


class Worker:
    """Works until the queue is empty; `result` tells what was committed."""

    def __init__(
        self,
        lake: Lake,
        queue: Queue,
        state: State,
        options: IngestOptions,
        progress: Progress | None,
    ) -> None:
        self.result = IngestResult()
        self._lake = lake
        self._queue = queue
        self._state = state
        self._options = options
        self._progress = progress
        self._sink = Sink(kernel=options.kernel)
        self._region: str | None = None

    def work(self) -> None:
        """Take, parse and commit batch after batch.

        Raises:
            LakeError: the lake cannot be written.
        """
        while self._work_batch():
            pass

    def _work_batch(self) -> bool:
        """Claim and commit one batch; False when the queue is empty."""
        batch = _Batch()
        while True:
            transaction = self._lake.begin()
            try:
                self._parse_batch(batch, transaction)
                if batch.records or batch.refusals:
                    self._commit(batch, transaction)
                else:
                    transaction.abort()
            except (_Spoiled, LakeConflict) as reason:
                transaction.abort()
                self._forget(batch, reason)
            except BaseException:
                transaction.abort()
                raise
            else:
                self._settle(batch)
                return bool(batch.claimed)

    def _parse_batch(self, batch: _Batch, transaction: Transaction) -> None:
        for ticket, payload in self._opened(batch):
            if ticket.object.region != self._region:
                self._drain(transaction)
                self._region = ticket.object.region
            self._parse_object(ticket, payload, batch, transaction)
        self._drain(transaction)

    def _opened(self, batch: _Batch) -> Iterator[tuple[Ticket, Payload]]:
        """The objects of the batch with their bytes.

        Small ones are opened several at a time: code that runs again at once is still in the
        processor's cache, which after parsing it is not.
        """
        run: list[tuple[Ticket, Payload]] = []
        size = 0
        for ticket in self._tickets(batch):
            payload = self._open(ticket, batch)
            if payload is not None:
                run.append((ticket, payload))
                size += ticket.object.size or RUN_BYTES  # of a slice of a log group it is unknown
            if size >= RUN_BYTES or len(run) == RUN:
                yield from run
                run, size = [], 0
        yield from run

    def _tickets(self, batch: _Batch) -> Iterator[Ticket]:
        """What was claimed before, then more from the queue until the batch is full."""
        for source, item in list(batch.claimed):
            if item.uri not in batch.dropped:
                yield Ticket(source, item, partial(fetch, source, item))
        while batch.bytes < self._options.batch_bytes and (
            len(batch.claimed) < self._options.batch_objects
        ):
            stop = self._options.stop
            ticket = None if stop and stop.is_set() else self._queue.take()
            if ticket is None:
                return
            batch.claimed.append((ticket.source, ticket.object))
            batch.bytes += ticket.object.size
            yield ticket

    def _open(self, ticket: Ticket, batch: _Batch) -> Payload | None:
        """Wait for the bytes of an object; None if it is left out."""
        started = perf_counter()
        try:
            payload = ticket.fetch()
        except SourceError as error:
            self._leave_out(batch, ticket.object, error)
            return None
        finally:
            self.result.spend("fetch", perf_counter() - started)
        return None if self._is_known(ticket.object, payload, batch) else payload

    def _parse_object(
        self, ticket: Ticket, payload: Payload, batch: _Batch, transaction: Transaction
    ) -> None:
        sink, item = self._sink, ticket.object
        options = _parse_options(self._options.format or ticket.source.format, item.time)
        sink.source = transaction.number(item.uri)
        digest = payload.digest
        started, written = perf_counter(), self.result.seconds.get("write", 0.0)
        try:
            for _ in parse(payload.chunks, options, sink):
                if sink.rows >= self._options.row_group or sink.text_bytes >= MAX_TEXT:
                    self._drain(transaction)
        except SourceError as error:
            self._leave_out(batch, item, error)
            if sink.dirty:
                raise _Spoiled from error
            return
        finally:
            written = self.result.seconds.get("write", 0.0) - written
            self.result.spend("parse", perf_counter() - started - written)
        if payload.digest != digest and self._is_known(item, payload, batch):
            # A streamed file tells its digest only now.
            raise _Spoiled
        batch.records.append(_source_record(item, payload, sink))
        if sink.rejects:
            rejects = _reject_rows(item.uri, sink.source, sink.rejects)
            transaction.write_rows("rejects", rejects)
        if self._progress:
            self._progress.advanced(item.size, sink.counts.records)

    def _is_known(self, item: SourceObject, payload: Payload, batch: _Batch) -> bool:
        """Recognise bytes that are in the lake already, under another modification time."""
        if payload.digest is None or not self._state.knows(item.uri, payload.digest):
            return False
        batch.dropped.add(item.uri)
        batch.already += 1
        return True

    def _drain(self, transaction: Transaction) -> None:
        started = perf_counter()
        drained = self._sink.drain()
        for flows in drained.flows:
            transaction.write_flows(_with_region(flows, self._region))
        if drained.coverage.num_rows:
            transaction.write_rows("coverage", _with_region(drained.coverage, self._region))
        self.result.spend("write", perf_counter() - started)

    def _leave_out(self, batch: _Batch, item: SourceObject, error: SourceError) -> None:
        batch.dropped.add(item.uri)
        if isinstance(error, RejectedObject):
            batch.refusals.append(
                Refusal(uri=item.uri, etag=item.etag, size=item.size, reason=error.what)
            )
        else:
            batch.failures.append((item.uri, error.what))

    def _forget(self, batch: _Batch, reason: _Spoiled | LakeConflict) -> None:
        """Throw away what was parsed, so that the batch can be parsed again without the reason."""
        self._sink.drain()
        batch.records.clear()
        if isinstance(reason, LakeConflict):
            known = {uri for uri, _ in reason.known}
            batch.already += len(known - batch.dropped)
            batch.dropped |= known
            batch.refusals = [r for r in batch.refusals if r.uri not in known]

    def _commit(self, batch: _Batch, transaction: Transaction) -> None:
        started = perf_counter()
        self.result.version = transaction.commit(batch.records, batch.refusals)
        self.result.spend("commit", perf_counter() - started)
        _acknowledge(batch)

    def _settle(self, batch: _Batch) -> None:
        """Add the batch to the result once it stands in the lake."""
        result = self.result
        result.sources += len(batch.records)
        result.already += batch.already
        result.refused += [(r.uri, r.reason) for r in batch.refusals]
        result.failed += batch.failures
        for record in batch.records:
            result.bytes += record.size
            result.records += record.records
            result.flows += record.flows
            result.nodata += record.nodata
            result.skipdata += record.skipdata
            result.rejects += record.rejects


@lru_cache(maxsize=256)
def _parse_options(columns: tuple[str, ...] | None, time: int | None) -> ParseOptions:
    """What the objects of one slot share."""
    return ParseOptions(format=columns, default_time=time)


def _acknowledge(batch: _Batch) -> None:
    """Tell each source which of its objects are committed, so that queues may delete them."""
    failed = {uri for uri, _ in batch.failures}
    by_source: dict[int, tuple[Source, list[SourceObject]]] = {}
    for source, item in batch.claimed:
        if item.uri not in failed:
            by_source.setdefault(id(source), (source, []))[1].append(item)
    for source, items in by_source.values():
        source.done(items)


def _with_region(rows: pa.Table, region: str | None) -> pa.Table:
    """Fill in the region that the object's key names where the format has no region field."""
    import pyarrow as pa

    if region is None or not rows.num_rows:
        return rows
    position = rows.schema.get_field_index("region")
    if position >= 0 and rows.column(position).null_count < rows.num_rows:
        return rows
    column = repeated(region, rows.num_rows)
    if position < 0:
        return rows.append_column("region", column)
    if not pa.types.is_dictionary(rows.schema.field(position).type):
        column = decoded(column)
    return rows.set_column(position, "region", column)


def _source_record(item: SourceObject, payload: Payload, sink: Sink) -> SourceRecord:
    counts = sink.counts
    return SourceRecord(
        uri=item.uri,
        # Standard input has no etag but the digest of what was read.
        etag=item.etag or payload.digest or "",
        size=item.size,
        digest=payload.digest,
        shape=sink.shape,
        records=counts.records,
        flows=counts.flows,
        nodata=counts.nodata,
        skipdata=counts.skipdata,
        rejects=counts.rejects,
        source_id=sink.source,
    )


def _reject_rows(uri: str, source_id: int, rejects: Sequence[Reject]) -> pa.Table:
    import pyarrow as pa

    return pa.table(
        {
            "source": [uri] * len(rejects),
            "line": [r.line for r in rejects],
            "reason": [r.reason for r in rejects],
            "text": [r.text for r in rejects],
            "source_id": [source_id] * len(rejects),
        },
        schema=small_schema("rejects"),
    )
