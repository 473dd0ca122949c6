"""Axes are round, hold what they must, and their labels do not touch."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowscan.report.charts.lettering import width
from flowscan.report.charts.scales import axis, brief, moments

BEGIN = int(datetime(2026, 8, 3, tzinfo=UTC).timestamp())
DAY = 86_400


@given(most=st.integers(0, 10**19), steps=st.integers(2, 6))
def test_an_axis_is_even_and_holds_all(most: int, steps: int) -> None:
    found = axis(most, steps)
    assert found.ticks[0] == 0
    assert len({b - a for a, b in pairwise(found.ticks)}) == 1
    assert found.top >= max(most, found.ticks[-1])
    assert 2 <= len(found.ticks) <= 2 * steps + 2
    assert len(set(found.labels)) == len(found.ticks)


@pytest.mark.parametrize(
    ("most", "labels", "top"),
    [
        (0, ["0", "1"], 1),
        (2, ["0", "1", "2"], 2),
        (1_043, ["0", "200", "400", "600", "800", "1k"], 1_043),
        (165, ["0", "50", "100", "150"], 165),
        (190, ["0", "50", "100", "150", "200"], 200),
        (5_100_000_000, ["0", "1G", "2G", "3G", "4G", "5G"], 5_100_000_000),
    ],
)
def test_axes_that_readers_meet(most: int, labels: list[str], top: int) -> None:
    found = axis(most, 4)
    assert (found.labels, found.top) == (labels, top)


def test_numbers_of_an_axis_are_brief() -> None:
    numbers = (0, 7, 250, 1_000, 1_200, 12_500, 3_000_000, 10**9, 2 * 10**18, 10**21)
    said = ["0", "7", "250", "1k", "1.2k", "12.5k", "3M", "1G", "2E", "1000E"]
    assert [brief(n) for n in numbers] == said


@given(
    begin=st.integers(0, 4 * 10**9),
    seconds=st.integers(300, 40 * 366 * DAY),
    room=st.integers(200, 1000),
)
def test_moments_are_inside_and_do_not_touch(begin: int, seconds: int, room: int) -> None:
    found = moments(begin, begin + seconds, room)
    assert len(found) <= room / 40
    assert all(begin <= t <= begin + seconds for t, _ in found)
    for (a, left), (b, right) in pairwise(found):
        apart = (b - a) / seconds * room
        assert apart > (width(left) + width(right)) / 2


@pytest.mark.parametrize(
    ("seconds", "room", "said"),
    [
        (3600, 960, ["00:00", "00:05", "00:10"]),
        (DAY, 240, ["00:00", "06:00", "12:00", "18:00", "00:00"]),
        (DAY * 3 // 2, 960, ["03 Aug 00:00", "03 Aug 06:00", "03 Aug 12:00"]),
        (7 * DAY, 960, ["03 Aug", "04 Aug", "05 Aug"]),
        (90 * DAY, 960, ["03 Aug", "10 Aug", "17 Aug"]),
        (300 * DAY, 240, ["Sep 2026", "Jan 2027", "May 2027"]),
        (20 * 365 * DAY, 960, ["Jan 2028", "Jan 2030", "Jan 2032"]),
    ],
)
def test_moments_that_readers_meet(seconds: int, room: int, said: list[str]) -> None:
    found = moments(BEGIN, BEGIN + seconds, room)
    assert [label for _, label in found][: len(said)] == said
