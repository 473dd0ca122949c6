"""An empty lake for each test of matches."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowscan.lake import Lake


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake.open(tmp_path / "lake", create=True)
