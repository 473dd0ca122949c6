"""The labelled capture of the corpus (IoT-23, 34-1, Mirai): what of it is found."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from flowscan.detect import Options, detect, store
from flowscan.ingest import ingest
from flowscan.lake import Lake
from flowscan.sources import SourceOptions, open_source

CORPUS = Path(os.environ.get("FLOWSCAN_CORPUS", Path(__file__).parents[3] / "shared" / "corpus"))


def report() -> None:
    path = CORPUS / "labelled" / "iot23_34-1_mirai.v2.log.gz"
    if not path.exists():
        print("the labelled capture is not here")
        return
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake.open(Path(folder) / "lake", create=True)
        ingest(lake, [open_source(str(path), SourceOptions())])
        detect(lake, Options(), now=1_700_000_000)
        print("| severity | detection | actors | sessions | what |\n|---|---|---|---|---|")
        for f in store.load(lake):
            names = ", ".join(a.address for a in f.actors[:3])
            print(f"| {f.severity} | {f.detection} | {names} | {f.count} | {f.description} |")
