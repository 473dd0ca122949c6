"""Formats of feeds, told by content and by nothing else; one module per family.

Each family gives `parsers`: name → function(text, options) yielding an Entry for every entry of
the list, valid or not. Invariant: a parser never interprets an address; that is done in one place
(feeds/load.py), so that every format has the same rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from flowscan.errors import FeedError
from flowscan.feeds.formats import delimited, json_lists, plain, stix1
from flowscan.feeds.model import Entry, ReadOptions

Parser = Callable[[str, ReadOptions], Iterator[Entry]]

PARSERS: dict[str, Parser] = {
    **plain.parsers,
    **delimited.parsers,
    **json_lists.parsers,
    **stix1.parsers,
}
"""Every format by name, as `feeds add --as` takes it."""


def detect(text: str, options: ReadOptions) -> str:
    """Name of the format that a text is in.

    Raises:
        FeedError: the text is a web page, or XML or JSON of no known list.
    """
    start = text[:256].lstrip().lower()
    if start.startswith("<"):
        if start.startswith(("<!doctype html", "<html")):
            raise FeedError("a web page, not a list", hint="does the address need a login?")
        return "stix1"
    if start.startswith(("{", "[")) and not plain.starts_with_address(text):
        return json_lists.detect(text)
    return delimited.detect(text, options) or plain.detect(text)


def parser(name: str) -> Parser:
    """The parser of a format.

    Raises:
        FeedError: there is no such format.
    """
    try:
        return PARSERS[name]
    except KeyError:
        raise FeedError(
            f"no feed format {name!r}", hint=f"one of {', '.join(sorted(PARSERS))}"
        ) from None
