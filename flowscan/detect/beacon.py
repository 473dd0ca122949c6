"""Beacon score of pairs of hosts, as RITA v5 defines it (activecm/rita, analysis/beacons.go).

score = mean of four parts, each 0..1 rounded to three places: regular times, equal sizes, an even
histogram over the data set, and its persistence. All pairs are scored at once, by expressions
over their calls; the constants are RITA's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from flowscan.net.ports import POLLED, WEB_POLLED

if TYPE_CHECKING:
    import polars as pl

BINS: Final = 24
LONGEST_RUN: Final = 12
LEAST_TIMES: Final = 4
STROBE: Final = 86_400
HOUR: Final = 3600
MOST_SPREAD: Final = 0.4

_PAIR: Final = ("day", "client", "server", "port", "protocol", "callers", "quiet", "answer")


def regular(calls: pl.DataFrame, least: float) -> pl.DataFrame:
    """A cheap look at all pairs of calls in order: those that may be a beacon.

    The median interval is at least `least` and the median deviation from it at most `MOST_SPREAD`
    of it. Calls at random moments deviate by 0.69, jitter of a half by 0.25.
    """
    import polars as pl

    middle = pl.col("delta").quantile(0.5, "lower")
    spread = (pl.col("delta") - middle).abs().quantile(0.5, "lower")
    looked = _deltas(calls).group_by("pair").agg(middle=middle, spread=spread)
    good = (pl.col("middle") >= least) & (pl.col("spread") <= pl.col("middle") * MOST_SPREAD)
    return looked.filter(good).select("pair")


def score(calls: pl.DataFrame) -> pl.DataFrame:
    """Score the calls of each `pair` that began `at` (epoch seconds) and sent `size` bytes.

    The data set of a pair reaches from `first` to `last`. Gives the four parts `timing`, `size`,
    `histogram` and `duration`, their mean `score`, the median `interval` and the deviation from
    it over it as `jitter`, `evenness` of the sizes, and `strobe` for about one call a second.
    Pairs with fewer than 4 different times are left out.
    """
    import polars as pl

    calls = calls.sort("pair", "at")
    deltas, sizes = _deltas(calls), calls.select("pair", "size")
    times = _spread(deltas, "delta", 1.0).filter(pl.col("number") >= LEAST_TIMES - 1)
    sent = _spread(sizes, "size", 0.0).select("pair", size="even", evenness="deviation")
    parts = ("timing", "size", "histogram", "duration")
    return (
        times.select("pair", timing="even", interval="middle", jitter="jitter")
        .join(sent, on="pair")
        .join(_persistence(calls), on="pair")
        .with_columns(score=(pl.sum_horizontal(parts) / len(parts)).round(3))
        .sort("pair")
    )


def severity(total: pl.Expr) -> pl.Expr:
    """RITA's categories on GuardDuty's scale: 0.5 → 2, 0.7 → 4, 0.9 → 6, 1.0 → 8."""
    import polars as pl

    grade = (
        pl.when(total < 0.7)
        .then(2 + (total - 0.5) * 10)
        .when(total < 0.9)
        .then(4 + (total - 0.7) * 10)
        .otherwise(6 + (total - 0.9) * 20)
    )
    return grade.clip(2, 8).round(1)


def rows(table: Any, params: Mapping[str, Any]) -> Any:
    """Score the sessions of each pair (day, client, server, port): the rows that are a beacon.

    A pair is a beacon when its total reaches `min_score`, or when it was active for a part of the
    day only but its times and sizes deviate so little that they reach `min_regular`. A host that
    calls `many` addresses like clockwork is a monitor: what it calls stays low.
    """
    import polars as pl

    calls = _calls(table)
    calls = calls.join(regular(calls, params["min_interval"]), on="pair", how="semi")
    found = _judged(_pairs(calls).join(score(calls), on="pair"), params)
    polled = pl.len().over("day", "resource") >= params["many"]
    grade, known = pl.col("severity"), pl.col("known_as")
    return (
        found.with_columns(
            severity=pl.when(polled).then(pl.min_horizontal(grade, 2.5)).otherwise(grade),
            known_as=pl.when(polled & known.is_null())
            .then(pl.lit("one of many that the host polls"))
            .otherwise(known),
        )
        .sort("pair")
        .select(
            *("day", "resource", "dedup", "actor", "first_seen", "last_seen"),
            *("flows", "packets", "bytes", "severity", "port", "protocol", "score"),
            *("interval", "jitter", "timing", "size", "histogram", "duration"),
            *("bytes_per_call", "callers", "known_as"),
        )
        .to_arrow()
    )


def _calls(table: Any) -> pl.DataFrame:
    import polars as pl

    numbers = ("day", "first_seen", "last_seen", "packets", "bytes")
    return (
        pl.DataFrame(pl.from_arrow(table))
        .with_columns(
            pl.col(numbers).cast(pl.Int64),
            at=pl.col("first_seen").cast(pl.Float64),
            size=pl.col("bytes_out").cast(pl.Float64),
            first=pl.col("data_first").cast(pl.Float64),
            last=pl.col("data_last").cast(pl.Float64),
        )
        .sort("pair", "at")
    )


def _pairs(calls: pl.DataFrame) -> pl.DataFrame:
    """What the calls of a pair have in common, and their sums."""
    import polars as pl

    return calls.group_by("pair").agg(
        pl.col(_PAIR).first(),
        pl.col("first_seen").min(),
        pl.col("last_seen").max(),
        pl.col("packets", "bytes").sum(),
        flows=pl.len().cast(pl.Int64),
        seconds=pl.col("at").max() - pl.col("at").min(),
        bytes_per_call=pl.col("size").median(),
    )


def _deltas(calls: pl.DataFrame) -> pl.DataFrame:
    """Intervals between calls of a pair at different times; the calls are in order."""
    import polars as pl

    pair, delta = pl.col("pair"), pl.col("at").diff()
    deltas = calls.select(pair, delta=pl.when(pair == pair.shift()).then(delta))
    return deltas.filter(pl.col("delta") > 0)


def _spread(values: pl.DataFrame, name: str, default: float) -> pl.DataFrame:
    """How little values deviate, for each pair.

    `even` is the mean of 1 - |Bowley skewness| and of (median - MAD) / median. The skewness counts
    as 0 when the quartiles are within 10 or the median lies on one of them, the `deviation` is
    not below 0, and `default` for a median below 1; `jitter` is MAD / median.
    """
    import polars as pl

    value = pl.col(name)
    low, mid, high = (value.quantile(q, "linear") for q in (0.25, 0.5, 0.75))
    found = values.group_by("pair").agg(
        low=low, middle=mid, high=high, mad=(value - mid).abs().median(), number=pl.len()
    )
    low, mid, high, mad = (pl.col(n) for n in ("low", "middle", "high", "mad"))
    flat = (high - low < 10) | (mid == low) | (mid == high)
    skewness = ((high + low - 2 * mid) / (high - low)).abs()
    bowley = pl.when(flat).then(1.0).otherwise((1 - skewness).round(3))
    deviation = pl.when(mid < 1).then(default).otherwise(((mid - mad) / mid).clip(0).round(3))
    return found.with_columns(
        even=((bowley + deviation) / 2).round(3),
        deviation=deviation,
        jitter=pl.when(mid != 0).then((mad / mid).round(3)).otherwise(0.0),
    )


def _persistence(calls: pl.DataFrame) -> pl.DataFrame:
    """How evenly calls lie in 24 equal parts of the data set, and how long they went on.

    `histogram` is the better of 1 - coefficient of variation over all bars and, with at least 11
    bars that are not empty, the share of bars in the two commonest heights. `duration` is 0 with
    fewer than 6 of them, else the better of the share of the data set between first and last call
    and the longest run of bars (around the end too) of 12.
    """
    import polars as pl

    first, count, width = pl.col("first"), pl.col("count"), pl.col("count").max() * 0.05
    span = pl.when(pl.col("last") > first).then(pl.col("last") - first).otherwise(1.0)
    bar = ((pl.col("at") - first) / span * BINS).cast(pl.Int64).clip(0, BINS - 1)
    bars = calls.select("pair", bar=bar).group_by("pair", "bar").agg(count=pl.len().cast(pl.Int64))
    calls_sum, squares = count.sum(), (count * count).sum()
    deviation = (BINS * squares - calls_sum * calls_sum).sqrt() / calls_sum
    heights = (
        (count // width.ceil().cast(pl.Int64)).value_counts(sort=True, name="n").struct.field("n")
    )
    commonest = heights.head(2).sum() / (pl.len() - 1).clip(1)
    run = _longest_runs(bars)
    whole = (pl.col("last") - first).first().clip(1.0)
    coverage = calls.group_by("pair").agg(covered=(pl.col("at").max() - pl.col("at").min()) / whole)
    full = pl.col("full")
    lasting = pl.max_horizontal(_up(pl.col("covered")), _up(pl.col("run") / LONGEST_RUN))
    return (
        bars.group_by("pair")
        .agg(full=pl.len(), smooth=1 - deviation, commonest=commonest)
        .join(run, on="pair")
        .join(coverage, on="pair")
        .select(
            "pair",
            histogram=pl.max_horizontal(
                pl.col("smooth").clip(0),
                pl.when(full >= 11).then(pl.col("commonest").clip(upper_bound=1.0)).otherwise(0.0),
            ).round(3),
            duration=pl.when(full < 6).then(0.0).otherwise(lasting),
        )
    )


def _longest_runs(bars: pl.DataFrame) -> pl.DataFrame:
    """The longest `run` of neighbouring bars of each pair, the last beside the first."""
    import polars as pl

    bar = pl.col("bar")
    twice = pl.concat([bars.select("pair", "bar"), bars.select("pair", bar + BINS)])
    # In a run the number of the bar and its rank rise together.
    rank = bar.rank("ordinal").cast(pl.Int64).over("pair")
    runs = twice.with_columns(run=bar - rank).group_by("pair", "run").len()
    longest = pl.col("len").max().clip(upper_bound=BINS)
    return runs.group_by("pair").agg(run=longest)


def _up(value: pl.Expr) -> pl.Expr:
    return ((value * 1000).round(6).ceil() / 1000).clip(upper_bound=1.0)


def _judged(pairs: pl.DataFrame, params: Mapping[str, Any]) -> pl.DataFrame:
    """The pairs that are a beacon, with their severity and what speaks for them."""
    import polars as pl

    calls, jitter = pl.col("flows"), pl.col("jitter")
    few = (calls < params["min_partial"]) & (jitter > params["few_jitter"])
    port, web = pl.col("port"), sorted(WEB_POLLED)
    certificate = pl.col("answer") >= params["web_answer"]
    known = pl.when(port.is_in(web)).then(certificate).otherwise(port.is_in(sorted(POLLED)))
    poll = (jitter < params["max_poll_jitter"]) & known
    quiet = pl.col("quiet").fill_null("") != ""
    strobe = pl.when(calls >= STROBE).then(8.0).otherwise(severity(pl.col("score")))
    return (
        pairs.with_columns(score=pl.max_horizontal("score", _partial(params)))
        .filter(
            ~few,
            pl.col("interval") >= params["min_interval"],
            pl.col("score") >= params["min_score"],
        )
        .with_columns(
            severity=pl.when(quiet)
            .then(pl.min_horizontal(strobe, 2.0))
            .when(poll)
            .then(pl.min_horizontal(strobe, 3.5))
            .otherwise(strobe),
            known_as=pl.when(quiet)
            .then(pl.col("quiet"))
            .when(poll)
            .then(pl.lit("a service, polled without jitter")),
            resource="client",
            actor="server",
            dedup=pl.format("{}:{}/{}", "server", "port", "protocol"),
        )
    )


def _partial(params: Mapping[str, Any]) -> pl.Expr:
    """Score of a beacon that lived for part of the day: how little times and sizes deviate.

    RITA's histogram and persistence speak against it, and its skewness is noise for few calls.
    """
    import polars as pl

    even = (1 - pl.col("jitter"), pl.col("evenness"))
    mean = (even[0] + even[1]) / 2
    # Less than an hour of it is less of a proof.
    brief = pl.when(pl.col("seconds") < HOUR).then(0.73).otherwise(0.9)
    good = (
        (pl.col("flows") >= params["min_partial"])
        & (pl.min_horizontal(*even) >= 0.6)
        & (mean >= params["min_regular"])
    )
    return pl.when(good).then((mean * brief).round(3)).otherwise(0.0)
