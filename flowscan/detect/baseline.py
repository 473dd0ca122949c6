"""How far a value is from what a resource usually does: modified z-score over past days.

0.6745·(x - median) / MAD, more than 3.5 is unusual (Iglewicz and Hoaglin 1993); without spread
the mean absolute deviation ·1.2533 stands in. Values are compared as log(1 + x). The season is
the hour of the week where it has four observations, else the hour of the day, else all hours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import polars as pl

LEAST: Final = 4
WEEK: Final = 168
FLOOR: Final = 0.05
"""Least spread of log values: a twentieth, so that clockwork traffic may vary a little."""

SEASONS: Final = (
    ("hour of the week", ("resource", "week_hour"), LEAST),
    ("hour of the day", ("resource", "day_hour"), LEAST),
    ("all hours", ("resource",), 1),
)
"""What an hour is compared with, by which columns, and the least observations of it."""


def rows(table: Any, params: Mapping[str, Any]) -> Any:
    """Judge the hours of each resource: rows of the days to judge (`judged`) that are unusual.

    Rows give `day, hour` (epoch seconds), `resource, value, judged` and the columns of a finding.
    An hour is compared with the hours before its day; of a day the most unusual one is given.
    """
    import polars as pl

    hour = pl.col("hour") // 3600
    hours = (
        pl.DataFrame(pl.from_arrow(table))
        .with_columns(pl.col("day", "hour").cast(pl.Int64), number=pl.col("value").cast(pl.Float64))
        .sort("resource", "hour", maintain_order=True)
        .with_columns(week_hour=hour % WEEK, day_hour=hour % 24)
        .with_row_index("at")
    )
    judged = hours.filter((pl.col("judged") != 0) & (pl.col("number") >= params["min_value"]))
    judged = judged.join(_known(hours, judged, params["min_days"]), on=["resource", "day"])
    unusual = judged.join(compared(judged, hours), on="at").filter(
        pl.col("score") > params["min_score"],
        pl.col("number") >= params["min_ratio"] * pl.max_horizontal("usual", 1),
    )
    worst = ["resource", "day", pl.col("score").neg(), "hour", "at"]
    return (
        unusual.sort(worst)
        .unique(["resource", "day"], keep="first", maintain_order=True)
        .with_columns(pl.col("usual").round(1))
        .rename({"hour": "hour_at"})
        .drop("judged", "at", "number", "week_hour", "day_hour")
        .to_arrow()
    )


def _known(hours: pl.DataFrame, judged: pl.DataFrame, least: int) -> pl.DataFrame:
    """The resources and days to judge before which so many days of the resource are there."""
    import polars as pl

    days = hours.select("resource", before="day").unique()
    return (
        judged.select("resource", "day")
        .unique()
        .join(days, on="resource")
        .filter(pl.col("before") < pl.col("day"))
        .group_by("resource", "day")
        .len()
        .filter(pl.col("len") >= least)
        .select("resource", "day")
    )


def compared(judged: pl.DataFrame, hours: pl.DataFrame) -> pl.DataFrame:
    """Each judged hour (`at`) against the past hours of the first season that has enough.

    Gives `score`, `usual` (median of the past), `compared_with` and `observations`; an hour
    without a past is left out.
    """
    import polars as pl

    parts = []
    for name, on, least in SEASONS:
        past = hours.select(*on, before="day", past="number")
        found = (
            judged.join(past, on=on)
            .filter(pl.col("before") < pl.col("day"))
            .filter(pl.len().over("at") >= least)
        )
        parts.append(_scores(found).with_columns(compared_with=pl.lit(name)))
        # Those with enough are not compared with more.
        judged = judged.join(found, on="at", how="anti")
    return pl.concat(parts)


def _scores(found: pl.DataFrame) -> pl.DataFrame:
    """Modified z-score of log(1 + number) against log(1 + past), for each `at`."""
    import polars as pl

    past = pl.col("past").clip(0).log1p()
    gap = (past - past.median()).abs()
    spread = pl.when(gap.median() > 0).then(gap.median() / 0.6745).otherwise(gap.mean() * 1.2533)
    apart = pl.col("number").first().clip(0).log1p() - past.median()
    return found.group_by("at").agg(
        score=(apart / pl.max_horizontal(spread, FLOOR)).round(2),
        usual=pl.col("past").median(),
        observations=pl.len().cast(pl.Int64),
    )
