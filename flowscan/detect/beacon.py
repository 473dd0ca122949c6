"""Beacon score of a pair of hosts, as RITA v5 defines it (activecm/rita, analysis/beacons.go).

score = mean of four parts, each 0..1 rounded to three places: regular times, equal sizes, an even
histogram over the data set, and its persistence. Pure functions of sorted times and sizes; the
constants are RITA's.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from flowscan.net.ports import POLLED, WEB_POLLED

Values = npt.NDArray[np.float64]

BINS: Final = 24
LONGEST_RUN: Final = 12
LEAST_TIMES: Final = 4
STROBE: Final = 86_400
HOUR: Final = 3600
MOST_SPREAD: Final = 0.4


@dataclass(frozen=True, slots=True)
class Score:
    """The four parts and their mean; `strobe` when there is about one connection a second."""

    timing: float
    size: float
    histogram: float
    duration: float
    interval: float
    jitter: float
    strobe: bool

    @property
    def total(self) -> float:
        """Mean of the four parts, three places."""
        parts = (self.timing, self.size, self.histogram, self.duration)
        return round(sum(parts) / 4, 3)


def quartiles(ordered: Values) -> tuple[float, float, float]:
    """First quartile, median and third quartile of sorted values, interpolated linearly."""
    return _at(ordered, 0.25), _at(ordered, 0.5), _at(ordered, 0.75)


def _at(ordered: Values, part: float) -> float:
    place = (len(ordered) - 1) * part
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    first = float(ordered[low])
    return first + (float(ordered[high]) - first) * (place - low)


def bowley(ordered: Values) -> float:
    """1 - |Bowley skewness| of sorted values.

    Skewness counts as 0 when the quartiles are within 10 or the median lies on one of them.
    """
    low, mid, high = quartiles(ordered)
    if high - low < 10 or mid in (low, high):
        return 1.0
    return round(1 - abs((high + low - 2 * mid) / (high - low)), 3)


def spread(ordered: Values) -> tuple[float, float]:
    """Median of sorted values, and the median absolute deviation from it."""
    mid = _at(ordered, 0.5)
    return mid, _at(np.sort(np.abs(ordered - mid)), 0.5)


def deviation(ordered: Values, default: float) -> float:
    """(median - MAD) / median of sorted values, not below 0; `default` for a median below 1."""
    mid, mad = spread(ordered)
    return default if mid < 1 else round(max(0.0, (mid - mad) / mid), 3)


def histogram(times: Values, first: float, last: float) -> npt.NDArray[np.int64]:
    """Connections in 24 equal parts of the data set's range."""
    if last <= first:
        last = first + 1
    at = np.clip(((times - first) / (last - first) * BINS).astype(np.int64), 0, BINS - 1)
    return np.bincount(at, minlength=BINS)


def evenness(bars: npt.NDArray[np.int64]) -> float:
    """How even the bars are, 0 to 1.

    The better of: 1 - coefficient of variation over all bars; and, with at least 11 bars that are
    not empty, the share of bars in the two commonest heights.
    """
    mean = float(bars.mean())
    cv = float(bars.std()) / mean if mean else 2.0
    best = 1 - cv if cv <= 1 else 0.0
    full = bars[bars > 0]
    if len(full) >= 11:
        width = math.ceil(float(full.max()) * 0.05)
        heights = np.sort(np.bincount(full // width))[::-1]
        best = max(best, min(1.0, float(heights[:2].sum()) / max(len(full) - 1, 1)))
    return round(best, 3)


def persistence(bars: npt.NDArray[np.int64], times: Values, first: float, last: float) -> float:
    """How long it went on, 0 to 1; 0 with fewer than 6 bars that are not empty.

    The better of: the share of the data set between first and last connection; and the longest
    run of bars (around the end too) of 12.
    """
    if int((bars > 0).sum()) < 6:
        return 0.0
    coverage = (float(times[-1]) - float(times[0])) / max(last - first, 1.0)
    run = best = 0
    for bar in (*bars, *bars):
        run = run + 1 if bar else 0
        best = max(best, min(run, BINS))
    return max(_up(coverage), _up(best / LONGEST_RUN))


def _up(value: float) -> float:
    return min(1.0, math.ceil(round(value * 1000, 6)) / 1000)


def score(times: Sequence[float], sizes: Sequence[float], first: float, last: float) -> Score:
    """Score connections that began at `times` (epoch seconds) and sent `sizes` bytes.

    The data set reaches from `first` to `last`. Fewer than 4 different times score 0.
    """
    at = np.sort(np.asarray(times, np.float64))
    sent = np.sort(np.asarray(sizes, np.float64))
    deltas = np.diff(at)
    deltas = np.sort(deltas[deltas > 0])
    if len(deltas) < LEAST_TIMES - 1:
        return Score(0, 0, 0, 0, 0, 0, strobe=False)
    bars = histogram(at, first, last)
    middle, mad = spread(deltas)
    return Score(
        timing=round((bowley(deltas) + deviation(deltas, 1.0)) / 2, 3),
        size=round((bowley(sent) + deviation(sent, 0.0)) / 2, 3),
        histogram=evenness(bars),
        duration=persistence(bars, at, first, last),
        interval=middle,
        jitter=round(mad / middle, 3) if middle else 0.0,
        strobe=len(at) >= STROBE,
    )


def severity(total: float) -> float:
    """RITA's categories on GuardDuty's scale: 0.5 → 2, 0.7 → 4, 0.9 → 6, 1.0 → 8."""
    return round(float(np.interp(total, (0.5, 0.7, 0.9, 1.0), (2.0, 4.0, 6.0, 8.0))), 1)


def rows(table: Any, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Score the sessions of each pair (day, client, server, port): the rows that are a beacon.

    A pair is a beacon when its total reaches `min_score`, or when it was active for a part of the
    day only but its times and sizes deviate so little that they reach `min_regular`. A host that
    calls `many` addresses like clockwork is a monitor: what it calls stays low.
    """
    if table.num_rows == 0:
        return []
    table = table.combine_chunks()
    pair = table.column("pair").to_numpy()
    times = table.column("first_seen").to_numpy()
    order = np.lexsort((times, pair))
    pair, times = pair[order], times[order].astype(np.float64)
    changed = np.concatenate([[True], pair[1:] != pair[:-1]])
    starts = np.flatnonzero(changed)
    ends = np.append(starts[1:], table.num_rows)
    sums = {n: table.column(n).to_numpy()[order] for n in ("packets", "bytes", "last_seen")}
    sizes = table.column("bytes_out").to_numpy()[order].astype(np.float64)
    found = []
    for at in np.flatnonzero(regular(times, changed, params["min_interval"])).tolist():
        part = slice(int(starts[at]), int(ends[at]))
        head = table.slice(int(order[part.start]), 1).to_pylist()[0]
        row = _judge(head, times[part], sizes[part], params)
        if row is not None:
            row["last_seen"] = int(sums["last_seen"][part].max())
            row |= {n: int(sums[n][part].sum()) for n in ("packets", "bytes")}
            found.append(row)
    polled = Counter((r["day"], r["resource"]) for r in found)
    for row in found:
        if polled[row["day"], row["resource"]] >= params["many"]:
            row["severity"] = min(row["severity"], 2.5)
            row["known_as"] = row["known_as"] or "one of many that the host polls"
    return found


def regular(times: Values, first: npt.NDArray[np.bool_], least: float) -> npt.NDArray[np.bool_]:
    """A cheap look at all groups at once, `first` marking where each begins.

    True where the median interval is at least `least` and the median deviation from it at most
    `MOST_SPREAD` of it. Calls at random moments deviate by 0.69, jitter of a half by 0.25.
    """
    group = np.cumsum(first) - 1
    delta = np.diff(times)
    inside = (group[1:] == group[:-1]) & (delta > 0)
    count = int(group[-1]) + 1
    middle = medians(delta[inside], group[1:][inside], count)
    apart = np.abs(delta - middle[group[1:]])
    spread = medians(apart[inside], group[1:][inside], count)
    good: npt.NDArray[np.bool_] = (middle >= least) & (spread <= middle * MOST_SPREAD)
    return good


def medians(values: Values, group: npt.NDArray[np.int64], count: int) -> Values:
    """Lower median of each of `count` groups; NaN for a group without values."""
    order = np.lexsort((values, group))
    sizes = np.bincount(group, minlength=count)
    result = np.full(count, np.nan)
    filled = sizes > 0
    begin = np.cumsum(sizes) - sizes
    result[filled] = values[order][(begin + (sizes - 1) // 2)[filled]]
    return result


def _judge(
    head: Mapping[str, Any], times: Values, sizes: Values, params: Mapping[str, Any]
) -> dict[str, Any] | None:
    result = score(times.tolist(), sizes.tolist(), head["data_first"], head["data_last"])
    total = max(result.total, _partial(times, sizes, result, params))
    few = len(times) < params["min_partial"] and result.jitter > params["few_jitter"]
    if few or result.interval < params["min_interval"] or total < params["min_score"]:
        return None
    grade = 8.0 if result.strobe else severity(total)
    quiet = head["quiet"]
    if quiet:
        grade = min(grade, 2.0)
    elif _is_poll(head, result, params):
        grade, quiet = min(grade, 3.5), "a service, polled without jitter"
    return {
        "day": head["day"],
        "resource": head["client"],
        "dedup": f"{head['server']}:{head['port']}/{head['protocol']}",
        "actor": head["server"],
        "first_seen": int(times[0]),
        "flows": len(times),
        "severity": grade,
        "port": head["port"],
        "protocol": head["protocol"],
        "score": total,
        "interval": result.interval,
        "jitter": result.jitter,
        "timing": result.timing,
        "size": result.size,
        "histogram": result.histogram,
        "duration": result.duration,
        "bytes_per_call": float(np.median(sizes)),
        "callers": head["callers"],
        "known_as": quiet or None,
    }


def _partial(times: Values, sizes: Values, result: Score, params: Mapping[str, Any]) -> float:
    """Score of a beacon that lived for part of the day: how little times and sizes deviate.

    RITA's histogram and persistence speak against it, and its skewness is noise for few calls.
    """
    even = (1 - result.jitter, deviation(np.sort(sizes), 0.0))
    regular = sum(even) / 2
    if len(times) < params["min_partial"] or min(even) < 0.6 or regular < params["min_regular"]:
        return 0.0
    # Less than an hour of it is less of a proof.
    brief = float(times[-1] - times[0]) < HOUR
    return round(regular * (0.73 if brief else 0.9), 3)


def _is_poll(head: Mapping[str, Any], result: Score, params: Mapping[str, Any]) -> bool:
    """Software polls to the second; hiding looks different.

    On web ports the answer has to be worth a certificate each time, on the ports of other known
    services the port is enough.
    """
    if result.jitter >= params["max_poll_jitter"]:
        return False
    if head["port"] in WEB_POLLED:
        return bool(head["answer"] >= params["web_answer"])
    return head["port"] in POLLED
