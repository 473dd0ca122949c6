"""A lake of the sample logs, made once, and helpers to read rows as Athena shows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowscan.engine import Engine
from flowscan.lake import Lake

SAMPLES = Path(__file__).parents[2] / "sample_logs" / "logs"


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    import flowscan

    where = tmp_path_factory.mktemp("samples") / "lake"
    flowscan.ingest(str(SAMPLES), where)
    return Lake.open(where)


@pytest.fixture(scope="module")
def engine(samples: Lake):
    with Engine(samples.snapshot(), timeout=120) as made:
        yield made
