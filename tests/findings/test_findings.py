"""Findings on their way into a row and back, and what many days say of many actors."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowscan.findings import Actor, Actors, Counts, Day, Finding, from_row, to_row

DAY = 86_400
TEXTS = st.one_of(
    st.text(max_size=8), st.sampled_from(['],"actors_total":', '"day":86400,', "\\", '"', "é\n"])
)
NUMBERS = st.integers(0, 10**6)
COUNTS = st.builds(Counts, NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS)
ACTORS = st.builds(Actor, TEXTS, COUNTS, st.dictionaries(TEXTS, TEXTS, max_size=2))
EVIDENCE = st.dictionaries(TEXTS, st.one_of(TEXTS, NUMBERS, st.lists(TEXTS)), max_size=3)


@st.composite
def days(draw):
    made = []
    for number in sorted(draw(st.sets(st.integers(0, 9), min_size=1, max_size=4))):
        actors = draw(st.lists(ACTORS, max_size=4))
        total = len(actors) + draw(st.integers(0, 3))
        severity = draw(st.integers(0, 10)) / 1
        made.append(Day(number * DAY, draw(COUNTS), severity, tuple(actors), total, draw(EVIDENCE)))
    return tuple(made)


def finding(of, **more):
    values = dict.fromkeys(
        ("id", "detection", "type", "title", "description", "resource", "dedup_key"), "x"
    )
    return Finding(
        **{**values, "resource_role": "ACTOR", "confidence": "full", "account_id": None,
           "region": None, "details": {}, "days": of, "created": 1, "updated": 1, **more}
    )  # fmt: skip


def slow_actors(one):
    """Actors of all days, merged object by object."""
    merged = {}
    for day in one.days:
        for a in day.actors:
            known = merged.get(a.address)
            counts = known.counts + a.counts if known else a.counts
            merged[a.address] = Actor(a.address, counts, a.details)
    order = sorted(merged.values(), key=lambda a: (-a.counts.flows, a.address))
    named = {a.address for day in one.days for a in day.actors}
    return tuple(order[:1000]), max(len(named), *(day.actors_total for day in one.days))


@given(of=days())
def test_a_finding_survives_its_row(of):
    one = finding(of, details={"a": "b"})
    row = to_row(one)
    back = from_row(row)
    assert back == one
    assert to_row(back) == row
    assert all(isinstance(json.loads(row[n]), list) for n in ("actors", "days"))
    assert (tuple(back.actors), back.actors_total) == slow_actors(one)


def test_carried_actors_are_not_read():
    one = finding((Day(0, Counts(1, 2, 3, 4, 5), 1.0, Actors('[{"a', distinct=True), 7, {}),))
    back = from_row(to_row(one))
    assert (back.actors_total, back.days[0].actors.text) == (7, '[{"a')


def test_actors_read_like_a_tuple():
    some = (Actor("a", Counts(1, 2, 3, 4, 5)), Actor("b", Counts(1, 2, 3, 4, 5), {"feed": "f"}))
    kept = Actors.of(some)
    assert kept == some
    assert some == kept
    assert (len(kept), kept[1], kept[:1], hash(kept)) == (2, some[1], some[:1], hash(kept))
    assert repr(kept) == repr(some)
    assert Actors.of(kept) is kept


def test_damaged_days_are_an_error():
    row = to_row(finding((Day(0, Counts(1, 2, 3, 4, 5), 1.0, (), 0, {}),)))
    with pytest.raises(ValueError, match="damaged"):
        from_row({**row, "days": json.dumps(json.loads(row["days"]), indent=1)})
