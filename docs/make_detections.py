"""Write the table of docs/detections.md from the front matter of queries/detections.

python docs/make_detections.py [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path

from flowscan import queries

PAGE = Path(__file__).parent / "detections.md"
BEGIN, END = "<!-- table -->\n", "<!-- end of table -->\n"


def needs(meta: dict[str, object]) -> str:
    """What a detection wants beyond the default format."""
    wants = []
    if meta.get("feeds"):
        wants.append("a feed")
    if meta.get("geo"):
        wants.append("MMDB files")
    improves = meta.get("improves")
    if isinstance(improves, list):
        wants.append("better with " + ", ".join(str(i) for i in improves))
    return "; ".join(wants) or "nothing"


def table() -> str:
    """One row per detection."""
    lines = ["| detection | type | severity | what | wants |", "|---|---|---:|---|---|"]
    for query in sorted(queries.catalogue("detections"), key=lambda q: q.id):
        meta = dict(query.meta)
        link = f"[{query.id}](../queries/detections/{query.id}.sql)"
        row = (link, f"`{meta['type']}`", str(meta["severity"]), query.title, needs(meta))
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
