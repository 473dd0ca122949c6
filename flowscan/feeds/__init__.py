"""Threat feeds: formats → indicator rows, fetched and kept in the lake.

model (what a feed is) ← address, intervals (numbers) ← safety, formats (text → entries) ← load
(entries → rows) ← fetch, catalogue ← store (feeds in a lake). Only `store` knows the lake, so it
is not imported here.
"""

from __future__ import annotations

from flowscan.feeds.catalogue import Known, catalogue
from flowscan.feeds.load import Loaded, load
from flowscan.feeds.model import CATEGORIES, Counts, Feed, Problem

__all__ = ["CATEGORIES", "Counts", "Feed", "Known", "Loaded", "Problem", "catalogue", "load"]
