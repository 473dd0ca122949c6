"""Hostile text in every string of a report changes no format's structure (S1, S2, S3)."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from collections.abc import Mapping
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from flowscan.report import (
    Report,
    html,
    render_csv,
    render_html,
    render_json,
    render_markdown,
    render_terminal,
)

TEMPLATES = Path(html.__file__).parent / "templates"
NASTY = (
    "</script><script>alert(1)</script>",
    '"onload="alert(1)',
    "'><img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "\u202egnp.exe\u2066",
    "a\0b\x1b[31mred\x1b]0;title\x07",
    "]]><!--<svg/onload=alert(1)>-->",
    "=cmd|' /C calc'!A0",
    "@SUM(1)\r\n+1",
    "|x| `y` [z](javascript:1) <b>\n# head",
    "{{ 7*7 }}{% raw %}",
    "[bold red]x[/bold red]",
    "&lt;script&gt;",
    "https://example.org/?a=\"b\"&c='d'",
)
hostile_text = st.one_of(
    st.sampled_from(NASTY),
    st.text(max_size=40),
    st.builds(lambda a, b: a + b, st.sampled_from(NASTY), st.text(max_size=10)),
)


def with_text(value: Any, text: str) -> Any:
    """The same value with every string in it replaced, the keys of mappings that are data too."""
    if isinstance(value, str):
        return text
    if dataclasses.is_dataclass(value):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        kept = {"severities", "detections"} & fields.keys()
        changed = {n: with_text(v, text) for n, v in fields.items() if n not in kept}
        if "detections" in kept:
            items = fields["detections"].items()
            changed["detections"] = {k: with_text(v, text) for k, v in items}
        return dataclasses.replace(value, **changed)
    if isinstance(value, Mapping):
        return {text: with_text(list(value.values())[-1], text)} if value else {}
    if isinstance(value, tuple):
        return tuple(with_text(v, text) for v in value)
    return value


class Shape(HTMLParser):
    """Elements with their attribute names, links, texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.parts: set[tuple[str, tuple[str, ...]]] = set()
        self.links: list[str] = []
        self.texts: list[str] = []
        self.comments: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parts.add((tag, tuple(sorted(name for name, _ in attrs))))
        self.links += [v or "" for n, v in attrs if n in {"href", "src", "action", "xlink:href"}]
        assert not [n for n, _ in attrs if n.startswith("on") or n == "style"]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


@pytest.fixture(scope="module")
def full(report: Report) -> Report:
    """A report in which nothing is missing, so that every branch of the templates is taken."""
    from flowscan.report.model import Country, DetectionView

    first = dataclasses.replace(
        report.findings[0], status="suppressed", status_reason="x", confidence="reduced"
    )
    detection = DetectionView("d", "t", "d", "t", "f", "r", ("TA1",), ("https://x.org/",), "SELECT")
    return dataclasses.replace(
        report,
        findings=(*report.findings, dataclasses.replace(first, detection="d")),
        detections={"d": detection, "beacon": detection},
        detected_at=1_785_844_800,
        countries=(Country("Utopia", 1, 2, 3, 4),),
        talkers=tuple(dataclasses.replace(t, source_label="x") for t in report.talkers),
        left=dataclasses.replace(report.left, findings=1, matches=1, exposure=1, interfaces=1),
    )


@pytest.fixture(scope="module")
def drawn(full: Report) -> Any:
    """Charts, drawn once; labels in charts have a test of their own."""
    return html.draw(full)


def page_of(report: Report, drawn: Any) -> str:
    return html.page(
        "report.html", report=report, charts=drawn, live=None, tiles=html.tiles(report)
    )


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(text=hostile_text)
def test_html_keeps_its_elements(full: Report, drawn: Any, base: Shape, text: str) -> None:
    page = page_of(with_text(full, text), drawn)
    shape = Shape(page)
    assert shape.parts <= base.parts
    assert not shape.comments
    assert all(link.startswith(("#", "https://")) for link in shape.links)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", page)


@pytest.fixture(scope="module")
def base(full: Report, drawn: Any) -> Shape:
    return Shape(page_of(full, drawn))


@pytest.mark.parametrize("text", [NASTY[0], NASTY[5], NASTY[6], "x" * 300])
def test_charts_keep_their_elements(full: Report, base: Shape, text: str) -> None:
    shape = Shape(render_html(with_text(full, text)))
    assert shape.parts <= base.parts
    assert not shape.comments


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(text=hostile_text)
def test_csv_has_no_formula(full: Report, text: str) -> None:
    rows = list(csv.reader(io.StringIO(render_csv(with_text(full, text)), newline="")))
    assert {len(row) for row in rows} == {4}
    for cell in (c for row in rows for c in row):
        if cell[:1] in {"=", "+", "-", "@", "\t", "\r", "\0"}:
            float(cell)


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(text=hostile_text, width=st.sampled_from([80, 160]), color=st.booleans())
def test_terminal_has_no_control_characters(
    full: Report, text: str, width: int, color: bool
) -> None:
    shown = render_terminal(with_text(full, text), width=width, color=color)
    if color:
        shown = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert not re.search(
        r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b-\u200f]", shown
    )
    assert max(cell_len(line) for line in shown.splitlines()) <= width


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(text=hostile_text)
def test_markdown_keeps_its_tables(full: Report, text: str) -> None:
    def shape(page: str) -> list[int]:
        rows = [line for line in page.splitlines() if line.startswith(("|", "#"))]
        return [len(re.findall(r"(?<!\\)\|", line)) for line in rows]

    page = render_markdown(with_text(full, text))
    assert shape(page) == shape(render_markdown(full))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e]", page)
    assert "<" not in re.sub(r"\\.", "", page)


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(text=hostile_text)
def test_json_round_trips(full: Report, text: str) -> None:
    data = json.loads(render_json(with_text(full, text)))
    assert data["verdict"] == text
    assert data["findings"][0]["title"] == text


def test_templates_switch_no_protection_off() -> None:
    for path in TEMPLATES.glob("*.html"):
        source = path.read_text()
        assert "|safe" not in source.replace(" ", "")
        assert "autoescape" not in source
        assert "http:" not in source
        assert " style=" not in source
        assert not re.search(r"\son\w+=", source)
    assert [p.name for p in TEMPLATES.glob("*.html") if "<script" in p.read_text()] == ["base.html"]


def test_the_file_asks_the_network_for_nothing(report: Report) -> None:
    page = render_html(report)
    assert "default-src 'none'" in unescape(page)
    assert not re.search(r"(?:src|href)=[\"']?(?:http:|//)", page)
    assert "@import" not in page
    assert "url(" not in page
    assert len(page) < 1_000_000
