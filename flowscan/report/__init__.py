"""Reports: one value built from the lake, and renderers that only lay it out.

`build` reads; `terminal`, `html`, `markdown` and `data` (JSON, CSV) render. Invariant: renderers
query nothing and decide nothing, so every format says the same.
"""

from __future__ import annotations

from flowscan.report.build import Options, build
from flowscan.report.model import Report

__all__ = ["Options", "Report", "build"]
