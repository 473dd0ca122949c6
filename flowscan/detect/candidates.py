"""Which detections can raise anything on a day: one look at its contacts for all of them.

Planning a statement costs more than most of them find, so a detection may say in its front matter
what some contact of the day must be like (`when`). Invariant: the condition follows from the query,
so that leaving the query out changes no finding; a test asks the queries all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from flowscan import queries
from flowscan.engine import Workspace
from flowscan.net.sql import named

_NAME: Final = re.compile(r"\$([a-z_]+(?:\.[a-z_]+)?)")


def problems(condition: str, params: Mapping[str, object]) -> Iterator[str]:
    """What is wrong with a condition of a detection that has these parameters."""
    for name in _NAME.findall(condition):
        if "." not in name and name not in params:
            yield f"when: ${name} is no parameter"
        elif "." in name:
            try:
                named(name)
            except ValueError:
                yield f"when: ${name} is no list that net knows"


def names_categories(condition: str | None) -> bool:
    """Whether a condition is about what feeds list."""
    return condition is not None and "_category" in condition


def condition(when: str | None, query: queries.Query, given: Mapping[str, Any]) -> str:
    """The condition of a query's detection with its parameters and lists written out."""
    values = queries.values_of(query, given)

    def text(match: re.Match[str]) -> str:
        name = match[1]
        return named(name) if "." in name else queries.quote(values[name])

    return _NAME.sub(text, when or "1 = 1")


def possible(
    engine: Workspace, conditions: Mapping[str, str], since: int, until: int
) -> dict[str, set[int]]:
    """The days of a window (epoch seconds, whole UTC days) on which each condition holds.

    Conditions are over the columns of contacts and the categories in which feeds list the two
    sides, `client_category` and `server_category`, NULL if none does.
    """
    if not conditions:
        return {}
    names = sorted(conditions)
    held = ",\n  ".join(
        f"max(CASE WHEN {conditions[name]} THEN 1 ELSE 0 END) AS c{at}"
        for at, name in enumerate(names)
    )
    joined = "".join(
        f"LEFT JOIN (SELECT DISTINCT address, category AS {side}_category FROM matches) {side}s\n"
        f"  ON {side}s.address = {side}\n"
        for side in ("client", "server")
        if f"{side}_category" in held
    )
    rows: Sequence[Mapping[str, Any]] = engine.execute(
        f"SELECT day, {held}\nFROM contacts\n{joined}"
        f"WHERE day >= {since} AND day < {until}\nGROUP BY day"
    ).to_pylist()
    return {
        name: {int(row["day"]) for row in rows if row[f"c{at}"] == 1}
        for at, name in enumerate(names)
    }
