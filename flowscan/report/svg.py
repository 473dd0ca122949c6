"""Vega-Lite charts as SVG that may stand inside of a strict page.

Invariant: what leaves here is rebuilt from an allow-list of elements and attributes with every
text escaped, so no label can become markup; colours are names of the page's CSS variables, so a
chart follows light, dark and print. Nothing is fetched: vl-convert carries its own Vega.
"""

from __future__ import annotations

import re
from typing import Any, Final
from xml.etree import ElementTree as ET

from markupsafe import Markup, escape

from flowscan.text import plain

# Colours that specs use, and what the page makes of them.
PALETTE: Final[dict[str, str]] = {
    "#010101": "--ink",
    "#020202": "--ink-2",
    "#030303": "--line",
    "#040404": "--card",
    "#050505": "--accepted",
    "#060606": "--rejected",
    "#070707": "--bytes",
    "#080801": "--critical",
    "#080802": "--high",
    "#080803": "--medium",
    "#080804": "--low",
    "#080805": "--informational",
}
COLOR: Final = {name.removeprefix("--"): code for code, name in PALETTE.items()}
_TAGS: Final = {"g", "path", "text", "rect", "line", "circle", "tspan", "title"}
_ATTRIBUTES: Final = {
    "d",
    "fill",
    "fill-opacity",
    "font-family",
    "font-size",
    "font-weight",
    "height",
    "opacity",
    "stroke",
    "stroke-dasharray",
    "stroke-linecap",
    "stroke-opacity",
    "stroke-width",
    "text-anchor",
    "transform",
    "width",
    "x",
    "x2",
    "y",
    "y2",
}
# What a mark says, after the names and values that the page's script finds it by.
_SAY: Final = re.compile(r"@((?:[bfs]=[a-z0-9]+;)*)\|(.*)", re.DOTALL)
_LONG: Final = re.compile(r"-?\d+\.\d{3,}")


def say(text: str, **keys: object) -> str:
    """What a mark says; `b` is its bucket, `f` the place of its finding, `s` its series.

    Every mark's text is made here, so that no text of a log can pretend to have keys.
    """
    return "@" + "".join(f"{name}={value};" for name, value in keys.items()) + f"|{text}"


def render(spec: dict[str, Any], label: str, kind: str) -> Markup:
    """The chart of a Vega-Lite spec; `label` is what a screen reader says, `kind` a CSS class."""
    import vl_convert

    root = ET.fromstring(vl_convert.vegalite_to_svg(_plain(spec)))  # noqa: S314 - vl-convert's own
    box, width = root.get("viewBox", "0 0 10 10"), root.get("width", "10")
    inner = "".join(element(child) for child in root)
    return Markup(
        '<svg class="chart {}" viewBox="{}" width="{}" role="img" aria-label="{}">{}</svg>'
    ).format(kind, box, width, label, Markup(inner))  # noqa: S704 - escaped in element


def _plain(value: Any) -> Any:
    """The spec with every text in it made plain: XML has no place for control characters."""
    if isinstance(value, dict):
        return {name: _plain(v) for name, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return plain(value) if isinstance(value, str) else value


def element(node: ET.Element) -> str:
    """An SVG element rebuilt: known elements and attributes, escaped, the rest left out."""
    tag = node.tag.rsplit("}", 1)[-1]
    if tag not in _TAGS or _is_nothing(node, tag):
        return ""
    attributes = "".join(
        f' {name}="{escape(_value(value))}"'
        for name, value in node.attrib.items()
        if name in _ATTRIBUTES
    )
    said = _SAY.fullmatch(node.get("aria-label", ""))
    inner = ""
    if said and len(node) == 0:
        keys = (pair.split("=") for pair in said[1].split(";") if pair)
        attributes += "".join(f' data-{name}="{value}"' for name, value in keys)
        inner = f"<title>{escape(said[2])}</title>"
    if node.get("aria-label", "").startswith("Y-axis titled 'flows'"):
        attributes += ' class="y-flows"'
    inner += str(escape(node.text or "")) + "".join(element(child) for child in node)
    if tag == "g" and not attributes:
        return inner
    return f"<{tag}{attributes}>{inner}</{tag}>"


def _is_nothing(node: ET.Element, tag: str) -> bool:
    """Frames and placeholders that Vega draws invisibly."""
    if node.get("display") == "none":
        return True
    if node.get("class") == "background" and not (node.get("stroke") or node.get("fill")):
        return True
    return tag == "g" and len(node) == 0


def _value(value: str) -> str:
    if value in PALETTE:
        return f"var({PALETTE[value]})"
    return _LONG.sub(lambda m: f"{float(m[0]):.2f}", value)
