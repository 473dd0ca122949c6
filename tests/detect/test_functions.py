"""Beacon score, random walk and baselines against slow obvious references and known values."""

from __future__ import annotations

import random

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from detect import slow_functions as slow
from hypothesis import given
from hypothesis import strategies as st

from flowscan.detect import baseline, beacon, sequential

DAY, HOUR = 86_400, 3600
times = st.lists(st.integers(0, DAY), min_size=1, max_size=60)


LAST_PLACE = {"severity": 0.1, "usual": 0.1}


def same(got, expected, key):
    """Equal rows, numbers to the last place that they are rounded to."""
    rows = [{k: v for k, v in row.items() if v is not None} for row in got.to_pylist()]
    wanted = [{k: v for k, v in row.items() if v is not None} for row in expected]
    assert [key(r) for r in rows] == [key(r) for r in wanted]
    for row, one in zip(rows, wanted, strict=True):
        assert row.keys() == one.keys()
        for name, value in one.items():
            if isinstance(value, float):
                assert row[name] == pytest.approx(value, abs=1.01 * LAST_PLACE.get(name, 1e-3)), (
                    name
                )
            else:
                assert row[name] == value, name


def score(at, sizes, first=0, last=DAY):
    calls = {"pair": 1, "at": np.asarray(at, float), "size": np.asarray(sizes, float)}
    made = beacon.score(pl.DataFrame(calls | {"first": float(first), "last": float(last)}))
    return made.to_dicts()[0] if len(made) else None


@given(at=times, sizes=st.lists(st.integers(0, 5000), min_size=60, max_size=60))
def test_beacon_score_is_the_reference(at, sizes):
    got, expected = score(at, sizes[: len(at)]), slow.beacon_score(at, sizes[: len(at)], 0, DAY)
    assert (got is None) == (expected is None)
    for name, value in (expected or {}).items():
        assert got[name] == pytest.approx(value, abs=1.1e-3), name


@pytest.mark.parametrize("jitter", [0, 0.1, 0.2, 0.3])
def test_jitter_of_a_third_is_still_a_beacon(jitter):
    rng = np.random.default_rng(3)
    at = np.cumsum(300 * (1 + jitter * rng.uniform(-1, 1, 280)))
    got = score(at, np.full(280, 420))["score"]
    assert got > 0.9
    assert grade(got) >= 6


def test_callers_at_random_moments_have_no_timing():
    rng = np.random.default_rng(4)
    scores = [
        score(np.cumsum(rng.exponential(300, 280)), np.full(280, 420))["timing"] for _ in range(20)
    ]
    assert max(scores) < 0.65


def grade(total):
    return pl.select(beacon.severity(pl.lit(total))).item()


@pytest.mark.parametrize(
    ("score", "expected"), [(0.2, 2), (0.5, 2), (0.7, 4), (0.9, 6), (0.95, 7), (1, 8)]
)
def test_severity_follows_the_categories(score, expected):
    assert grade(score) == expected == slow.severity(score)


BEACON = {
    "min_interval": 5, "min_score": 0.7, "min_partial": 20, "few_jitter": 0.2, "many": 3,
    "max_poll_jitter": 0.07, "web_answer": 2500, "min_regular": 0.85,
}  # fmt: skip


def calls_of(rng):
    made = []
    for pair in rng.sample(range(1, 100), rng.randrange(1, 12)):
        day = rng.randrange(2) * DAY
        count, every = rng.choice([3, 9, 30, 200]), rng.choice([1, 30, 300, 2000])
        jitter, at = rng.choice([0, 0.05, 0.3, 0.9]), float(day + rng.randrange(HOUR))
        head = {
            "pair": pair, "day": day, "client": f"10.0.0.{rng.randrange(2)}",
            "server": f"81.0.0.{pair}", "port": rng.choice([22, 443, 4444]), "protocol": 6,
            "callers": 1, "quiet": rng.choice(["", "", "large answers"]),
            "answer": rng.choice([100.0, 9000.0]), "data_first": day,
            "data_last": day + rng.choice([0, HOUR, DAY]),
        }  # fmt: skip
        size = rng.randrange(4000)
        for _ in range(count):
            sent = max(0, size + rng.choice([0, 0, 1, 100]))
            made.append(head | {
                "first_seen": int(at), "last_seen": int(at) + rng.randrange(9), "bytes_out": sent,
                "packets": rng.randrange(9), "bytes": sent * 2,
            })  # fmt: skip
            at += every * (1 + jitter * rng.uniform(-1, 1))
    rng.shuffle(made)
    return made


@pytest.mark.parametrize("seed", range(40))
def test_beacons_are_the_reference(seed):
    rng = random.Random(seed)
    calls = calls_of(rng)
    params = BEACON | {"min_score": rng.choice([0.4, 0.7]), "many": rng.choice([2, 6])}
    got = beacon.rows(pa.Table.from_pylist(calls), params)
    same(got, slow.beacon_rows(calls, params), lambda r: (r["dedup"], r["resource"]))


@given(outcomes=st.lists(st.lists(st.booleans(), min_size=1, max_size=40), max_size=5))
def test_walk_is_the_reference(outcomes):
    contacts = [{"walk": n, "good": good} for n, walk in enumerate(outcomes) for good in walk]
    frame = pl.DataFrame(contacts, schema={"walk": pl.Int64, "good": pl.Boolean})
    got = sequential.decide(frame, sequential.Walk()).to_dicts()
    expected = [slow.decide(walk) for walk in outcomes]
    assert [(r["scanner"], r["decided_after"]) for r in got] == [
        (verdict == "scanner", steps) for verdict, steps in expected
    ]


@pytest.mark.parametrize("good", [False, True])
def test_four_of_a_kind_decide(good):
    frame = pl.DataFrame({"walk": [1] * 9, "good": [good] * 9})
    (row,) = sequential.decide(frame, sequential.Walk()).to_dicts()
    assert row == {"walk": 1, "scanner": not good, "decided_after": 4, "targets_in_all": 9}


SCAN = {
    "benign_success": 0.8, "scanner_success": 0.2, "false_positive": 0.01, "detection": 0.99,
    "min_targets": 4, "many_ports": 6,
}  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_scans_are_the_reference(seed):
    rng = random.Random(seed)
    contacts = []
    for n in range(rng.choice([5, 60, 400])):
        day, client = rng.randrange(2), rng.randrange(3)
        contacts.append({
            "walk": 1 + day * 3 + client, "day": day * DAY, "client": f"81.0.0.{client}",
            "resource": f"10.0.0.{rng.randrange(3)}", "target": f"{n}:{rng.randrange(99)}/6",
            "port": rng.randrange(40), "first_seen": day * DAY + rng.randrange(60),
            "last_seen": day * DAY + 60 + rng.randrange(60), "success": int(rng.random() < 0.2),
            "closed": rng.randrange(2), "refused": 0, "sessions": rng.randrange(1, 9),
            "packets": rng.randrange(9), "bytes": rng.randrange(999),
        })  # fmt: skip
    params = SCAN | {"many_ports": rng.choice([6, 25])}
    got = sequential.rows(pa.Table.from_pylist(contacts), params)
    same(got, slow.sequential_rows(contacts, params), lambda r: (r["day"], r["actor"]))


USUAL = {"min_value": 50, "min_days": 5, "min_score": 3.5, "min_ratio": 5.0}


def hours_of(rng):
    made = []
    for host in range(rng.randrange(1, 4)):
        base = rng.choice([10, 1000])
        often = rng.choice([(0, 1, 3, 6), (24,)])
        for day in range(45):
            for hour in rng.sample(range(24), rng.choice(often)):
                value = int(base * rng.choice([1, 1, 1.1, 2])) * (40 if rng.random() < 0.05 else 1)
                at = day * DAY + hour * HOUR
                made.append({
                    "day": day * DAY, "hour": at, "resource": f"10.0.0.{host}", "dedup": "volume",
                    "actor": "81.0.0.1", "first_seen": at, "last_seen": at + 9, "flows": 3,
                    "packets": 9, "bytes": value, "value": value, "judged": int(day > 40),
                })  # fmt: skip
    rng.shuffle(made)
    return made


@pytest.mark.parametrize("seed", range(40))
def test_unusual_hours_are_the_reference(seed):
    rng = random.Random(seed)
    hours = hours_of(rng)
    params = USUAL | {"min_days": rng.choice([1, 5, 20])}
    got = baseline.rows(pa.Table.from_pylist(hours), params) if hours else pa.table({})
    expected = sorted(slow.baseline_rows(hours, params), key=lambda r: (r["resource"], r["day"]))
    same(got, expected, lambda r: (r["resource"], r["day"], r["hour_at"]))


@pytest.mark.parametrize(
    ("value", "past", "unusual"),
    [(5, [], None), (100, [100] * 9, False), (10_000, [100] * 9, True), (50, [7, 50, 90], False)],
)
def test_z_score_without_spread_and_without_a_past(value, past, unusual):
    hours = pl.DataFrame(
        [
            {"resource": "a", "day": 1, "number": float(v), "week_hour": 0, "day_hour": 0}
            for v in past
        ],
        schema={"resource": pl.String, "number": pl.Float64}
        | dict.fromkeys(("day", "week_hour", "day_hour"), pl.Int64),
    )
    judged = pl.DataFrame(
        {"at": [0], "resource": ["a"], "day": [99], "number": [float(value)], "week_hour": [0],
         "day_hour": [0]}
    )  # fmt: skip
    got = baseline.compared(judged, hours).to_dicts()
    assert [r["score"] > 3.5 for r in got] == ([] if unusual is None else [unusual])


def test_season_backs_off():
    past = [(5, 1.0)] * 4 + [(29, 2.0)] * 2
    hours = pl.DataFrame(
        {"resource": "a", "day": range(6), "number": [v for _, v in past],
         "week_hour": [h for h, _ in past], "day_hour": [h % 24 for h, _ in past]}
    )  # fmt: skip
    judged = pl.DataFrame(
        {"at": [0, 1, 2], "resource": "a", "day": 99, "number": 9.0, "week_hour": [5, 29, 7],
         "day_hour": [5, 5, 7]}
    )  # fmt: skip
    got = baseline.compared(judged, hours).sort("at")
    assert got["compared_with"].to_list() == ["hour of the week", "hour of the day", "all hours"]
    assert got["observations"].to_list() == [4, 6, 6]


@pytest.mark.parametrize("function", [beacon.rows, sequential.rows, baseline.rows])
def test_no_rows_are_no_error(function):
    of = {beacon.rows: calls_of, baseline.rows: hours_of}.get(function)
    some = of(random.Random(1)) if of else [
        {"walk": 1, "day": 0, "client": "a", "resource": "b", "target": "c", "port": 1, "first_seen": 0,
         "last_seen": 0, "success": 0, "closed": 0, "refused": 0, "sessions": 1, "packets": 1,
         "bytes": 1}
    ]  # fmt: skip
    empty = pa.Table.from_pylist(some).slice(0, 0)
    got = function(empty, BEACON | SCAN | USUAL)
    assert got.num_rows == 0
    assert {"day", "resource", "dedup", "actor", "flows"} <= set(got.column_names)
