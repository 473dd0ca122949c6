"""Text on its way out: safe for its destination, and written for people.

Invariant: text that came from logs, feeds or registries leaves through these functions with no
control, bidi or format character for a terminal, no formula for a spreadsheet, no markup for
Markdown. Pure; every output of flowscan uses it.
"""

from __future__ import annotations

import datetime as dt
import difflib
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

__all__ = [
    "bar",
    "change",
    "csv_cell",
    "human_bytes",
    "human_count",
    "human_duration",
    "json_value",
    "markdown_text",
    "meant",
    "plain",
    "utc",
]

_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


# A tab, carriage return or NUL in front of a formula hides it from a naive check.
_LEADING = {"\t", "\r", "\0"}


def plain(text: object) -> str:
    """Make text safe for a terminal or a line: control, format and bidi characters become `?`."""
    raw = str(text)
    if raw.isascii() and raw.isprintable():
        return raw
    return "".join("?" if unicodedata.category(c) in _UNSAFE else c for c in raw)


def csv_cell(value: object) -> object:
    """Disarm spreadsheet formulas in text (CWE-1236); numbers stay numbers.

    A text that starts with a formula character gets a leading apostrophe, as OWASP advises, and
    control characters become `?` (a lone carriage return would end a row for many readers); that
    makes the round trip lossy on purpose.
    """
    if not isinstance(value, str):
        return value
    text = plain(value)
    return "'" + text if text[:1] in {"=", "+", "-", "@"} or value[:1] in _LEADING else text


def markdown_text(value: object) -> str:
    """Escape a text so that Markdown shows it as it is, also inside of a table cell."""
    escaped = plain(value)
    for char in "\\`*_[]<>|~#&":
        escaped = escaped.replace(char, "\\" + char)
    return escaped


def meant(text: str, known: Iterable[str], otherwise: str) -> str:
    """A hint for a name that is none: the nearest of the known ones, or where to find them."""
    near = difflib.get_close_matches(text.lower(), list(known), n=3, cutoff=0.5)
    return "did you mean " + " or ".join(near) + "?" if near else otherwise


def human_bytes(number: float | None) -> str:
    """Byte size for people: decimal units, one decimal."""
    if number is None:
        return "–"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(number) < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} PB"


def human_count(number: int | None) -> str:
    """Whole number with thousands separators."""
    return "–" if number is None else f"{number:,}"


def change(now: float, before: float | None) -> str | None:
    """How much `now` is more or less than `before`: `▲ +12%`; None when there was nothing."""
    if not before:
        return None
    part = now / before - 1
    arrow = "▲" if part > 0.005 else "▼" if part < -0.005 else "="
    return f"{arrow} {part:+.0%}" if part < 10 else f"{arrow} {part + 1:,.0f} times"


def human_duration(seconds: int) -> str:
    """Length of time in its two largest units: `1 d 12 h`, `40 min`, `5 s`."""
    units = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
    parts = []
    for size, name in units:
        count, seconds = divmod(max(0, seconds), size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"


def utc(seconds: int | None) -> str:
    """Epoch seconds as UTC ISO 8601."""
    if seconds is None:
        return "–"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def bar(value: float, most: float, width: int = 20) -> str:
    """Horizontal bar with eighth-block resolution."""
    if most <= 0 or value <= 0:
        return ""
    eighths = max(1, round(width * 8 * min(1.0, value / most)))
    full, rest = divmod(eighths, 8)
    return "█" * full + (" ▏▎▍▌▋▊▉"[rest] if rest else "")


def json_value(value: object) -> object:
    """Make a value fit for JSON: times as UTC ISO 8601, bytes as hex, decimals as numbers."""
    if isinstance(value, dt.datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and value != value:  # noqa: PLR0124 - NaN is not JSON
        return None
    if isinstance(value, dict):
        return {str(k): json_value(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(v) for v in value]
    return value
