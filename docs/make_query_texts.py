"""Write what flowscan.net says behind the reserved tags of the query files.

python docs/make_query_texts.py [--check]
"""

from __future__ import annotations

import sys

from flowscan.net.sql import written
from flowscan.queries import queries_dir


def main(*, check: bool) -> str | None:
    """Write the files anew, or with `check` name those that would change."""
    stale = []
    for path in sorted(queries_dir().rglob("*.sql")):
        text = path.read_text(encoding="utf-8")
        right = written(text)
        if right != text:
            stale.append(path.name)
            if not check:
                path.write_text(right, encoding="utf-8")
    return f"out of date: {', '.join(stale)}" if check and stale else None


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv))
