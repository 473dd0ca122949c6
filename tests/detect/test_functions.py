"""Beacon score, random walk and baselines against slow obvious references and known values."""

from __future__ import annotations

import math
import statistics
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowscan.detect import baseline, beacon, sequential

times = st.lists(st.integers(0, 86_400), min_size=4, max_size=60)


def quartiles(values):
    return np.quantile(values, [0.25, 0.5, 0.75])


def slow_bowley(values):
    q1, q2, q3 = quartiles(values)
    if q3 - q1 < 10 or q2 in (q1, q3):
        return 1.0
    return 1 - abs((q1 + q3 - 2 * q2) / (q3 - q1))


def slow_mad(values, default):
    mid = statistics.median(values)
    if mid < 1:
        return default
    return max(0.0, (mid - statistics.median(abs(v - mid) for v in values)) / mid)


def slow_bars(at, first, last):
    bars = [0] * 24
    for t in at:
        bars[min(23, int((t - first) * 24 / (last - first)))] += 1
    return bars


def slow_even(bars):
    mean = sum(bars) / 24
    sigma = math.sqrt(sum((b - mean) ** 2 for b in bars) / 24)
    best = max(0.0, 1 - sigma / mean)
    full = [b for b in bars if b]
    if len(full) >= 11:
        width = math.ceil(max(full) * 0.05)
        heights = {}
        for b in full:
            heights[b // width] = heights.get(b // width, 0) + 1
        best = max(best, min(1.0, sum(sorted(heights.values())[-2:]) / max(len(full) - 1, 1)))
    return best


def slow_long(bars, at, span):
    if sum(b > 0 for b in bars) < 6:
        return 0.0
    run = max(next((n for n in range(24) if not bars[(i + n) % 24]), 24) for i in range(24))
    up = lambda x: min(1.0, math.ceil(round(x * 1000, 6)) / 1000)  # noqa: E731
    return max(up((at[-1] - at[0]) / span), up(run / 12))


@given(at=times, sizes=st.lists(st.integers(40, 5000), min_size=60, max_size=60))
def test_beacon_score_is_the_reference(at, sizes):
    at = sorted(at)
    sizes = sizes[: len(at)]
    got = beacon.score(at, sizes, 0, 86_400)
    deltas = [b - a for a, b in pairwise(at) if b > a]
    if len(set(at)) < 4 or len(deltas) < 3:
        assert got.total == 0
        return
    bars = slow_bars(at, 0, 86_400)
    assert got.timing == pytest.approx((slow_bowley(deltas) + slow_mad(deltas, 1)) / 2, abs=2e-3)
    assert got.size == pytest.approx((slow_bowley(sizes) + slow_mad(sizes, 0)) / 2, abs=2e-3)
    assert got.histogram == pytest.approx(slow_even(bars), abs=2e-3)
    assert got.duration == pytest.approx(slow_long(bars, at, 86_400), abs=2e-3)
    assert 0 <= got.total <= 1


@pytest.mark.parametrize("jitter", [0, 0.1, 0.2, 0.3])
def test_jitter_of_a_third_is_still_a_beacon(jitter):
    rng = np.random.default_rng(3)
    at = np.cumsum(300 * (1 + jitter * rng.uniform(-1, 1, 280)))
    got = beacon.score(at, np.full(280, 420), 0, 86_400)
    assert got.total > 0.9
    assert beacon.severity(got.total) >= 6


def test_callers_at_random_moments_have_no_timing():
    rng = np.random.default_rng(4)
    scores = [
        beacon.score(np.cumsum(rng.exponential(300, 280)), np.full(280, 420), 0, 86_400).timing
        for _ in range(20)
    ]
    assert max(scores) < 0.65


@pytest.mark.parametrize(("score", "grade"), [(0.5, 2), (0.7, 4), (0.9, 6), (0.95, 7), (1, 8)])
def test_severity_follows_the_categories(score, grade):
    assert beacon.severity(score) == grade


@given(outcomes=st.lists(st.booleans(), max_size=40))
def test_walk_is_the_reference(outcomes):
    ratio, expected, steps = 1.0, "undecided", len(outcomes)
    for n, good in enumerate(outcomes, 1):
        ratio *= 0.25 if good else 4
        if ratio >= 99:
            expected, steps = "scanner", n
            break
        if ratio <= 0.01 / 0.99:
            expected, steps = "benign", n
            break
    assert sequential.decide(outcomes, sequential.Walk()) == (expected, steps)


def test_four_failures_decide():
    assert sequential.decide([False] * 9, sequential.Walk()) == ("scanner", 4)
    assert sequential.decide([True] * 9, sequential.Walk()) == ("benign", 4)


def test_z_score_without_spread_and_without_a_past():
    assert baseline.z_score(5, []) == 0
    assert baseline.z_score(100, [100] * 9) == 0
    assert baseline.z_score(10_000, [100] * 9) > 3.5


@given(values=st.lists(st.floats(0, 1e9), min_size=4, max_size=30))
def test_a_usual_value_is_not_unusual(values):
    assert abs(baseline.z_score(statistics.median_low(values), values)) <= 3.5


def test_season_backs_off():
    week = {5: [1.0] * 4, 29: [2.0] * 2}
    assert baseline.season(5, week)[0] == "hour of the week"
    assert baseline.season(29, week) == ("hour of the day", [1.0] * 4 + [2.0] * 2)
    assert baseline.season(7, week)[0] == "all hours"
