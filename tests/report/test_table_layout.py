"""Tables in a terminal: every cell is there, no line is wider, names and numbers stay whole."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from flowscan.cli.layout import Grid, draw

TIMES = "2026-08-03T00:13:24Z"
REFUSED = Grid(
    ("dstport", "protocol", "flows", "packets", "sources", "targets", "first_seen", "last_seen"),
    (True,) * 6 + (False,) * 2,
    [("312", "6", "448", "1,050", "448", "2", TIMES, TIMES)],
)
SENTENCE = "22.118.64.9 guessed 340 times on port 22 of 10.20.1.20 and then held a session."
FINDINGS = Grid(
    ("id", "severity", "detection", "resource", "what", "last seen"),
    (False,) * 6,
    [
        (
            "6c4e1753c1",
            "8.0 high",
            "ssh-brute-force-success",
            "eni-0c7d20e5f91a4b38d",
            SENTENCE,
            TIMES,
        )
    ],
)


def shown(grid: Grid, width: int, title: str | None = None) -> list[str]:
    stream = io.StringIO()
    draw(grid, Console(file=stream, width=width, highlight=False), title)
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def test_what_fits_is_a_grid() -> None:
    assert any(TIMES in line and "1,050" in line for line in shown(REFUSED, 160))


def test_a_little_too_wide_puts_dates_above_times() -> None:
    lines = shown(REFUSED, 80)
    assert any("1,050" in line and "2026-08-03" in line for line in lines)
    assert any(line.split() == ["00:13:24Z", "00:13:24Z"] for line in lines)


def test_a_long_text_wraps_while_it_can_be_read() -> None:
    lines = shown(FINDINGS, 120)
    assert any("6c4e1753c1" in line and "22.118.64.9" in line for line in lines)
    assert len(lines) < 10


@pytest.mark.parametrize("width", [60, 80])
def test_what_cannot_be_a_grid_is_a_card(width: int) -> None:
    lines = shown(FINDINGS, width, "Findings")
    assert lines[0] == "Findings"
    assert "detection  ssh-brute-force-success" in lines
    assert f"last seen  {TIMES}" in lines


WORDS = st.text("abcdefgh-.:/ ", min_size=1, max_size=70).map(lambda t: " ".join(t.split()) or "x")


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 9).flatmap(
        lambda n: st.lists(st.lists(WORDS, min_size=n, max_size=n), min_size=1, max_size=4)
    ),
    st.integers(80, 200),
)
def test_nothing_is_lost_and_nothing_sticks_out(rows: list[list[str]], width: int) -> None:
    n = len(rows[0])
    grid = Grid([f"column{i}" for i in range(n)], [False] * n, rows)
    lines = shown(grid, width)
    assert max(map(len, lines)) <= width
    letters = sorted("".join("".join(row) for row in rows).replace(" ", ""))
    heads = sorted("".join(f"column{i}" for i in range(n)))
    found = sorted("".join(lines).replace(" ", "").replace("─", ""))
    # A grid has the names once, cards have them in every row.
    assert found in (sorted(letters + heads), sorted(letters + heads * len(rows)))
