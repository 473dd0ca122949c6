"""Threshold random walk: is a stranger who touches one address after the other a scanner?

Jung, Paxson, Berger, Balakrishnan, IEEE S&P 2004 (doi 10.1109/SECPRI.2004.1301325). One outcome
per first contact with each target; a success speaks for a benign host, a failure for a scanner.
The walk ends at the first bound that it reaches.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import polars as pl

_PORTS: Final = 20
DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Walk:
    """Probabilities of a success from a benign host and from a scanner, and the two errors."""

    benign_success: float = 0.8
    scanner_success: float = 0.2
    false_positive: float = 0.01
    detection: float = 0.99

    def steps(self) -> tuple[float, float]:
        """What a success and a failure add to the logarithm of the likelihood ratio."""
        success = math.log(self.scanner_success / self.benign_success)
        failure = math.log((1 - self.scanner_success) / (1 - self.benign_success))
        return success, failure

    def bounds(self) -> tuple[float, float]:
        """Logarithms of the bounds: up to the first benign, from the second on a scanner."""
        low = math.log((1 - self.detection) / (1 - self.false_positive))
        return low, math.log(self.detection / self.false_positive)


def decide(contacts: pl.DataFrame, walk: Walk) -> pl.DataFrame:
    """Walk over the outcomes of first contacts, `good` or not, in order for each `walk`.

    Gives for each `walk` whether it ended as a `scanner`, after how many steps it was decided,
    and how many targets there were in all.
    """
    import polars as pl

    success, failure = walk.steps()
    low, high = walk.bounds()
    good = pl.col("good").cum_sum()
    step = pl.int_range(1, pl.len() + 1)
    walked = contacts.select(
        "walk",
        step.over("walk").alias("step"),
        (good * success + (step - good) * failure).over("walk").alias("ratio"),
    )
    up = pl.col("ratio") >= high - 1e-9
    ended = up | (pl.col("ratio") <= low + 1e-9)
    return walked.group_by("walk", maintain_order=True).agg(
        scanner=up.filter(ended).first().fill_null(value=False),
        decided_after=pl.col("step").filter(ended).first().fill_null(pl.len()),
        targets_in_all=pl.len(),
    )


def rows(table: Any, params: Mapping[str, Any]) -> Any:
    """Judge each (day, client) of rows that are first contacts with a target, in order of time.

    Rows give `walk, day, client, resource, target, port, first_seen, last_seen, success, closed,
    refused, sessions, packets, bytes`; `walk` numbers (day, client) in their order. A scanner
    becomes one row per resource. Whoever failed on `many_ports` ports of one host is one too: an
    open port first does not excuse the rest.
    """
    import polars as pl

    walk = Walk(
        float(params["benign_success"]),
        float(params["scanner_success"]),
        float(params["false_positive"]),
        float(params["detection"]),
    )
    contacts = _contacts(table)
    scanner = pl.col("scanner") & (pl.col("targets_in_all") >= params["min_targets"])
    decided = decide(contacts, walk).with_columns(scanner=scanner)
    suspects = decided.filter(scanner | (pl.col("targets_in_all") >= params["many_ports"]))
    failed = pl.col("failed")
    return (
        _by_resource(contacts.join(suspects, on="walk"))
        .with_columns(many=(failed >= params["many_ports"]) & (failed * 2 >= pl.col("targets")))
        .filter(pl.col("scanner") | pl.col("many"))
        .with_columns(severity=_severity())
        .drop("walk", "scanner", "many")
        .to_arrow()
    )


def _contacts(table: Any) -> pl.DataFrame:
    """What is needed of the contacts: each walk in order of time, then of the target's text."""
    import polars as pl

    good = (pl.col("success") != 0).fill_null(value=False)
    whole = ("walk", "day", "first_seen", "last_seen", "sessions", "packets", "bytes")
    contacts = pl.DataFrame(pl.from_arrow(table))
    order = _order(contacts)
    return contacts.select(
        pl.col(whole).cast(pl.Int64),
        pl.col("client", "port"),
        pl.col("resource").cast(pl.String),
        good=good,
        let_through=good | (pl.col("closed") != 0).fill_null(value=False),
    )[order]


def _order(contacts: pl.DataFrame) -> pl.Series:
    """Places of the contacts in order.

    Sorting by one number is five times as fast as by texts, which only equal moments need.
    """
    import polars as pl

    walk, second = pl.col("walk").cast(pl.Int64), pl.col("first_seen") - pl.col("day")
    moments = contacts.select(moment=walk * DAY + second).with_row_index("at")
    found = moments.sort("moment", maintain_order=True)
    same = pl.col("moment") == pl.col("moment").shift()
    tied = (same | same.shift(-1)).fill_null(value=False)
    ties = found.filter(tied)
    if len(ties):
        ties = ties.with_columns(target=contacts["target"].gather(ties["at"]))
        ties = ties.sort("moment", "target", maintain_order=True).drop("target")
        found = pl.concat([found.filter(~tied), ties]).sort("moment", maintain_order=True)
    return found["at"]


def _by_resource(contacts: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    # A scanner touches most hosts once, and a list of one needs no sorting.
    several = pl.col("targets") > 1
    targets, answered = pl.len().cast(pl.Int64), pl.col("good").sum().cast(pl.Int64)
    return (
        contacts.group_by("walk", "resource")
        .agg(
            pl.col("day").first(),
            pl.lit("inbound").alias("dedup"),
            pl.col("client").first().alias("actor"),
            pl.col("first_seen").min(),
            pl.col("last_seen").max(),
            pl.col("sessions").sum().alias("flows"),
            pl.col("packets", "bytes").sum(),
            pl.col("scanner", "targets_in_all", "decided_after").first(),
            targets=targets,
            failed=targets - answered,
            answered=answered,
            let_through=pl.col("let_through").sum().cast(pl.Int64),
            ports=pl.col("port"),
        )
        .with_columns(ports=pl.when(several).then(_lowest(pl.col("ports"))).otherwise("ports"))
        .sort("walk", "resource")
    )


def _lowest(ports: pl.Expr) -> pl.Expr:
    return ports.list.unique().list.sort().list.head(_PORTS)


def _severity() -> pl.Expr:
    """Refused knocks are the internet's weather; many ports that let packets through are not."""
    import polars as pl

    answered = pl.col("answered") > 0
    loud = (pl.col("let_through") >= pl.col("targets") / 4) | answered
    return (
        pl.when(pl.col("many") & loud)
        .then(5.0)
        .when(pl.col("many"))
        .then(pl.when(pl.col("failed") >= 100).then(4.0).otherwise(3.0))
        .otherwise(pl.when(answered).then(3.0).otherwise(2.0))
    )
