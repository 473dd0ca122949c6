"""How a table of texts is laid out in a given width: as a grid, a narrower grid, or as cards.

Invariant: nothing is cut, and a name, a number or a time is never torn apart to fit; cells are
plain text already. A pipe has no width: there a row is one line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\dZ)")
# A text column narrower than this reads like a ticker.
_READABLE = 24


@dataclass(frozen=True, slots=True)
class Grid:
    """Names, which of them are numbers, and the rows as texts."""

    names: Sequence[str]
    numeric: Sequence[bool]
    rows: Sequence[Sequence[str]]

    def widths(self) -> list[int]:
        """Width of the widest line of each column."""
        columns = zip(self.names, *self.rows, strict=True)
        return [max(len(line) for cell in c for line in cell.split("\n")) for c in columns]


def draw(grid: Grid, out: Any, title: str | None) -> None:
    """Print a grid on a console whose width it fits, somehow."""
    gap, whole = 3, grid
    if _total(grid.widths(), gap) > out.width:
        gap, grid = 2, _narrow(grid)
    widths = grid.widths()
    over = _total(widths, gap) - out.width
    long = [i for i, w in enumerate(widths) if w > _READABLE and not grid.numeric[i]]
    if over > 0 and sum(widths[i] - _READABLE for i in long) < over:
        _cards(whole, out, title)
        return
    _table(grid, out, title, set(long) if over > 0 else set(), gap)


def _total(widths: Sequence[int], gap: int) -> int:
    return sum(widths) + gap * len(widths)


def _narrow(grid: Grid) -> Grid:
    """Times on two lines, the date above."""
    rows = [
        [_MOMENT.sub("\\1\n\\2", c) if _MOMENT.fullmatch(c) else c for c in r] for r in grid.rows
    ]
    return Grid(grid.names, grid.numeric, rows)


def _table(grid: Grid, out: Any, title: str | None, folded: set[int], gap: int) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    edge = gap - 2
    shape = Table(
        title=title,
        box=box.SIMPLE_HEAD,
        title_justify="left",
        pad_edge=False,
        padding=(0, 1, 0, edge),
    )
    for i, name in enumerate(grid.names):
        justify: Any = "right" if grid.numeric[i] else "left"
        shape.add_column(name, justify=justify, no_wrap=i not in folded, overflow="fold")
    for row in grid.rows:
        # Text objects, so that brackets in hostile data are not taken for markup.
        shape.add_row(*map(Text, row))
    out.print(shape)


def _cards(grid: Grid, out: Any, title: str | None) -> None:
    """Each row as lines of name and value, for what is too wide for a grid."""
    from rich.table import Table
    from rich.text import Text

    if title:
        out.print(Text(title, style="italic"))
    for row in grid.rows:
        card = Table.grid(padding=(0, 2))
        card.add_column(no_wrap=True, style="dim")
        card.add_column(overflow="fold")
        for name, cell in zip(grid.names, row, strict=True):
            if cell:
                card.add_row(Text(name), Text(cell))
        out.print(card)
        out.print()
