"""Actors of several days as one list, for many findings at once, by columns.

A scanned estate has a score of findings with a thousand actors on each of its days, and all their
days change the list. Invariant: an actor's numbers are those of all days together, and what is
known of it beside them is what its last day says.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from flowscan.findings.actors import MAX_ACTORS, Actor, Actors, json_text

if TYPE_CHECKING:
    import polars as pl

NUMBERS: Final = ("bytes", "first_seen", "flows", "last_seen", "packets")

_AT_ONCE: Final = 1 << 25
"""Characters of lists that are columns at once, which take several times their memory."""

# Characters that stand for themselves in JSON.
_STRANGE: Final = r"[^ !#-\[\]-~]"


def merged(findings: Sequence[Sequence[Sequence[Actor]]]) -> list[tuple[Actors, int]]:
    """For each finding, of its days in order: the most active actors, and how many there are."""
    found: list[tuple[Actors, int]] = []
    begin = size = 0
    for at, days in enumerate(findings):
        size += sum(len(Actors.of(day).text) for day in days)
        if size > _AT_ONCE or at == len(findings) - 1:
            found += _merged(findings[begin : at + 1])
            begin, size = at + 1, 0
    return found


def _merged(findings: Sequence[Sequence[Sequence[Actor]]]) -> list[tuple[Actors, int]]:
    import polars as pl

    every = _rows(findings)
    actors = every.group_by("finding", "address").agg(
        pl.col("first_seen").min(),
        pl.col("last_seen").max(),
        pl.col("flows", "packets", "bytes").sum(),
        pl.col("details").last(),
    )
    totals = actors.group_by("finding").len()
    most = actors.sort(["finding", "flows", "address"], descending=[False, True, False]).filter(
        pl.int_range(pl.len()).over("finding") < MAX_ACTORS
    )
    lists = most.select("finding", text=texts_of(most)).group_by("finding", maintain_order=True)
    named = lists.agg(actors=listed(pl.col("text"))).join(totals, on="finding")
    found = {at: (Actors(of, distinct=True), n) for at, of, n in named.iter_rows()}
    nobody = Actors("[]", distinct=True), 0
    return [found.get(at, nobody) for at in range(len(findings))]


def listed(texts: pl.Expr) -> pl.Expr:
    """Texts of actors as the text of their list."""
    import polars as pl

    return pl.format("[{}]", texts.str.join(","))


def texts_of(actors: pl.DataFrame) -> pl.Series:
    """Each actor as `json_text` would write it: members in the order of their names.

    Rows have `address`, `NUMBERS` and `details`, the JSON text of what feeds say, if any.
    """
    import polars as pl

    said = pl.format(',"details":{}', "details").fill_null("")
    members = pl.format(
        '{{"address":"{}","bytes":{}{},"first_seen":{},"flows":{},"last_seen":{},"packets":{}}}',
        *("address", "bytes", said, "first_seen", "flows", "last_seen", "packets"),
    )
    return actors.with_columns(_escaped(actors["address"])).select(text=members).to_series()


def _escaped(texts: pl.Series) -> pl.Series:
    """Texts as they stand between the quotes of JSON strings."""
    strange = texts.filter(texts.str.contains(_STRANGE)).unique().to_list()
    return texts.replace({one: json_text(one)[1:-1] for one in strange}) if strange else texts


def _rows(findings: Sequence[Sequence[Sequence[Actor]]]) -> pl.DataFrame:
    """One row per finding, day and actor, in this order."""
    import polars as pl

    lists = [
        (at, number, Actors.of(day).text)
        for at, days in enumerate(findings)
        for number, day in enumerate(days)
    ]
    kinds = {"finding": pl.Int64, "number": pl.Int64, "text": pl.String}
    table = pl.DataFrame(lists, schema=kinds, orient="row")
    quick = _read(table.filter(~pl.col("text").str.contains("\\", literal=True)))
    strange = quick.filter(pl.any_horizontal(pl.col(NUMBERS).is_null())).select("finding", "number")
    good = quick.join(strange, on=["finding", "number"], how="anti")
    rest = table.join(good, on=["finding", "number"], how="anti")
    return pl.concat([good, _read_slowly(rest)]).sort("finding", "number", maintain_order=True)


def _read(table: pl.DataFrame) -> pl.DataFrame:
    """Actors of lists in which nothing is escaped; a number is NULL where it is not that simple.

    What feeds say and names with a comma or brace move the members away from their places.
    """
    import polars as pl

    member = pl.col("actor").str.split_exact(",", len(NUMBERS))
    numbers = {
        name: pl.col(f"field_{at}").str.strip_prefix(f'"{name}":').cast(pl.Int64, strict=False)
        for at, name in enumerate(NUMBERS, 1)
    }
    return (
        table.select(
            "finding", "number", actor=pl.col("text").str.strip_chars("[{}]").str.split("},{")
        )
        .explode("actor")
        .select("finding", "number", member=member)
        .unnest("member")
        .select(
            *("finding", "number"),
            address=pl.col("field_0").str.slice(len('"address":"')).str.head(-1),
            **numbers,
            details=pl.lit(None, pl.String),
        )
    )


def _read_slowly(table: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    rows = [
        (finding, number, actor["address"], *(actor[name] for name in NUMBERS),
         json_text(actor["details"]) if "details" in actor else None)
        for finding, number, of in table.iter_rows()
        for actor in json.loads(of)
    ]  # fmt: skip
    names = ("finding", "number", "address", *NUMBERS, "details")
    texts = ("address", "details")
    kinds = {name: pl.String if name in texts else pl.Int64 for name in names}
    return pl.DataFrame(rows, schema=kinds, orient="row")
