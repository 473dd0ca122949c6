"""What is called regular: lines that need no second look, and no others."""

from __future__ import annotations

import pytest

from flowscan.parse.model import Plan
from flowscan.parse.tokens import find

SPACED, COMMAS = Plan(("vpc_id", "start", "end")), Plan(("vpc_id", "start", "end"), b",")
LONGEST_LINE = 40


@pytest.mark.parametrize(
    "text", ["a 1 2\n", "a 1 2", "a 1 2\n- - -\n", "x#1 1 2\n", f"{'a' * 36} 1 2\n", '"a" 1 2\n']
)
def test_regular(text: str) -> None:
    tokens = find(text.encode(), SPACED, LONGEST_LINE)
    assert tokens is not None
    rows = zip(tokens.starts.T.tolist(), tokens.lengths.T.tolist(), strict=True)
    found = [[text[a : a + n] for a, n in zip(*row, strict=True)] for row in rows]
    assert found == [line.split(" ") for line in text.splitlines()]
    assert tokens.line_ends[-1] in (len(text), len(text) + 1)


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", "#a 1 2\n", "a 1 2\n#a 1 2\n", "a  1 2\n", " a 1 2\n", "a 1 2 \n", "a 1\n", "a 1 2 3\n",
        "a 1\n2 a 1 2 3\n", "a\t1 2\n", "a 1 2\r\n", "a 1 \x7f\n", "é 1 2\n", "a 1 2\n\n",
        f"{'a' * 37} 1 2\n", f"a 1 2\n{'a' * 37} 1 2\na 1 2\n",
    ],
)  # fmt: skip
def test_not_regular(text: str) -> None:
    assert find(text.encode(), SPACED, LONGEST_LINE) is None


@pytest.mark.parametrize(
    ("text", "regular"),
    [
        ("a,1,2\n", True), (",,\n", True), ("a,,2\n", True), ('"a",1,2\n', False), ("a ,1,2\n", False),
        ("a,1,2\n\n", False), ("a,1\n", False), ("#,1,2\n", False), ("a,1,2\r\n", False),
    ],
)  # fmt: skip
def test_commas(text: str, regular: bool) -> None:
    assert (find(text.encode(), COMMAS, LONGEST_LINE) is not None) == regular
