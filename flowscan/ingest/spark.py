"""Ingest on Spark: executors run flowscan's own parser, the driver commits once.

Each task attempt writes a share of the driver's batch under file numbers of its own; only the
attempts that Spark reports as successful are adopted, in one commit. Invariant: a retried,
speculated or killed task leaves nothing in the lake but what its one successful attempt wrote.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any

from flowscan.errors import LakeConflict, LakeError
from flowscan.ingest.model import MEGABYTE, IngestOptions, IngestResult
from flowscan.ingest.queue import Queue, Ticket, fetch
from flowscan.ingest.worker import Worker
from flowscan.lake import (
    FileEntry,
    Lake,
    Refusal,
    Share,
    SourceRecord,
    State,
    StoreOptions,
    Transaction,
)
from flowscan.sources import SourceObject, SourceOptions, Window, open_source

TASK_BYTES = 128 * MEGABYTE
"""Input of one task: large enough for full row groups, small enough to be redone."""

Assigned = tuple[str, SourceObject, int]
"""A source as it was named, one object of it, and the number that the driver gave it."""


@dataclass(frozen=True, slots=True)
class Job:
    """What every task is told."""

    lake: str
    store: StoreOptions | None
    batch: str
    reach: SourceOptions
    options: IngestOptions


@dataclass(slots=True)
class Part:
    """What one task attempt wrote, sent back to the driver; stands in for a lake in a Worker."""

    job: Job
    number: int
    numbers: dict[str, int]
    files: list[FileEntry] = field(default_factory=list)
    records: list[SourceRecord] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


class _PartLake:
    """Gives a Worker shares instead of transactions, and keeps what they committed."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._lake = Lake.open(part.job.lake, options=part.job.store)
        self.state: State = self._lake.state()

    def begin(self) -> _PartTransaction:
        self._part.number += Share.SPAN // 100
        return _PartTransaction(self._lake, self._part)


class _PartTransaction(Share):
    def __init__(self, lake: Lake, part: Part) -> None:
        super().__init__(lake, part.job.batch, part.number, part.numbers)
        self._part = part

    def commit(self, sources: Sequence[SourceRecord], refused: Sequence[Refusal] = ()) -> int:
        self._part.files += self.finish()
        self._part.records += sources
        self._part.refusals += refused
        return 0


class _Assigned:
    """The queue of one task: the objects that the driver gave it."""

    def __init__(self, job: Job, objects: Sequence[Assigned]) -> None:
        sources = {name: open_source(name, job.reach) for name in {name for name, _, _ in objects}}
        self._left = iter([(sources[name], item) for name, item, _ in objects])

    def take(self) -> Ticket | None:
        following = next(self._left, None)
        if following is None:
            return None
        return Ticket(*following, partial(fetch, *following))


def run_task(job: Job, objects: Sequence[Assigned], attempt: int) -> tuple[Part, IngestResult]:
    """Parse the objects of one task into a share of the job's batch.

    `attempt` is unique among all attempts of all tasks of the job.
    """
    part = Part(job, attempt * Share.SPAN, {item.uri: number for _, item, number in objects})
    lake: Any = _PartLake(part)
    queue: Any = _Assigned(job, objects)
    worker = Worker(lake, queue, lake.state, job.options, None)
    worker.work()
    return part, worker.result


def ingest_spark(
    lake: Lake,
    where: str,
    sources: Sequence[str],
    reach: SourceOptions,
    options: IngestOptions | None = None,
    *,
    store: StoreOptions | None = None,
    session: Any = None,
) -> IngestResult:
    """Like `flowscan.ingest.ingest`, with the parsing spread over Spark's executors.

    `where` and `sources` must name the same things on every executor: a shared file system or
    S3. `session` is a SparkSession; by default the one that is active or that Spark's own
    configuration makes.

    Raises:
        LakeError: the lake cannot be written.
        SourceError: a source cannot be listed.
    """
    options = options or IngestOptions()
    context = _context(session)
    while True:
        try:
            return _attempt(lake, where, sources, reach, options, store, context)
        except LakeConflict:
            # Somebody else committed some of the objects meanwhile: plan again without them.
            continue


def _context(session: Any) -> Any:
    from pyspark.sql import SparkSession

    made = session or SparkSession.builder.appName("flowscan ingest").getOrCreate()
    context = made.sparkContext
    if (context.master or "").startswith("local") and context.pythonExec == "python3":
        # Nobody named an interpreter: the first of the PATH need not be one that has flowscan.
        context.pythonExec = sys.executable
    return context


def _attempt(
    lake: Lake,
    where: str,
    sources: Sequence[str],
    reach: SourceOptions,
    options: IngestOptions,
    store: StoreOptions | None,
    context: Any,
) -> IngestResult:
    started = perf_counter()
    total = IngestResult()
    names, queue = _plan(sources, reach, options.window, lake.state())
    transaction = lake.begin()
    try:
        job = Job(where, store, transaction.batch, reach, options)
        tasks = list(_tasks(names, queue, transaction))
        parts = _run(context, job, tasks) if tasks else []
        records: list[SourceRecord] = []
        refusals: list[Refusal] = []
        for part, result in parts:
            transaction.adopt(part.files)
            records += part.records
            refusals += part.refusals
            total.add(result)
        if records or refusals:
            total.version = transaction.commit(records, refusals)
    finally:
        transaction.abort()
    total.already += queue.already
    total.spend("list", queue.list_seconds)
    total.spend("total", perf_counter() - started)
    return total


def _plan(
    sources: Sequence[str], reach: SourceOptions, window: Window, state: State
) -> tuple[dict[int, str], Queue]:
    opened = {name: open_source(name, reach) for name in sources}
    names = {id(source): name for name, source in opened.items()}
    return names, Queue(opened.values(), window, state, fetch_bytes=0)


def _tasks(
    names: dict[int, str], queue: Queue, transaction: Transaction
) -> Iterator[list[Assigned]]:
    """Cut the listing into tasks of about `TASK_BYTES`; keeps neighbours together."""
    task: list[Assigned] = []
    size = 0
    for source, item in queue.plan():
        if task and size + item.size > TASK_BYTES:
            yield task
            task, size = [], 0
        task.append((names[id(source)], item, transaction.number(item.uri)))
        size += item.size
    if task:
        yield task


def _run(context: Any, job: Job, tasks: list[list[Assigned]]) -> list[tuple[Part, IngestResult]]:
    def work(objects: list[Assigned]) -> tuple[Part, IngestResult]:
        return run_task(job, objects, 1 + _attempt_id())

    parts: list[tuple[Part, IngestResult]] = (
        context.parallelize(tasks, len(tasks)).map(work).collect()
    )
    return parts


def _attempt_id() -> int:
    """Number of this task attempt, unique in the application."""
    from pyspark import TaskContext

    context = TaskContext.get()
    if context is None:
        raise LakeError("no Spark task runs here")
    return int(context.taskAttemptId())
