"""Findings and flows in the forms that other systems read.

One module per form, each a pure function from values to plain dictionaries or lines; `write` picks
one by name. Invariant: text of strangers is escaped for its form here, and nothing is invented:
what a finding does not know is left out.
"""

from __future__ import annotations

from flowscan.export.formats import ALONE, FORMATS, lines, write

__all__ = ["ALONE", "FORMATS", "lines", "write"]
