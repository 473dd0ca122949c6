"""Rows of a detection in groups, one per finding, as columns until they are few.

A day of a busy network gives a million rows of a thousand findings; Polars sorts, sums, bounds and
writes their actors down, and Python meets what is left. Invariant: a group keeps at most
`MAX_ACTORS` actors of a day by name, most active first, and its numbers are over all of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from flowscan.detect.spec import Detection
from flowscan.findings import MAX_ACTORS, MAX_SAMPLES, finding_id, json_text
from flowscan.findings.merging import NUMBERS, listed, texts_of

if TYPE_CHECKING:
    import polars as pl

FEED: Final = ("feed", "category", "indicator", "confidence")
"""What a feed says about an actor, where the rows have it."""

NAMED: Final = 20
"""Actors that the SQL of a finding names."""

_NUMBERS: Final = ("flows", "packets", "bytes")
_GROUP: Final = ("resource", "dedup")


class Hosts:
    """What is known of our addresses on each day: interface, instance, account, region."""

    def __init__(self, read: Callable[[], Any]) -> None:
        """Read rows of `hosts`, one per day and address, when somebody asks."""
        self._read = read

    @cached_property
    def table(self) -> Any:
        """The rows."""
        return self._read()

    @cached_property
    def frame(self) -> pl.DataFrame:
        """Day, address and interface of each row, and its place in the table."""
        import polars as pl

        frame = pl.DataFrame(pl.from_arrow(self.table.select(["day", "address", "interface_id"])))
        places = frame.with_row_index("host").with_columns(pl.col("day").cast(pl.Int64))
        return places.unique(["day", "address"], keep="last")


@dataclass(frozen=True, slots=True)
class Group:
    """A finding to be: its days in order, and the place of its host in `hosts`, if it is one.

    Each day has `day, first_seen, last_seen, flows, packets, bytes, severity, actors` (the text of
    those named), `distinct, actors_total, rows` (places of its most severe rows in the table) and
    `named` (their actors).
    """

    id: str
    resource: str
    dedup: str
    host: int | None
    days: list[dict[str, Any]]


def groups(detection: Detection, table: Any, hosts: Hosts, most: int) -> tuple[list[Group], int]:
    """The `most` severe groups of the rows, most severe first, and how many there are more."""
    rows = _rows(detection, table, hosts.frame)
    days = _days(rows, bounded="day_flows" in table.column_names)
    chosen, left = _most_severe(detection, days, most)
    kept = chosen.select("group")
    texts = _texts(rows.join(kept, on="group", how="semi"))
    days = days.join(kept, on="group", how="semi").join(texts, on=["group", "day"], how="left")
    by_group: dict[int, list[dict[str, Any]]] = {}
    for day in days.sort("group", "day").iter_rows(named=True):
        by_group.setdefault(day["group"], []).append(day)
    made = [
        Group(row["id"], row["resource"], row["dedup"], of[-1]["host"], of)
        for row in chosen.iter_rows(named=True)
        for of in (by_group[row["group"]],)
    ]
    return made, left


def _rows(detection: Detection, table: Any, hosts: pl.DataFrame) -> pl.DataFrame:
    """The columns that decide, in order of group, day, severity and activity."""
    import polars as pl

    names = set(table.column_names)
    whole = ("first_seen", "last_seen", *_NUMBERS, *(n for n in names if n.startswith("day_")))
    severity = pl.col("severity") if "severity" in names else pl.lit(None)
    text = pl.col("resource").cast(pl.String)
    wanted = {"day", "resource", "dedup", "actor", "severity", *whole, *FEED} & names
    rows = (
        pl.DataFrame(pl.from_arrow(table.select(sorted(wanted))))
        .with_row_index("at")
        .with_columns(
            pl.col("day").cast(pl.Int64),
            pl.col(_NUMBERS).cast(pl.Int64).fill_null(0),
            pl.col([n for n in whole if n not in _NUMBERS]).cast(pl.Int64).fill_null(0),
            address=pl.when(text == "").then(None).otherwise(text).fill_null("unknown"),
            dedup=pl.col("dedup").cast(pl.String).fill_null(""),
            actor=pl.col("actor").cast(pl.String),
            severity=severity.cast(pl.Float64).fill_null(detection.severity),
        )
        .join(hosts, on=["day", "address"], how="left")
        .with_columns(
            resource=pl.when(pl.col("interface_id") != "")
            .then(pl.col("interface_id"))
            .otherwise(pl.col("address"))
        )
    )
    resource, dedup = (_numbers(rows[name]) for name in _GROUP)
    numbered = rows.with_columns(
        group=resource * (dedup.max() or 0) + resource + dedup,
        who=_numbers(rows["actor"].fill_null("None")),
    )
    return numbered[_order(numbered, ("group", "day", "-severity", "-flows", "who", "at"))]


def _numbers(texts: pl.Series) -> pl.Series:
    """A number for each text; the order of the numbers is that of the texts."""
    import polars as pl

    known = texts.unique().sort()
    numbers = pl.Series(range(len(known)), dtype=pl.Int64)
    return texts.replace_strict(known, numbers, return_dtype=pl.Int64)


def _order(rows: pl.DataFrame, keys: Sequence[str]) -> pl.Series:
    """Places of the rows in the order of numbers, descending behind a minus.

    Stable sorts by one key after the other, the last one first, take a third of the time of one
    sort by all of them.
    """
    found = rows.select({key.lstrip("-") for key in keys}).with_row_index("place")
    for key in reversed(keys):
        name = key.lstrip("-")
        found = found.sort(name, descending=name != key, maintain_order=True)
    return found["place"]


def _days(rows: pl.DataFrame, *, bounded: bool) -> pl.DataFrame:
    """One row per group and day; totals are those of SQL where it has `bounded` the rows."""
    import polars as pl

    prefix = "day_" if bounded else ""
    first, last = ("day_first", "day_last") if bounded else ("first_seen", "last_seen")
    numbers = [pl.col(f"{prefix}{n}").alias(n) for n in _NUMBERS]
    named = pl.col("actor").count()
    total = pl.col("day_actors").first() if bounded else pl.lit(0)
    return rows.group_by("group", "day", maintain_order=True).agg(
        pl.col(_GROUP).first(),
        pl.col("host", "address", "severity").first(),
        *(n.first() if bounded else n.sum() for n in numbers),
        first_seen=pl.col(first).first() if bounded else pl.col(first).min(),
        last_seen=pl.col(last).first() if bounded else pl.col(last).max(),
        actors_total=pl.when(named > 0).then(pl.max_horizontal(named, total)).otherwise(0),
        rows=pl.col("at").head(MAX_SAMPLES),
        named=pl.col("actor").head(NAMED),
        said=total if bounded else pl.len(),
    )


def _most_severe(detection: Detection, days: pl.DataFrame, most: int) -> tuple[pl.DataFrame, int]:
    """The groups that become findings, in order, with their ids."""
    import polars as pl

    latest = detection.judged_by == "latest day"
    severity = pl.col("severity").last() if latest else pl.col("severity").max()
    every = days.group_by("group", maintain_order=True).agg(
        pl.col(_GROUP).first(), severity, pl.col("flows").sum()
    )
    # Only where the bound falls between equals do their ids decide.
    order = ["severity", "flows"]
    chosen = every.filter(pl.struct(a=-pl.col("severity"), b=-pl.col("flows")).rank("min") <= most)
    ids = [finding_id(detection.type, *row) for row in chosen.select(_GROUP).iter_rows()]
    chosen = chosen.with_columns(id=pl.Series(ids, dtype=pl.String))
    chosen = chosen.sort([*order, "id"], descending=[True, True, False]).head(most)
    return chosen, len(every) - len(chosen)


def _texts(rows: pl.DataFrame) -> pl.DataFrame:
    """The actors of each group and day as the text that `Actors` keeps."""
    import polars as pl

    named = rows.filter(pl.col("actor").is_not_null())
    named = named[_order(named, ("group", "day", "-flows", "who", "-severity", "at"))]
    named = named.filter(pl.int_range(pl.len()).over("group", "day") < MAX_ACTORS)
    actors = named.select(pl.col("actor").alias("address"), *NUMBERS, _details(named))
    return (
        named.select("group", "day", "actor", text=texts_of(actors))
        .group_by("group", "day", maintain_order=True)
        .agg(actors=listed(pl.col("text")), distinct=pl.col("actor").n_unique() == pl.len())
    )


def _details(rows: pl.DataFrame) -> pl.Series:
    """What feeds say about the actors as a JSON text; NULL where nothing is said."""
    import polars as pl

    names = [name for name in FEED if name in rows.columns]
    if not names:
        return pl.repeat(None, len(rows), dtype=pl.String, eager=True).alias("details")
    every = rows.select(names).unique()
    said = [
        {n: plain(v) for n, v in row.items() if v is not None}
        for row in every.iter_rows(named=True)
    ]
    texts = [json_text(details) if details else None for details in said]
    return (
        rows.select(names)
        .join(
            every.with_columns(details=pl.Series(texts, dtype=pl.String)),
            on=names,
            how="left",
            nulls_equal=True,
            maintain_order="left",
        )
        .get_column("details")
    )


def plain(value: Any) -> Any:
    """A value of a row as one that JSON knows."""
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    return value if isinstance(value, str | int | bool | list | type(None)) else str(value)
