"""The ingest of a set of sources: opens the queue, starts the workers, adds up their results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from time import perf_counter

from flowscan.errors import SourceError
from flowscan.ingest.model import IngestOptions, IngestResult, Planned, Progress
from flowscan.ingest.queue import Queue
from flowscan.ingest.worker import Worker
from flowscan.lake import Lake
from flowscan.sources import Source


def ingest(
    lake: Lake,
    sources: Sequence[Source],
    options: IngestOptions | None = None,
    progress: Progress | None = None,
) -> IngestResult:
    """Read every object of the sources that the lake does not have yet.

    Returns counts over what this call committed. Objects that cannot be read or are no flow
    logs are in the result, not raised, and so is a listing that breaks off after some were read.

    Raises:
        LakeError: the lake cannot be written.
        SourceError: a source cannot be listed, and nothing was read.
    """
    options = options or IngestOptions()
    started = perf_counter()
    lake.recover()  # also when nothing is new: a crashed ingest may have left its last batch
    state = lake.state()
    total = IngestResult(version=state.version)
    queue = Queue(
        sources,
        options.window,
        state,
        fetch_bytes=options.fetch_bytes,
        planned=progress.planned if progress else None,
    )
    workers = [Worker(lake, queue, state, options, progress) for _ in range(options.workers)]
    try:
        _run(workers, queue)
    finally:
        queue.close()
        for source in sources:
            source.close()
    for worker in workers:
        total.add(worker.result)
    total.already += queue.already
    total.spend("list", queue.list_seconds)
    total.spend("total", perf_counter() - started)
    if queue.failure:
        _listing_failed(queue.failure, total)
    return total


def _listing_failed(failure: Exception, result: IngestResult) -> None:
    if not isinstance(failure, SourceError) or not (result.sources or result.refused):
        raise failure
    result.failed.append((failure.where or "listing", failure.what))


def _run(workers: Sequence[Worker], queue: Queue) -> None:
    """Let the workers work; after Ctrl-C, or when one fails, the others commit what they have."""
    with ThreadPoolExecutor(len(workers), thread_name_prefix="ingest") as pool:
        try:
            futures = [pool.submit(worker.work) for worker in workers]
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            queue.stop()
    for future in futures:
        future.result()


def dry_run(
    lake: Lake | None, sources: Sequence[Source], options: IngestOptions
) -> Iterator[Planned]:
    """List what an ingest would read, and what it would skip because the lake has it."""
    state = lake.state() if lake else None
    for source in sources:
        for item in source.list(options.window):
            yield Planned(item, bool(state and state.knows(item.uri, item.etag)))
