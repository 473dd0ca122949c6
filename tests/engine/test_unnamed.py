"""A table costs nothing, and cannot fail, before it is named."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flowscan.engine import Engine
from flowscan.errors import EngineError


class Missing:
    """A snapshot whose files are gone, but for one of findings."""

    def __init__(self, kept: str) -> None:
        self.kept = kept

    def uris(self, table: str) -> Sequence[str]:
        return [self.kept] if table == "findings" else [f"/nowhere/{table}.parquet"]

    def columns(self, table: str) -> Sequence[str]:
        return ["id"] if table == "findings" else ["start"]


@pytest.fixture
def missing(tmp_path) -> Missing:
    pq.write_table(pa.table({"id": ["a", "b"]}), tmp_path / "findings.parquet")
    return Missing(str(tmp_path / "findings.parquet"))


def test_only_what_is_named_is_opened(missing: Missing) -> None:
    with Engine(missing) as engine:
        for sql in ("SELECT count(*) AS n FROM findings", 'SELECT count(*) AS n FROM "FINDINGS"'):
            assert engine.query(sql).to_pylist() == [{"n": 2}]
        for table in ("flows", "coverage", "Matches"):
            with pytest.raises(EngineError):
                engine.query(f"SELECT count(*) FROM {table}")
        assert engine.execute("SELECT count(*) AS n FROM findings").to_pylist() == [{"n": 2}]


def test_a_given_table_stands_in_place_of_the_lakes(missing: Missing) -> None:
    given = {"matches": pa.table({"rank": [1]}), "mine": pa.table({"x": [7]})}
    with Engine(missing, tables=given) as engine:
        assert engine.query("SELECT rank, x FROM matches, mine").to_pylist() == [
            {"rank": 1, "x": 7}
        ]


def test_all_tables_can_be_described(engine: Engine) -> None:
    for table in ("flows", "coverage", "findings", "sources"):
        assert engine.query(f"DESCRIBE {table}").num_rows > 5
