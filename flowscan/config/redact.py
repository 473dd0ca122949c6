"""Takes secrets out of text before anybody sees it.

Invariant: what leaves here holds no AWS access key, session token, signature or password of a
URL. It is the last net: settings and errors hold no secret to begin with.
"""

from __future__ import annotations

import re

__all__ = ["redact"]

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
