"""Plots of what the benchmarks measured: medians as bars, the range of the runs as lines."""

from __future__ import annotations

import math
from collections.abc import Callable
from html import escape
from pathlib import Path
from statistics import median
from typing import Any

from flowscan.report.charts.lettering import widest
from flowscan.report.charts.scales import axis, brief

TITLES = {
    "ingest": "Ingest: flowscan and its peers",
    "small": "The same records in many and in few files",
    "kinds": "Other formats",
}
STYLE = (
    "text{font:11px system-ui,sans-serif;fill:#333}.title{font-size:13px;font-weight:600}"
    "rect,circle{fill:#3f7fbf}path{fill:none;stroke:#3f7fbf;stroke-width:2}"
    ".range{stroke:#111}.grid{stroke:#ddd;stroke-width:1}"
)
WIDE, ROW, TOP, MARGIN = 640, 24, 34, 10


def plot(numbers: dict[str, Any], folder: Path) -> None:
    """Draw every section of `Bench.numbers` that has a plot."""
    for section, series in numbers.items():
        if section in TITLES:
            drawn = bars(series, f"{TITLES[section]} (median and range)")
        elif section == "scale":
            drawn = curves(series)
        else:
            continue
        (folder / f"{section}.svg").write_text(drawn, encoding="utf-8")


def bars(series: dict[str, Any], title: str) -> str:
    """Records per second of each series, the fastest first."""
    rates = {n: [run["records"] / wall for wall in run["wall"]] for n, run in series.items()}
    order = sorted(rates, key=lambda n: -median(rates[n]))
    scale = axis(math.ceil(max(max(r) for r in rates.values())), 5)
    left = MARGIN + widest(order) + 8
    floor = TOP + ROW * len(order)

    def x(rate: float) -> float:
        return left + (WIDE - 30 - left) * rate / scale.top

    parts = [text(MARGIN, 18, title, "title")]
    for tick, label in zip(scale.ticks, scale.labels, strict=True):
        parts += [path("grid", (x(tick), TOP), (x(tick), floor)), text(x(tick), floor + 14, label)]
    parts.append(text(left, floor + 30, "records per second"))
    for at, name in enumerate(order):
        y, runs = TOP + at * ROW + ROW / 2, rates[name]
        parts.append(text(MARGIN, y + 4, name))
        size = x(median(runs)) - left
        parts.append(f'<rect x="{left:.1f}" y="{y - 8}" width="{size:.1f}" height="16"/>')
        parts.append(path("range", (x(min(runs)), y), (x(max(runs)), y)))
        parts += [path("range", (x(r), y - 5), (x(r), y + 5)) for r in runs]
    return page(parts, floor + 40)


def curves(series: dict[str, Any]) -> str:
    """Time and memory by the number of records; linear is a straight line of slope one."""
    runs = sorted(series.values(), key=lambda run: run["records"])
    seconds = [(run["records"], median(run["wall"])) for run in runs]
    memory = [(run["records"], median(run["rss"]) / 1e6) for run in runs]
    half = WIDE / 2
    time = curve(seconds, 0, "Time, s (both logarithmic)", math.log10, "{:.3g} s")
    return page(time + curve(memory, half, "Peak memory, MB", float, "{:,.0f} MB"), 300)


def curve(
    points: list[tuple[int, float]],
    left: float,
    title: str,
    shown: Callable[[float], float],
    form: str,
) -> list[str]:
    """One curve whose points say their values, over a logarithmic axis of records."""
    across = [math.log10(records) for records, _ in points]
    up = [shown(value) for _, value in points]
    low, high = min(*up, 0.0), max(up)
    places = [
        (
            left + 40 + 200 * (a - across[0]) / ((across[-1] - across[0]) or 1),
            250 - 190 * (u - low) / ((high - low) or 1),
        )
        for a, u in zip(across, up, strict=True)
    ]
    parts = [text(left + MARGIN, 18, title, "title"), path("", *places)]
    for (x, y), (records, value) in zip(places, points, strict=True):
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"/>')
        parts += [text(x + 8, y + 14, form.format(value)), text(x - 8, 280, brief(records))]
    return parts


def text(x: float, y: float, words: str, kind: str = "") -> str:
    """One line of text."""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'


def path(kind: str, *points: tuple[float, float]) -> str:
    """A line through points."""
    return f'<path class="{kind}" d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in points)}"/>'


def page(parts: list[str], height: float) -> str:
    """The whole file."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {height}" width="{WIDE}">'
        f"<style>{STYLE}</style>{''.join(parts)}</svg>\n"
    )
