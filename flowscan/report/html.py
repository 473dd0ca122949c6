"""The HTML report: one self-contained file that asks nothing of the network.

Invariant: templates escape everything they print, strings lose control and bidi characters on the
way (`finalize`), the only script and style are ours and named by hash in the content security
policy, and links lead to https only. What may not be escaped is our own style, our own script and
charts, which escape their text themselves.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from flowscan.net.services import protocol_name
from flowscan.report.charts import draw
from flowscan.report.model import Report
from flowscan.report.wording import gateway_of, what_of, who_of
from flowscan.text import change, human_bytes, human_count, human_duration, plain, utc

SHAPES = {"critical": "◆", "high": "▲", "medium": "●", "low": "■", "informational": "✚"}


def render(report: Report, *, live: Mapping[str, Any] | None = None) -> str:
    """The page of a report. `live` is what `serve` adds: the period picker and drill-down links."""
    return page("report.html", report=report, charts=draw(report), live=live, tiles=tiles(report))


def page(template: str, *, live: Mapping[str, Any] | None, **values: Any) -> str:
    """Render a template of this package under the same policy."""
    style, script = _asset("report.css"), _asset("report.js")
    forms = "'none'" if live is None else "'self'"
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        f"img-src data:; base-uri 'none'; form-action {forms}"
    )
    return (
        _environment()
        .get_template(template)
        .render(
            **values,
            live=live,
            policy=policy,
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file
        )
    )


@dataclass(frozen=True, slots=True)
class Tile:
    """A key figure: its change against the period before, and the points of a small line."""

    name: str
    value: str
    note: str
    change: str | None = None
    line: str = ""


def tiles(report: Report) -> list[Tile]:
    """The key figures of a report."""
    o = report.overview
    now, before = o.totals, o.previous
    share = now.rejected / now.flows if now.flows else 0.0
    buckets = report.timeline.buckets
    return [
        Tile(
            "Records",
            human_count(now.flows),
            f"{human_count(now.accepted)} accepted",
            change(now.flows, before.flows if before else None),
            _line([b.accepted + b.rejected for b in buckets]),
        ),
        Tile(
            "Refused",
            human_count(now.rejected),
            f"{share:.1%} of all records",
            change(now.rejected, before.rejected if before else None),
            _line([b.rejected for b in buckets]),
        ),
        Tile(
            "Data",
            human_bytes(now.bytes),
            f"{human_bytes(o.bytes_in)} in, {human_bytes(o.bytes_out)} out to the internet",
            change(now.bytes, before.bytes if before else None),
            _line([b.bytes for b in buckets]),
        ),
        Tile(
            "Public addresses",
            human_count(o.public_addresses),
            f"met by {human_count(o.local_addresses)} of your own on "
            f"{human_count(now.interfaces)} interfaces",
        ),
    ]


def _line(values: list[int]) -> str:
    """Points of a small line, 120 by 28, for an SVG polyline."""
    most = max(values, default=0) or 1
    step = 120 / max(1, len(values) - 1)
    return " ".join(f"{i * step:.1f},{27 - 25 * v / most:.1f}" for i, v in enumerate(values))


@cache
def _asset(name: str) -> str:
    return resources.files("flowscan.report").joinpath("templates", name).read_text("utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _environment() -> Environment:
    env = Environment(
        loader=PackageLoader("flowscan.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
        # Each template is compiled once and drawn once: folding constants costs more than it saves.
        optimized=False,
        auto_reload=False,
    )
    env.filters |= {
        "bytes": human_bytes,
        "count": human_count,
        "duration": human_duration,
        "iso": utc,
        "when": _when,
        "short": _short,
        "second": lambda t: f"{datetime.fromtimestamp(t, UTC):%d %b %H:%M:%S}",
        "lines": _lines,
        "gateway": gateway_of,
        "protocol": protocol_name,
        "shape": lambda label: SHAPES.get(label, "●"),
        "what": what_of,
        "who": who_of,
    }
    return env


def _finalize(value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, Markup):
        return plain(value)
    return "" if value is None else value


def _short(seconds: int | None) -> str:
    """A time in a table, whose period the page names at its top; UTC."""
    return "–" if not seconds else f"{datetime.fromtimestamp(seconds, UTC):%d %b %H:%M}"


def _when(seconds: int | None) -> str:
    """A time with its year; UTC."""
    return "–" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%d %b %Y %H:%M}"


def _lines(text: str) -> Markup:
    """Text of several lines, each made plain, the line ends kept."""
    return Markup("\n").join(escape(plain(line)) for line in text.splitlines())
