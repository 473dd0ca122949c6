"""The ground of a report: the tables of traffic of a period, folded once for all sections.

Invariant: whatever engine it is, the sections find the same tables; days that the period covers in
part are answered by sessions, since contacts are by UTC day.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from flowscan import queries
from flowscan.engine import Opener, Workspace
from flowscan.lake import Lake
from flowscan.report import sql
from flowscan.report.flows import named
from flowscan.report.model import Period
from flowscan.traffic import made, reading

HOUR: Final = 3_600
DAY: Final = 86_400
FEW: Final = 4_000_000
"""So many volumes one thread sums in about a second; more threads cost more than they save."""


@contextlib.contextmanager
def opened(lake: Lake, period: Period, opener: Opener | None) -> Iterator[Workspace]:
    """A workspace in which the tables of traffic of a period and the one before it stand.

    Raises:
        EngineError: the flows cannot be read.
    """
    since, until = period.before.since, period.until
    few = lake.snapshot(since, until).rows("volumes") <= FEW
    with (
        made(lake, opener, since, until)
        if opener
        else reading(lake, since, until, threads=1 if few else None)
    ) as workspace:
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
    """Make the tables that the sections ask."""
    for name, text in sql.FOLDS.items():
        workspace.make(name, text, named(text, bound))
    reached = sql.REACHED
    if bound["days_since"] > bound["since"] or bound["days_until"] < bound["until"]:
        # The file is written in what DuckDB reads too: translating costs more than all of this.
        contacts = next(q for q in queries.derived() if q.id == "contacts")
        partly = sql.PARTLY.format(contacts=queries.inline(contacts, {}))
        workspace.make("report_partly", partly, named(sql.PARTLY, bound))
        reached += f"UNION ALL {sql.REACHED_PARTLY}"
    workspace.make("report_reached", reached, named(reached, bound))
