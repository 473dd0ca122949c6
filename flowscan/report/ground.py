"""The ground of reports: the tables of traffic of a window, summed up once for all sections.

Invariant: whatever engine it is, the sections find the same tables; days that the period covers in
part are answered by sessions, since contacts are by UTC day. A ground serves any number of periods
within its window, one after the other.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flowscan import queries
from flowscan.engine import Opener, Workspace, threads_for
from flowscan.lake import Lake
from flowscan.report import folds
from flowscan.report.flows import named
from flowscan.report.model import Period
from flowscan.traffic import made, reading

HOUR: Final = 3_600
DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Window:
    """What a ground is of: `period`, and `before` it, which is what growth is told from."""

    period: Period
    before: Period

    @classmethod
    def of(cls, period: Period) -> Window:
        """The window that a report of the period needs."""
        return cls(period, period.before)

    def whole(self, held: Period) -> Window:
        """The same in whole UTC days, all of them for any use, as far as the lake reaches."""
        since = max(self.before.since, held.since)
        until = max(min(self.period.until, held.until), since + 1)
        days = Period(since - since % DAY, -(-until // DAY) * DAY)
        return Window(days, days)

    def holds(self, other: Window, held: Period) -> bool:
        """Tell whether all that the lake has for another one is in this one."""
        return (
            self.before.since <= max(other.before.since, held.since)
            and self.period.since <= max(other.period.since, held.since)
            and min(other.period.until, held.until) <= self.period.until
        )


@contextlib.contextmanager
def opened(
    lake: Lake, window: Window, opener: Opener | None = None, memory: str | None = None
) -> Iterator[Workspace]:
    """A workspace in which the tables of traffic of a window stand, and the sums of it.

    Raises:
        EngineError: the flows cannot be read.
    """
    since, until = window.before.since, window.period.until
    with contextlib.ExitStack() as stack:
        if opener:
            workspace = stack.enter_context(made(lake, opener, since, until))
        else:
            threads = threads_for(lake.snapshot(since, until).rows("volumes"))
            workspace = stack.enter_context(
                reading(lake, since, until, threads=threads, memory_limit=memory)
            )
        values = {"begin": since, "first": window.period.since, "end": until}
        for name, text in folds.SUMS.items():
            workspace.make(name, text, named(text, values))
        yield workspace


def bounds(period: Period, held: Period | None) -> dict[str, int]:
    """The times that the SQL is bound to; `held` is what the lake has."""
    since, until = period.since, period.until
    first = -(-since // DAY) * DAY
    last = until - until % DAY
    # Where there is nothing beyond the period, a day is whole though the period cuts it.
    if held and held.since >= since:
        first = since - since % DAY
    if held and held.until <= until:
        last = -(-until // DAY) * DAY
    return {
        "since": since,
        "until": until,
        "before": period.before.since,
        "days_since": min(first, last),
        "days_until": last,
    }


def fold(workspace: Workspace, bound: Mapping[str, Any]) -> None:
    """Make the tables of a period that its sections ask."""
    for name, text in folds.FOLDS.items():
        workspace.make(name, text, named(text, bound))
    reached = folds.REACHED
    if bound["days_since"] > bound["since"] or bound["days_until"] < bound["until"]:
        # The file is written in what DuckDB reads too: translating costs more than all of this.
        contacts = next(q for q in queries.derived() if q.id == "contacts")
        partly = folds.PARTLY.format(contacts=queries.inline(contacts, {}))
        workspace.make("report_partly", partly, named(folds.PARTLY, bound))
        reached += f"UNION ALL {folds.REACHED_PARTLY}"
    workspace.make("report_reached", reached, named(reached, bound))
