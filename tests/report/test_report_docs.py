"""The notebook runs, and the SQL of the BI page runs on what `flowscan lake duckdb` writes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from flowscan.engine import write_database
from flowscan.lake import Lake

ROOT = Path(__file__).parents[2]


def test_the_notebook_runs(tmp_path: Path) -> None:
    (tmp_path / "sample_logs").symlink_to(ROOT / "sample_logs")
    cells = json.loads((ROOT / "docs" / "notebook.ipynb").read_text())["cells"]
    code = "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    code += "\nassert report.rejected_ports[0].port == 312\nassert hours.height >= 36\n"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "notebook_report.html").stat().st_size > 50_000


def test_the_notebook_is_kept_without_outputs() -> None:
    cells = json.loads((ROOT / "docs" / "notebook.ipynb").read_text())["cells"]
    assert [c for c in cells if c.get("outputs") or c.get("execution_count")] == []


STATEMENTS = re.findall(r"```sql\n(.*?)```", (ROOT / "docs" / "bi.md").read_text(), re.DOTALL)


@pytest.fixture(scope="module")
def database(lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bi") / "flows.duckdb"
    write_database(lake.snapshot(), path)
    return path


@pytest.mark.parametrize("sql", STATEMENTS)
def test_sql_of_the_bi_page(database: Path, sql: str) -> None:
    with duckdb.connect(str(database), read_only=True) as con:
        assert con.sql(sql).fetchall()
