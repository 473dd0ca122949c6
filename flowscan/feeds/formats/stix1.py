"""STIX 1.x XML: addresses, ranges (`##comma##`, InclusiveBetween) and domain names.

Invariant: no document type declaration is ever processed. expat stops at the first one, so there
are no entities, neither to expand (bombs) nor to fetch (XXE).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from xml.parsers import expat

from flowscan.errors import FeedError
from flowscan.feeds.model import Entry, ReadOptions

_SEPARATOR = "##comma##"
_MAX_DEPTH = 64
_ADDRESS = "Address_Value"
_NAMES = {"DomainNameObj": "Value", "URIObj": "Value"}


class _Reader:
    """Collects the text of value elements; element names are compared without their prefix."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.stix = False
        self.titles: list[str] = []
        self._path: list[str] = []
        self._text: list[str] = []
        self._condition = ""
        self.parser = expat.ParserCreate("utf-8")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters

    def _doctype(self, *_: object) -> None:
        raise FeedError(
            "XML with a document type declaration is refused",
            where=f"line {self.parser.CurrentLineNumber}",
        )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if not self._path:
            self.stix = local == "STIX_Package"
        self._path.append(name)
        if len(self._path) > _MAX_DEPTH:
            raise FeedError("XML nested too deeply", where=f"line {self.parser.CurrentLineNumber}")
        self._text.clear()
        self._condition = attributes.get("condition", "")

    def _characters(self, data: str) -> None:
        self._text.append(data)

    def _end(self, name: str) -> None:
        self._path.pop()
        prefix, _, local = name.rpartition(":")
        value = "".join(self._text).strip()
        self._text.clear()
        if value and (local == _ADDRESS or _NAMES.get(prefix) == local):
            self._values(value)

    def _values(self, value: str) -> None:
        line = self.parser.CurrentLineNumber
        parts = [part.strip() for part in value.split(_SEPARATOR)]
        if self._condition == "InclusiveBetween" and len(parts) == 2:
            self.entries.append(Entry(line, "-".join(parts)))
        else:
            self.entries.extend(Entry(line, part) for part in parts)


def parse_stix1(text: str, options: ReadOptions) -> Iterator[Entry]:
    """Entries of a STIX 1.x package.

    Raises:
        FeedError: the XML is not well-formed, has a document type declaration, or is no STIX.
    """
    reader = _Reader()
    try:
        reader.parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        raise FeedError(
            f"XML that is not well-formed: {expat.ErrorString(error.code)}",
            where=f"line {error.lineno}, column {error.offset + 1}",
        ) from error
    if not reader.stix:
        raise FeedError("XML, but no STIX package")
    yield from reader.entries


parsers: dict[str, Callable[[str, ReadOptions], Iterator[Entry]]] = {"stix1": parse_stix1}
