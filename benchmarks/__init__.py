"""Benchmarks: flowscan and its peers, side by side in one run."""

from __future__ import annotations
