"""What a report may cost beside its queries: drawing the page, and what has to be loaded."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from flowscan import traffic
from flowscan.lake import Lake

CODE = """
import json, sys, time
from flowscan import traffic
from flowscan.lake import Lake
from flowscan.report import build
report = build(Lake.open(sys.argv[1]))
begun = time.process_time()
from flowscan.report import render_html
page = render_html(report)
spent = time.process_time() - begun
heavy = {"sqlglot", "polars", "rich", "pyarrow.dataset"}
print(json.dumps({"spent": spent, "size": len(page), "loaded": sorted(heavy & set(sys.modules))}))
"""


@pytest.fixture(scope="module")
def cost(lake: Lake) -> dict[str, object]:
    traffic.fold(lake)  # what a report of an unfolded lake does first is not measured here
    root = lake.snapshot().root
    done = subprocess.run(
        [sys.executable, "-c", CODE, root], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


def test_drawing_the_page_takes_little(cost: dict[str, float]) -> None:
    # CPU seconds of a fresh process: importing what draws, compiling templates, drawing.
    assert cost["spent"] < 0.4
    assert cost["size"] < 400_000


def test_nothing_is_loaded_that_is_not_used(cost: dict[str, object]) -> None:
    assert cost["loaded"] == []
