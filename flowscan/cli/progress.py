"""Progress on a terminal: of an ingest (objects, records, bytes, rate, time left), of a count."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flowscan.cli.render import console, human_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Progress, TaskID


class _Shown:
    """Implements `flowscan.ingest.Progress` on a rich display. Called by many threads."""

    def __init__(self, display: Progress, task: TaskID) -> None:
        self._display = display
        self._task = task
        self._lock = threading.Lock()
        self._objects = self._planned = self._records = self._bytes = 0

    def planned(self, objects: int, size: int) -> None:
        """Set the totals."""
        self._planned = objects
        self._display.update(self._task, total=size)

    def advanced(self, size: int, records: int) -> None:
        """Count one object."""
        with self._lock:
            self._objects += 1
            self._records += records
            self._bytes += size
            elapsed = self._display.tasks[0].elapsed or 1e-9
            self._display.update(
                self._task,
                completed=self._bytes,
                files=f"{self._objects:,}/{self._planned:,} files",
                records=f"{self._records:,} records",
                size=human_bytes(self._bytes),
                rate=f"{self._records / elapsed:,.0f}/s",
            )


@contextmanager
def ingest_progress() -> Iterator[_Shown | None]:
    """Yield a progress display on stderr, or None where that is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(
        BarColumn(),
        *(TextColumn(f"{{task.fields[{name}]}}") for name in ("files", "records", "size", "rate")),
        TimeRemainingColumn(),
        console=console(err=True),
        transient=True,
    ) as display:
        task = display.add_task("ingest", files="listing …", records="", size="", rate="")
        yield _Shown(display, task)


@contextmanager
def counting(what: str, total: int) -> Iterator[Callable[[int], None] | None]:
    """Yield what is told how many of `total` are done and shows it on stderr; None in a pipe."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = TextColumn(what), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=console(err=True), transient=True) as display:
        task = display.add_task(what, total=total)
        yield lambda done: display.update(task, completed=done)
