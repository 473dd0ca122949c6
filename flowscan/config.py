"""Settings from flowscan.toml and the environment; the only reader of either.

Invariant: an unknown key is an error with a suggestion, never ignored; no secret is held here,
so none can be printed. All times are UTC.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta

from flowscan.errors import UsageError

__all__ = ["default_lake", "parse_duration", "parse_time", "redact"]

DEFAULT_LAKE = "flowscan-lake"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_RELATIVE = re.compile(r"(\d{1,9})\s*([smhdw])", re.ASCII)


def default_lake() -> str:
    """The lake when none is named: FLOWSCAN_LAKE, else `flowscan-lake` in this folder."""
    return os.environ.get("FLOWSCAN_LAKE") or DEFAULT_LAKE


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
        return int((current - timedelta(seconds=parse_duration(text))).timestamp())
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is no time", hint="write 2026-08-01, 2026-08-01T12:00:00Z, 24h or 7d"
        ) from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


_SECRETS = (
    re.compile(r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}"),
    re.compile(r"(?i)(?<=x-amz-signature=)[^&\s\"'<>]+"),
    re.compile(r"(?i)(?<=x-amz-credential=)[^&\s\"'<>]+"),
    re.compile(r"(?i)(?<=x-amz-security-token[=:])\s*[^&\s\"'<>]+"),
    re.compile(r"(?i)(?<=[?&]signature=)[^&\s\"'<>]+"),
    re.compile(r"(?i)(?<=authorization:)[^\r\n]+"),
    re.compile(r"(?i)(?<=://)[^/@\s]+:[^/@\s]+(?=@)"),
    re.compile(
        r"(?i)(?<![a-z])((?:aws_)?(?:secret_access_key|session_token|secret_key|secretaccesskey"
        r"|sessiontoken)[\"']?\s*[=:>]\s*[\"']?)[^\s\"'&<>,}]+"
    ),
)


def redact(text: str) -> str:
    """The text without what looks like AWS credentials, signatures or passwords in URLs."""
    for pattern in _SECRETS:
        text = pattern.sub(lambda m: f"{m[1]}***" if m.re.groups else "***", text)
    return text
