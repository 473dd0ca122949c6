"""The sentence of a finding: units, plurals, hostile text, and templates that cannot be filled."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowscan.detect import store
from flowscan.detect.spec import catalogue
from flowscan.detect.words import problems, sentence
from flowscan.errors import QueryError, UsageError


@pytest.mark.parametrize(
    ("template", "value", "said"),
    [
        ("sent {n:bytes}", 2_709_999_989, "sent 2.7 GB"),
        ("sent {n:bytes}", Decimal(51_056_460), "sent 51.1 MB"),
        ("held for {n:duration}", 16_127, "held for 4 h 28 min"),
        ("every {n:duration}", 299.98, "every 5 min"),
        ("every {n:duration}", 2.5, "every 2.5 s"),
        ("talked {n:times}", 1, "talked once"),
        ("talked {n:times}", 2, "talked twice"),
        ("talked {n:times}", 1278, "talked 1,278 times"),
        ("{n:host|hosts}", 1, "1 host"),
        ("{n:host|hosts}", 1254, "1,254 hosts"),
        ("{n:count} packets", 1_000_000, "1,000,000 packets"),
        ("port {n}", 27_017, "port 27017"),
        ("score {n}", 0.99, "score 0.99"),
        ("score {n}", float("nan"), "score unknown"),
        ("{n:bytes}", None, "unknown"),
        ("{n}", "{actor}", "{actor}"),
        ("ports {n}", [22, 80], "ports 22, 80"),
        ("ports {n}", list(range(12)), "ports 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and more"),
    ],
)
def test_units(template: str, value: object, said: str) -> None:
    assert sentence(template, {"n": value}) == said


@pytest.mark.parametrize(
    ("actors", "said"),
    [(1, "a"), (2, "a (and 1 other)"), (3, "a (and 2 others)"), (5001, "a (and 5,000 others)")],
)
def test_others(actors: int, said: str) -> None:
    assert sentence("{actor}{others}", {"actor": "a"}, actors=actors) == said


@pytest.mark.parametrize(
    "template", ["{n.__class__}", "{n[0]}", "{n!r}", "{n:furlongs}", "{n:a|b|c}", "{n", "{}"]
)
def test_problems_are_found_before_any_row_is_there(template: str) -> None:
    assert problems(template)


def test_a_name_is_a_column_and_nothing_else() -> None:
    with pytest.raises(KeyError):
        sentence("{n.__class__}", {"n": 1})


def test_shipped_summaries_have_none() -> None:
    assert [p for d in catalogue() for p in problems(d.summary)] == []


@given(st.text(), st.integers(-(2**63), 2**63 - 1))
def test_text_of_logs_is_never_a_template(text: str, number: int) -> None:
    assert sentence("{a} {b:times}", {"a": text, "b": number}).startswith(f"{text} ")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("beacn", "did you mean beacon?"),
        ("SSHBruteForce", "did you mean ssh-brute-force?"),
        ("unauthorizedaccess:ec2/torclient", "did you mean tor-client?"),
        ("qqqqqq", "flowscan detect --list shows all"),
    ],
)
def test_a_wrong_name_of_a_detection_gets_a_proposal(name: str, hint: str) -> None:
    with pytest.raises(QueryError, match="there is no detection") as caught:
        catalogue(only=(name,))
    assert caught.value.hint == hint


def test_a_wrong_id_of_a_finding_gets_a_proposal() -> None:
    known = ["a389f506d62a49bb", "3802f3ff7c010203", "35fa589d4aa2e376"]
    assert store.pick(known, "A389") == known[0]
    with pytest.raises(UsageError) as near:
        store.pick(known, "a389f506d7")
    assert near.value.hint == "did you mean a389f506d6?"
    with pytest.raises(UsageError, match="2 findings begin with") as several:
        store.pick(known, "3")
    assert several.value.hint == "3802f3ff7c, 35fa589d4a"
