"""In a real browser no text of a chart leaves it, and no label covers another."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from chromium import Browser, chromium, installed

from flowscan.report import Report, render_html
from flowscan.report.model import Bucket, Country, HeatCell, Link, Timeline

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not installed(), reason="Chromium and its driver are not installed"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
BEGIN = 1_785_715_200
HOUR, DAY = 3600, 86_400


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


def full(report: Report, *, steps: int, step: int, scale: int, groups: int) -> Report:
    """A report whose charts are all there, of a size."""
    buckets = tuple(
        Bucket(BEGIN + step * n, scale * (n % 7), scale * (n % 3), scale * 999 * (n % 5))
        for n in range(steps)
    )
    names = (*(f"10.20.{n}.0/24" for n in range(groups - 1)), "Müller und Söhne GmbH & Co")
    return dataclasses.replace(
        report,
        timeline=Timeline(step, buckets),
        heat=tuple(HeatCell(d, h, 1, d * h, 0) for d in range(7) for h in range(24)),
        groups=names,
        links=tuple(Link(a, b, 1, 7**n, 1) for n, a in enumerate(names) for b in names),
        countries=(
            Country("United Kingdom of Great Britain and Northern Ireland", 1, 10**9, 1, 10**12),
            Country("中华人民共和国", 1, 7, 1, 2),
        ),
    )


LABELS = """
const box = (e) => e.getBoundingClientRect();
const wrong = [];
for (const svg of document.querySelectorAll('svg.chart')) {
  if (!box(svg).width) continue;
  const frame = box(svg), texts = [...svg.querySelectorAll('text')].filter((t) => box(t).width);
  for (const t of texts) {
    const b = box(t);
    if (b.left < frame.left - 1 || b.right > frame.right + 1) wrong.push('out: ' + t.textContent);
  }
  const upright = texts.filter((t) => !t.hasAttribute('transform'));
  for (const [i, a] of upright.entries()) for (const b of upright.slice(i + 1)) {
    const p = box(a), q = box(b), least = 0.25 * Math.min(p.height, q.height);
    if (Math.min(p.right, q.right) - Math.max(p.left, q.left) > 0.5 &&
        Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top) > least)
      wrong.push('over: ' + a.textContent + ' / ' + b.textContent);
  }
}
return wrong;
"""


@pytest.mark.parametrize("width", [360, 390, 1160])
@pytest.mark.parametrize(
    ("steps", "step", "scale", "groups"),
    [
        (1, 300, 1, 1),
        (72, 300, 100, 3),
        (72, 1800, 12_345, 6),
        (84, 2 * HOUR, 10**6, 9),
        (90, DAY, 10**9, 14),
        (110, 7 * DAY, 10**12, 20),
        (700, 7 * DAY, 7, 2),
    ],
)
def test_labels_are_inside_and_apart(
    browser: Browser,
    report: Report,
    tmp_path: Path,
    width: int,
    steps: int,
    step: int,
    scale: int,
    groups: int,
) -> None:
    path = tmp_path / "page.html"
    drawn = full(report, steps=steps, step=step, scale=scale, groups=groups)
    path.write_text(render_html(drawn), encoding="utf-8")
    browser.size(width)
    browser.open(path.as_uri())
    assert browser.js(LABELS) == []
    assert browser.js("return document.querySelectorAll('svg.chart').length") == 10


def test_a_step_without_bytes_is_there_to_be_picked(
    browser: Browser, report: Report, tmp_path: Path
) -> None:
    path = tmp_path / "page.html"
    drawn = full(report, steps=9, step=HOUR, scale=10, groups=2)
    path.write_text(render_html(drawn), encoding="utf-8")
    browser.size(1160)
    browser.open(path.as_uri())
    boxes = browser.js(
        "return [...document.querySelectorAll('#timeline .chart.wide [data-s=bytes]')]"
        ".map((m) => { const b = m.getBoundingClientRect(); return [b.left, b.width]; })"
    )
    assert len(boxes) == 9
    assert all(wide > 90 for _, wide in boxes)
    apart = {round(b[0] - a[0]) for a, b in pairwise(boxes)}
    assert max(apart) - min(apart) <= 1
