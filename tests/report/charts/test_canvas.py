"""What the canvas writes is well-formed, and text stays text."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from flowscan.report.charts.canvas import SHAPES, Canvas
from flowscan.text import plain

HOSTILE = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "</title><script>alert(1)</script>",
            '" onload="x',
            "]]><!--",
            "a\0b\x1b[31m\u202eexe",
            "&lt;",
        ]
    ),
)


@given(text=HOSTILE)
def test_text_stays_text(text: str) -> None:
    chart = Canvas(100, 50)
    chart.rect(1, 2, 3.456, 4, "bytes", text, corner=2, opacity=0.5, b=5, s=text)
    chart.shape("high", 1, 2, text, f=3)
    chart.text(1, 2, text, "end", turn=-45, kind="ink")
    root = ET.fromstring(chart.svg(text, "wide"))
    title = ["title"] if text else []
    assert [e.tag for e in root.iter()] == ["svg", "rect", *title, "path", *title, "text"]
    rect, path, written = root
    assert root.get("aria-label") == rect.get("data-s") == (written.text or "") == plain(text)
    assert {t.text for t in root.iter("title")} <= {plain(text)}
    names = ["x", "y", "width", "height", "rx", "opacity", "class", "data-b", "data-s"]
    assert list(rect.attrib) == names
    assert list(path.attrib) == ["d", "class", "data-f"]
    assert rect.get("width") == "3.46"


def test_every_severity_has_a_shape_of_its_own() -> None:
    assert len(set(SHAPES.values())) == len(SHAPES) == 5


def test_a_mark_without_words_and_a_plain_line() -> None:
    chart = Canvas(10)
    chart.open("y-flows", times="1.5", floor=20.0)
    chart.line(0, 1, 2, 3)
    chart.rect(0, 0, 1, 1, "pick")
    chart.close()
    root = ET.fromstring(chart.svg("x", "narrow"))
    assert root.get("class") == "chart narrow"
    assert root[0].attrib == {"class": "y-flows", "data-times": "1.5", "data-floor": "20"}
    assert [e.tag for e in root[0]] == ["path", "rect"]
    assert len(root[0][1]) == 0
