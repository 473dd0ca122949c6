"""The array-wide hash table and the digit decoder against a plain dict and int()."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowscan.parse.columns import Reader
from flowscan.parse.dictionary import CODES, Dictionary
from flowscan.parse.digits import integers
from flowscan.parse.model import Plan
from flowscan.parse.numpy_text import NumpyText
from flowscan.parse.tokens import LONGEST, find

# few letters and lengths around the ends of words, so that texts share words and prefixes
TEXTS = st.builds(
    lambda letters, length, end: (letters * length)[:length] + end,
    st.sampled_from(["a", "b", "ab", "10.0.0.", "2001:db8::"]),
    st.sampled_from([0, 1, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 64, LONGEST - 1, LONGEST, 200]),
    st.sampled_from(["", "1", "2", "x"]),
)


@pytest.mark.parametrize("collide", [False, True])
@given(batches=st.lists(st.lists(TEXTS | st.none(), max_size=40), min_size=1, max_size=5))
def test_one_code_for_one_text(collide: bool, batches: list[list[str | None]]) -> None:
    dictionary = Dictionary()
    if collide:
        dictionary._key = np.uint64(0)  # every hash is the same
        dictionary._hashes[:] = 0
        dictionary._build_table()
    codes_of: dict[str, int] = {"": 0, "-": 0}
    for batch in batches:
        codes = dictionary.of_texts(pl.Series(batch, dtype=pl.String))
        for text, code in zip(batch, codes.tolist(), strict=True):
            assert codes_of.setdefault(text or "", code) == code
        assert dictionary.array(codes).to_pylist() == [text or None for text in batch]
    codes_of.pop("-")
    assert len(set(codes_of.values())) == len(codes_of)


@pytest.mark.parametrize("other", ["10.0.0.101", "10.0.0.1001", "10.0.0.1", "10.0.0.100" + "x" * 9])
def test_a_slot_taken_by_a_text_that_begins_alike(other: str) -> None:
    dictionary = Dictionary()
    taken = int(dictionary.of_texts(pl.Series(["10.0.0.100"]))[0])
    dictionary._table[:] = np.where(dictionary._table < 0, taken, dictionary._table)
    dictionary._table[1::2] = -1  # every search that does not begin at an empty slot finds `taken`
    code = int(dictionary.of_texts(pl.Series([other]))[0])
    assert code != taken
    assert dictionary.array(np.array([code], np.int32)).to_pylist() == [other]


def test_many_values_grow_the_table() -> None:
    dictionary = Dictionary()
    texts = [f"eni-{n:017x}" for n in range(30_000)]
    first = dictionary.of_texts(pl.Series(texts * 2))
    assert first[:30_000].tolist() == first[30_000:].tolist()
    assert len(set(first.tolist())) == 30_000
    assert dictionary.of_texts(pl.Series(texts[::-1])).tolist() == first[:30_000][::-1].tolist()


def test_known_values_have_fixed_codes_and_addresses_are_judged() -> None:
    dictionary = Dictionary()
    known = list(CODES)
    assert dictionary.of_texts(pl.Series(known)).tolist() == list(CODES.values())
    texts = ["1.2.3.4", "01.2.3.4", "::1", "fe80::1%a", "x:", "256.1.1.1", "REJECT", "1" * 200]
    wrong = dictionary.no_address(dictionary.of_texts(pl.Series(texts)))
    assert wrong.tolist() == [False, True, False, True, True, True, True, True]


@pytest.mark.parametrize("value", ["{n}", "{n}" + "x" * 100, "{n}" + "x" * 5000])
def test_a_dictionary_that_has_grown_large_does_not_outlive_a_drain(value: str) -> None:
    reader = Reader(Plan(("vpc_id", "start", "end")))
    first = reader.dictionary
    for begin in range(0, 300_000, 20_000):
        many = range(begin, begin + (1_000 if len(value) > 1000 else 20_000))
        codes = reader.dictionary.of_texts(pl.Series([value.replace("{n}", str(n)) for n in many]))
        before = reader.dictionary
        size = before.nbytes
        reader.forget()
        assert (reader.dictionary is before) == (size <= 32 << 20)
        assert before.array(codes).to_pylist()[-1] == value.replace("{n}", str(many[-1]))
        assert reader.dictionary.nbytes <= 32 << 20
    assert reader.dictionary is not first


@given(st.lists(st.from_regex(r"[0-9]{1,20}|-|[0-9:/-]{1,18}", fullmatch=True), min_size=1))
def test_digits_are_what_int_says(tokens: list[str]) -> None:
    found = find("".join(f"{t} {t}\n" for t in tokens).encode(), Plan(("start", "end")), 999)
    assert found is not None
    values, null, bad = integers(found, np.array([1, 0]))
    for row in range(2):
        for i, token in enumerate(tokens):
            if token == "-":
                assert null is not None
                assert null[row, i]
                continue
            assert null is None or not null[row, i]
            if token.isdigit() and len(token) <= 16:
                assert values[row, i] == int(token)
                assert bad is None or not bad[row, i]
            else:
                assert bad is not None
                assert bad[row, i]


@pytest.mark.parametrize("length", [LONGEST - 1, LONGEST, LONGEST + 1, 300])
def test_texts_of_any_length_come_whole(length: int) -> None:
    plan = Plan(("vpc_id", "start", "end"))
    texts = [f"{n}{'a' * (length - 1)}" for n in range(3)] + ["b"]
    reader = NumpyText(plan, max_line=999, small=0)
    fed = reader.feed("".join(f"{t} 5 6\n" for t in texts).encode(), 1, final=True)
    assert fed.flows == len(texts)
    assert reader.drain()[0].column("vpc_id").to_pylist() == texts
