"""Times and durations as users write them. All times are UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from flowscan.errors import UsageError

__all__ = ["parse_duration", "parse_time"]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_RELATIVE = re.compile(r"(\d{1,9})\s*([smhdw])", re.ASCII)


def parse_duration(text: str) -> int:
    """Seconds of `90s`, `10m`, `24h`, `7d`, `2w`. Raises UsageError."""
    match = _RELATIVE.fullmatch(text.strip().lower())
    if not match:
        raise UsageError(f"{text!r} is no duration", hint="write 10m, 24h or 7d")
    return int(match[1]) * _UNITS[match[2]]


def parse_time(text: str, now: datetime | None = None) -> int:
    """Epoch seconds of a time as users write it.

    A date (`2026-08-01`), a date and time (UTC unless it says otherwise), `now`, or a duration
    before `now` (`24h`, `7d`). Raises UsageError.
    """
    text = text.strip()
    current = now or datetime.now(UTC)
    if text.lower() == "now":
        return int(current.timestamp())
    if _RELATIVE.fullmatch(text.lower()):
        return max(0, int(current.timestamp()) - parse_duration(text))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is no time", hint="write 2026-08-01, 2026-08-01T12:00:00Z, 24h or 7d"
        ) from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
