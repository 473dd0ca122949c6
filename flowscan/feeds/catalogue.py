"""The catalogue of well-known free feeds: where they are, their terms, how often to ask.

Invariant: facts about feeds only, none of their content; every address is https.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from flowscan.feeds.model import Feed


@dataclass(frozen=True, slots=True)
class Known:
    """A feed of the catalogue; `refresh` is the least number of hours between downloads."""

    name: str
    url: str
    title: str
    category: str
    confidence: int
    refresh: int
    terms: str
    trusted: bool = False

    def feed(self) -> Feed:
        """The feed as `feeds add NAME` makes it."""
        return Feed(
            self.name,
            self.url,
            category=self.category,
            confidence=self.confidence,
            trusted=self.trusted,
        )


@cache
def catalogue() -> dict[str, Known]:
    """All known feeds by name."""
    text = files("flowscan.feeds").joinpath("catalogue.toml").read_text(encoding="utf-8")
    entries = tomllib.loads(text)["feeds"]
    return {name: Known(name=name, **entry) for name, entry in sorted(entries.items())}
