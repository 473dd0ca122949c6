"""Addresses as lists and reports spell them, and what an entry that is no address is.

Invariant: what `net.address.parse_interval` reads means the same here; only other spellings are
added.
"""

from __future__ import annotations

import re

from flowscan.net.address import Interval, parse_interval

_DOMAIN = re.compile(
    r"(?:\*\.|\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+"
    r"(?:[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?)\.?",
    re.IGNORECASE,
)
_URL = re.compile(r"[a-z][a-z0-9+.-]{1,15}://(?:[^/@\s]*@)?(\[[^\]]*\]|[^/:?#\s]*)", re.IGNORECASE)
_HASH = re.compile(
    r"(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{128})", re.IGNORECASE
)
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def refang(text: str) -> str:
    """Undo what reports do to addresses so that nobody clicks them: `1.2.3[.]4`, `hxxp://`."""
    if "[" in text:
        text = text.replace("[.]", ".").replace("[:]", ":").replace("[://]", "://")
    return "http" + text[4:] if text[:4].lower() == "hxxp" else text


def loose_interval(text: str) -> Interval | None:
    """Read what `parse_interval` does not: defanged text, `address:port`, `[v6]:port`, a URL.

    A URL counts as the address that its host part is; a host name is no interval.
    """
    text = refang(text.strip().strip("\"'"))
    url = _URL.match(text)
    if url:
        text = url.group(1)
    elif text.count(":") == 1 and not text.startswith("["):
        text = text.partition(":")[0]
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    return parse_interval(text)


def kind_of(text: str) -> str:
    """What a text that is no address is: "domain", "other" (URL, hash, mail) or "broken"."""
    text = refang(text.strip().strip("\"'"))
    url = _URL.match(text)
    if _DOMAIN.fullmatch(url.group(1) if url else text) or _DOMAIN.fullmatch(
        text.partition(":")[0]
    ):
        return "domain"
    if url or _HASH.fullmatch(text) or _MAIL.fullmatch(text):
        return "other"
    return "broken"
