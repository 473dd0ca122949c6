"""Write the table of docs/detections.md from the front matter of queries/detections.

python docs/make_detections.py [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path

from flowscan.detect import Detection, catalogue
from flowscan.schema import DEFAULT_FORMAT

PAGE = Path(__file__).parent / "detections.md"
BEGIN, END = "<!-- table -->\n", "<!-- end of table -->\n"


def default_format(detection: Detection) -> str:
    """How it stands on logs that have only the fields of the default format."""
    standing, _ = detection.standing(set(DEFAULT_FORMAT))
    extras = (("a feed", detection.feeds), ("MMDB files", detection.geo))
    wants = [name for name, needed in extras if needed]
    words = {"run": "runs", "reduced": "reduced", "cannot": "cannot"}[standing]
    return f"{words}, with {' and '.join(wants)}" if wants else words


def table() -> str:
    """One row per detection."""
    lines = ["| detection | type | severity | what | on the default format | better with |",
             "|---|---|---:|---|---|---|"]  # fmt: skip
    for d in catalogue():
        link = f"[{d.id}](../queries/detections/{d.id}.sql)"
        row = (link, f"`{d.type}`", str(d.severity), d.query.title, default_format(d),
               ", ".join(d.improves))  # fmt: skip
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """The page with its table made anew."""
    text = PAGE.read_text()
    head, rest = text.split(BEGIN)
    return head + BEGIN + table() + END + rest.split(END)[1]


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(0 if PAGE.read_text() == page() else "docs/detections.md is out of date")
    PAGE.write_text(page())
