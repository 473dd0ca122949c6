"""What is called regular: lines that a CSV reader reads as they are meant, and no others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowscan.parse import blocks
from flowscan.parse.arrow_text import ArrowText
from flowscan.parse.blocks import Block, Regular
from flowscan.parse.columns import Reader
from flowscan.parse.model import Plan

SPACED, COMMAS = Plan(("vpc_id", "start", "end")), Plan(("vpc_id", "start", "end"), b",")
LONGEST_LINE = 40
LINE = "vpc-1 1 2\n"


def block(text: str, plan: Plan = SPACED) -> Block:
    return Block(memoryview(text.encode()), plan, LONGEST_LINE)


def numbers_of_lines(made: Block, regular: Regular) -> list[int]:
    return list(range(len(made))) if regular.lines is None else regular.lines.tolist()


@pytest.mark.parametrize(
    "text",
    ["a 1 2\n", "a 1 2\n- - -\n", '"a" 1 2\n', "a 1\n", "a  2\n", "\n", "a 1 2\n" * 99],
)
def test_clean_text_is_read_as_it_is(text: str) -> None:
    made = block(text)
    regular = made.regular(exact=False)
    assert bytes(regular.text) == text.encode()
    assert regular.lines is None
    assert len(made) == len(text.splitlines())


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("#a 1 2\n", []), ("a 1 2\n#a 1 2\n", [0]), ("a\t1 2\n", [0]), ("a 1 2\r\nb 1 2\n", [0, 1]),
        ("a 1 \x7f\nb 1 2\n", [1]), ("é 1 2\n", []), ("a 1 2\n\x1fa 1 2\nc 1 2", [0, 2]),
        (f"{'a' * 37} 1 2\n", []), (f"{'a' * 35} 1 2\n", [0]),
        (f"a 1 2\n{'a' * 37} 1 2\nb 1 2\n", [0, 2]),
    ],
)  # fmt: skip
def test_unclean_text_loses_its_suspects(text: str, kept: list[int]) -> None:
    made = block(text)
    regular = made.regular(exact=False)
    assert numbers_of_lines(made, regular) == kept
    assert bytes(regular.text).count(b"\n") == len(kept)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a 1 2\n\nb 1 2\n", [0, 2]), ("a 1\nb 1 2\n", [1]), ("a 1 2 3\nb 1 2\n", [1]),
        ("a 1\nb 1 2 3\nc 1 2\n", [2]), ("a  1 2\nb 1 2\n", [0, 1]), (" a 1 2 \nb 1 2\n", [0, 1]),
    ],
)  # fmt: skip
def test_exactly_the_right_number_of_fields(text: str, kept: list[int]) -> None:
    made = block(text)
    assert numbers_of_lines(made, made.regular(exact=True)) == kept


@pytest.mark.parametrize(
    ("text", "regular"),
    [("a,1,2\n", True), (",,\n", True), ('"a",1,2\n', False), ("a ,1,2\n", False), ("#,1,2\n", False)],
)  # fmt: skip
def test_commas(text: str, regular: bool) -> None:
    assert bool(block(text, COMMAS).regular(exact=False).text) == regular


@pytest.mark.parametrize(
    "number", ["0x1f", "0X1F", "000000000000000000001", "00000000000000000000000000000000000012"]
)
@pytest.mark.parametrize("before", range(0, 40, 3))
def test_what_arrow_alone_takes_for_a_number(number: str, before: int, monkeypatch) -> None:
    monkeypatch.setattr(blocks, "_PART", 64)  # the number also lies on the edge of two parts
    text = LINE * 5 + f"{'a' * (before + 1)} {number} 2\n" + LINE * 5
    assert block(text).odd_numbers
    reader = ArrowText(SPACED, max_line=999, small=0)
    fed = reader.feed(text.encode(), 1, final=True)
    assert [(r.line, r.reason) for r in fed.rejects] == [(6, "bad start")]
    assert fed.flows == 10


@pytest.mark.parametrize("line", [" 1 2", "a  2", "a 1 ", " 1 2 ", "  "])
def test_a_blank_makes_no_field(line: str) -> None:
    reader = ArrowText(SPACED, max_line=999, small=0)
    fed = reader.feed(f"{LINE}{line}\n{LINE}".encode(), 1, final=True)
    reasons = [(r.line, r.reason) for r in fed.rejects]
    assert reasons == ([(2, "too few fields")] if line.strip() else [])
    assert fed.flows == 2


@pytest.mark.parametrize("number", ["09223372036854775807", "00000010000000000000"])
def test_twenty_digits_are_too_many_whatever_they_mean(number: str) -> None:
    reader = ArrowText(Plan(("vpc_id", "bytes", "start")), max_line=999, small=0)
    fed = reader.feed(f"a {number} 5\nb {number[1:]} 5\n".encode(), 1, final=True)
    assert [(r.line, r.reason) for r in fed.rejects] == [(1, "bad bytes")]
    assert reader.drain()[0].column("bytes").to_pylist() == [int(number)]


@pytest.mark.parametrize("number", ["000000012345", "0000000000000000000", "7", "10000000000000"])
def test_usual_numbers_need_no_careful_reading(number: str) -> None:
    assert not block(f"vpc-1 {number} 2\n").odd_numbers


NUMBERS = st.from_regex(
    r"-|0|[1-9][0-9]{0,9}|0[0-9]{0,20}|-[0-9]{1,3}|[0-9]{17,21}", fullmatch=True
)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1))
def test_the_fast_reading_agrees_with_the_careful_one(rows: list[tuple[str, str]]) -> None:
    plan = Plan(("dstport", "bytes"))
    made = Block(memoryview("".join(f"{a} {b}\n" for a, b in rows).encode()), plan, 999)
    reader = Reader(plan)
    careful = reader.read(made.text, careful=True)
    fast = reader.read(made.text, careful=made.odd_numbers)
    assert careful is not None
    assert fast is not None
    good = np.flatnonzero(~careful[1])
    for name in plan.columns:
        assert fast[0][name].take(good).equals(careful[0][name].take(good))
    assert (fast[1] <= careful[1]).all()  # long numbers are left to the parser of lines
    for row in np.flatnonzero(careful[1] & ~fast[1]).tolist():
        assert any(len(text) > 18 for text in rows[row])


@pytest.mark.parametrize("length", [1, 127, 300])
def test_texts_of_any_length_come_whole(length: int) -> None:
    texts = [f"{n}{'a' * (length - 1)}" for n in range(3)] + ["b"]
    reader = ArrowText(SPACED, max_line=999, small=0)
    fed = reader.feed("".join(f"{t} 5 6\n" for t in texts).encode(), 1, final=True)
    assert fed.flows == len(texts)
    assert reader.drain()[0].column("vpc_id").to_pylist() == texts


def test_a_limit_of_one_byte_leaves_no_line() -> None:
    made = Block(memoryview(b"a 1 2\nb 1 2\n"), SPACED, 1)
    assert numbers_of_lines(made, made.regular(exact=False)) == []
