"""How far a value is from what a resource usually does: modified z-score over past days.

0.6745·(x - median) / MAD, more than 3.5 is unusual (Iglewicz and Hoaglin 1993); without spread
the mean absolute deviation ·1.2533 stands in. Values are compared as log(1 + x). The season is
the hour of the week where it has four observations, else the hour of the day, else all hours.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from statistics import fmean, median
from typing import Any, Final

LEAST: Final = 4
WEEK: Final = 168
FLOOR: Final = 0.05
"""Least spread of log values: a twentieth, so that clockwork traffic may vary a little."""


def z_score(value: float, past: Sequence[float]) -> float:
    """Modified z-score of log(1 + value) against log(1 + past); 0 without a past."""
    if not past:
        return 0.0
    logs = [math.log1p(max(v, 0.0)) for v in past]
    middle = median(logs)
    gaps = [abs(v - middle) for v in logs]
    mad = median(gaps)
    spread = mad / 0.6745 if mad > 0 else fmean(gaps) * 1.2533
    return round((math.log1p(max(value, 0.0)) - middle) / max(spread, FLOOR), 2)


def season(hour: int, past: Mapping[int, Sequence[float]]) -> tuple[str, list[float]]:
    """Past values comparable to an hour of the week (0 to 167), and how they were chosen."""
    same = list(past.get(hour % WEEK, ()))
    if len(same) >= LEAST:
        return "hour of the week", same
    daily = [v for h, values in past.items() if h % 24 == hour % 24 for v in values]
    if len(daily) >= LEAST:
        return "hour of the day", daily
    return "all hours", [v for values in past.values() for v in values]


def rows(table: Any, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Judge the hours of each resource: rows of the days to judge (`judged`) that are unusual.

    Rows give `day, hour` (epoch seconds), `resource, value, judged` and the columns of a finding.
    An hour is compared with the hours before its day.
    """
    found: dict[tuple[str, int], dict[str, Any]] = {}
    ordered = sorted(table.to_pylist(), key=lambda r: (r["resource"], r["hour"]))
    for _, group in groupby(ordered, key=lambda r: r["resource"]):
        mine = list(group)
        for row in mine:
            if row["judged"] and row["value"] >= params["min_value"]:
                _judge(row, mine, params, found)
    return list(found.values())


def _judge(
    row: dict[str, Any],
    mine: list[dict[str, Any]],
    params: Mapping[str, Any],
    found: dict[tuple[str, int], dict[str, Any]],
) -> None:
    past: dict[int, list[float]] = {}
    for other in mine:
        if other["day"] < row["day"]:
            past.setdefault(other["hour"] // 3600 % WEEK, []).append(other["value"])
    days = len({o["day"] for o in mine if o["day"] < row["day"]})
    if days < params["min_days"]:
        return
    chosen, values = season(row["hour"] // 3600 % WEEK, past)
    score = z_score(row["value"], values)
    usual = median(values)
    if score <= params["min_score"] or row["value"] < params["min_ratio"] * max(usual, 1):
        return
    key = (row["resource"], row["day"])
    best = found.get(key)
    if best is None or score > best["score"]:
        drop = ("hour", "value", "judged")
        kept = {k: v for k, v in row.items() if k not in drop}
        found[key] = {
            **kept, "hour_at": row["hour"], "value": row["value"], "usual": round(usual, 1),
            "score": score, "compared_with": chosen, "observations": len(values),
        }  # fmt: skip
