"""The public face is sorted, complete, cheap to import, and keeps its names."""

from __future__ import annotations

import subprocess
import sys

import flowscan


def test_all_is_sorted_and_everything_is_there() -> None:
    assert flowscan.__all__ == sorted(flowscan.__all__)
    for name in flowscan.__all__:
        assert getattr(flowscan, name) is not None


def test_functions_stay_functions_after_their_packages_are_imported() -> None:
    code = (
        "import flowscan.report, flowscan.ingest, flowscan.match\n"
        "from flowscan.ingest import IngestOptions\n"
        "import flowscan\n"
        "assert callable(flowscan.ingest) and callable(flowscan.report)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_costs_nothing() -> None:
    code = "import flowscan, sys; print([m for m in ('pyarrow', 'polars', 'duckdb') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
