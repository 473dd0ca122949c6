"""Detections over the lake: queries raise findings that explain themselves.

spec (front matter) → run (plan, days) → tables (shared) → functions → rows → store. A detection
is one file in `queries/detections`; nothing here knows a particular one.
"""

from __future__ import annotations

from flowscan.detect.run import DetectResult, Options, detect
from flowscan.detect.spec import Detection, catalogue

__all__ = ["DetectResult", "Detection", "Options", "catalogue", "detect"]
