"""How much room a text takes, and text cut to a room.

Readers' fonts differ and are not known here: widths are those of DejaVu Sans, among the widest of
the fonts that systems set their windows in. Invariant: never less than the sum of its letters, so
that what is laid out by it neither overlaps nor is cut off.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from flowscan.report.charts.canvas import FONT
from flowscan.text import plain

# Parts of the font's size.
_CAPITAL_EM: Final = 0.79
_LETTER_EM: Final = 0.64
_WIDE_EM: Final = 1.0
_EMS: Final = {
    letter: em
    for em, letters in (
        (0.3, "ijlIJ'"),
        (0.37, " ,.-/:;|\\f"),
        (0.42, "!()[]tr"),
        (0.55, '"*?^_`csz'),
        (0.84, "#&+<=>~w"),
        (_WIDE_EM, "mMW%@…"),
    )
    for letter in letters
}


def width(text: str, size: float = FONT) -> float:
    """Pixels that a line of text takes at most."""
    return size * sum(map(_em, plain(text)))


def widest(texts: list[str], size: float = FONT) -> float:
    """Pixels that the longest of some texts takes; 0 if there is none."""
    return max((width(t, size) for t in texts), default=0.0)


def fit(text: str, room: float, size: float = FONT) -> str:
    """The text, or as much of its beginning as fits, with `…` for the rest."""
    if width(text, size) <= room:
        return text
    kept = text
    while kept and width(kept + "…", size) > room:
        kept = kept[:-1]
    return kept + "…"


def _em(letter: str) -> float:
    found = _EMS.get(letter)
    if found is not None:
        return found
    if letter.isascii():
        return _CAPITAL_EM if letter.isupper() else _LETTER_EM
    if unicodedata.combining(letter):
        return 0.0
    return _WIDE_EM if unicodedata.east_asian_width(letter) in "WF" else _CAPITAL_EM
