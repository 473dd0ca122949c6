"""The gzip text objects of the sample logs, where Trino's file system can read them."""

from __future__ import annotations

import shutil
from pathlib import Path

from flowscan.lake import Lake

LOGS = Path(__file__).parents[2] / "sample_logs" / "logs" / "AWSLogs"


def raw_logs(lake: Lake) -> str:
    target = Path(str(lake.snapshot().root)).parent / "raw"
    for source in LOGS.rglob("*fl-0c41d9a7e6b52f038*.log.gz"):
        copy = target / "AWSLogs" / source.relative_to(LOGS)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
    return "local:///raw"
