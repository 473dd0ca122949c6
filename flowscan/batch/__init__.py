"""The scheduled cycle: ingest, feeds, match, detect, report, export, notify, upkeep.

`run_cycle` does it once, `keep_running` every so often, `aws_lambda` on AWS's schedule. Invariant:
one cycle per lake at a time; a stage that fails does not keep the others from their work, and the
summary says so; whatever is interrupted is done again by the next cycle, never twice.
"""

from __future__ import annotations

from flowscan.batch.cycle import run_cycle
from flowscan.batch.model import StageResult, Summary
from flowscan.batch.schedule import keep_running

__all__ = ["StageResult", "Summary", "keep_running", "run_cycle"]
