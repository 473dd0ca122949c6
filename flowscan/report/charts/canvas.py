"""Gathers the elements of one chart and writes them as SVG.

Invariant: what varies in the SVG is numbers and text; numbers are formatted here, every text is
made plain and escaped here, names of elements, attributes and classes are those of this package.
So no label of a log, a feed or a registry can become markup.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from markupsafe import Markup, escape

from flowscan.text import plain

Anchor = Literal["start", "middle", "end"]
FONT: Final = 11.0
"""Size of a label in pixels, unless said otherwise."""

# Centres a line of text on its place: half of a capital's height.
_CAPITAL: Final = 0.36

# Outlines of about the same area, 9 to 11 pixels wide, by severity.
SHAPES: Final = {
    "critical": "m0-6.3 5.4 6.3-5.4 6.3-5.4-6.3z",
    "high": "m0-5.6 5.5 9.8h-11z",
    "medium": "m-5 0a5 5 0 1 0 10 0 5 5 0 1 0-10 0z",
    "low": "m-4.5-4.5h9v9h-9z",
    "informational": "m-1.8-5.4h3.6v3.6h3.6v3.6h-3.6v3.6h-3.6v-3.6h-3.6v-3.6h3.6z",
}


class Canvas:
    """One chart of a size in pixels. `kind` is a class of the page's style: a colour, mostly.

    What a mark says when it is pointed at is `said`; the page's script finds it by its `keys`: `b`
    is the bucket's time, `s` the series, `f` the finding's place in the list.
    """

    def __init__(self, width: float, height: float = 0) -> None:
        """Make an empty chart; `height` may be set later."""
        self.width, self.height = width, height
        self._parts: list[str] = []

    def rect(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        kind: str,
        said: str = "",
        *,
        corner: float = 0,
        opacity: float = 1,
        **keys: str | float,
    ) -> None:
        """Draw a rectangle; `corner` is the radius of its corners."""
        more = f' rx="{_number(corner)}"' if corner else ""
        more += f' opacity="{_number(opacity)}"' if opacity < 1 else ""
        self._mark(
            f'rect x="{_number(x)}" y="{_number(y)}" width="{_number(width)}" '
            f'height="{_number(height)}"{more}',
            kind,
            said,
            keys,
        )

    def shape(self, severity: str, x: float, y: float, said: str, **keys: str | float) -> None:
        """Draw the mark of a severity around a point."""
        path = f'path d="M{_number(x)} {_number(y)}{SHAPES[severity]}"'
        self._mark(path, severity, said, keys)

    def line(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """Draw a thin line of a grid or an axis."""
        ends = f"M{_number(x1)} {_number(y1)}L{_number(x2)} {_number(y2)}"
        self._parts.append(f'<path class="grid" d="{ends}"/>')

    def text(
        self,
        x: float,
        y: float,
        text: str,
        anchor: Anchor = "start",
        *,
        size: float = FONT,
        turn: int = 0,
        kind: str = "",
    ) -> None:
        """Write one line, its middle at height `y`; `turn` in degrees, clockwise."""
        where = f'x="{_number(x)}" y="{_number(y + size * _CAPITAL)}"'
        if turn:
            where = (
                f'y="{_number(size * _CAPITAL)}" '
                f'transform="translate({_number(x)} {_number(y)})rotate({turn})"'
            )
        more = f' class="{kind}"' if kind else ""
        more += "" if anchor == "start" else f' text-anchor="{anchor}"'
        more += "" if size == FONT else f' font-size="{_number(size)}"'
        self._parts.append(f"<text {where}{more}>{escape(plain(text))}</text>")

    def open(self, kind: str, **keys: str | float) -> None:
        """Begin a group, which `close` ends."""
        self._parts.append(f'<g class="{kind}"{_keys(keys)}>')

    def close(self) -> None:
        """End the group that was begun last."""
        self._parts.append("</g>")

    def svg(self, label: str, kind: str) -> Markup:
        """The chart; `label` is what a screen reader says, `kind` a class."""
        return Markup(
            '<svg class="chart {}" viewBox="0 0 {} {}" width="{}" role="img" aria-label="{}">'
            "{}</svg>"
        ).format(
            kind,
            _number(self.width),
            _number(self.height),
            _number(self.width),
            plain(label),
            Markup("").join(map(Markup, self._parts)),
        )

    def _mark(self, start: str, kind: str, said: str, keys: Mapping[str, str | float]) -> None:
        inner = f"><title>{escape(plain(said))}</title></{start.split(' ', 1)[0]}>"
        self._parts.append(f'<{start} class="{kind}"{_keys(keys)}{inner if said else "/>"}')


def _keys(keys: Mapping[str, str | float]) -> str:
    return "".join(
        f' data-{name}="{escape(plain(value)) if isinstance(value, str) else _number(value)}"'
        for name, value in keys.items()
    )


def _number(value: float) -> str:
    """A number in at most two decimals: `12`, `3.5`."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
