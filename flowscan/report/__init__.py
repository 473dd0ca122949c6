"""Reports: one value built from the lake, and renderers that only lay it out.

Invariant: renderers query nothing and decide nothing, so every format says the same. `serve` and
`site` are the one exception: they show the flows behind a number, read-only.
"""

from __future__ import annotations

from collections.abc import Callable

from flowscan.report.assemble import Options, build
from flowscan.report.model import Report

__all__ = [
    "Options",
    "Report",
    "build",
    "render_csv",
    "render_html",
    "render_json",
    "render_markdown",
    "render_terminal",
    "renderer",
]


def render_terminal(report: Report, *, width: int = 80, color: bool = False) -> str:
    """The report as text for a terminal of `width` columns."""
    from flowscan.report import terminal

    return terminal.render(report, width=width, color=color)


def render_html(report: Report) -> str:
    """The report as one self-contained HTML page."""
    from flowscan.report import html

    return html.render(report)


def render_json(report: Report) -> str:
    """The report as a JSON object; times are UTC ISO 8601."""
    from flowscan.report import data

    return data.to_json(report)


def render_csv(report: Report) -> str:
    """The report as CSV with the columns section, item, metric and value."""
    from flowscan.report import data

    return data.to_csv(report)


def render_markdown(report: Report) -> str:
    """The report as Markdown."""
    from flowscan.report import markdown

    return markdown.render(report)


def renderer(name: str) -> Callable[[Report], str]:
    """The renderer of a format: terminal, html, json, csv or markdown.

    Raises:
        KeyError: there is no such format.
    """
    renderers: dict[str, Callable[[Report], str]] = {
        "terminal": render_terminal,
        "html": render_html,
        "json": render_json,
        "csv": render_csv,
        "markdown": render_markdown,
    }
    return renderers[name]
