"""Values never become SQL. Reference: reliability S7; a Python filter is the judge."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowscan import queries
from flowscan.engine import Engine
from flowscan.errors import QueryError

ROOT = Path(__file__).parents[2]
HOSTILE = st.one_of(
    st.sampled_from(
        [
            "x' OR '1'='1",
            "'; DROP VIEW flows; --",
            "10.20.1.10",
            "10.20.1.10'--",
            "\\",
            "''",
            "/*$top*/ 1",
            "*/ OR 1=1 /*",
            "$since",
            '"',
            "$$x$$",
            "\u2028",
            "E'\\x27'",
        ]
    ),
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=30),
)


@pytest.fixture(scope="module")
def addresses(engine: Engine) -> list[str]:
    return engine.query("SELECT srcaddr FROM flows").column(0).to_pylist()


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=HOSTILE)
def test_hostile_text_is_only_text(engine: Engine, addresses: list[str], text: str) -> None:
    expected = sum(a == text for a in addresses)
    sql = "SELECT count(*) AS n FROM flows WHERE srcaddr = $who"
    assert engine.query(sql, {"who": text}).to_pylist() == [{"n": expected}]
    query = queries.parse(
        "/* flowscan\n[params.who]\ntype = 'string'\n*/\n"
        "SELECT count(*) AS n FROM flows WHERE srcaddr = /*$who*/ 'a'",
        Path("x.sql"),
    )
    assert engine.run(query, {"who": text}).to_pylist() == [{"n": expected}]
    # The same as a literal, as it goes to Athena.
    assert engine.query(queries.inline(query, {"who": text})).to_pylist() == [{"n": expected}]


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=HOSTILE)
def test_hostile_text_in_every_parameter_of_the_catalogue(engine: Engine, text: str) -> None:
    for name in ("address-story", "docs-records-of-a-source", "console-top-tcp-traffic"):
        query = queries.load(name)
        assert engine.run(query, {"address": text}).num_rows == 0 or text == "10.20.1.10"
        with pytest.raises(QueryError):
            engine.run(query, {"top": text + "x"})


def test_sql_text_is_built_in_the_engine_only() -> None:
    """An f-string or concatenation that looks like SQL stands in engine/ or a library's SQL file."""
    allowed = (
        "engine/",
        "queries.py",
        "traffic/",
        "match/",
        "report/",
        "detect/",
        "feeds/",
        "enrich/",
    )
    bad = []
    for path in (ROOT / "flowscan").rglob("*.py"):
        name = str(path.relative_to(ROOT / "flowscan"))
        if name.startswith(allowed):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                text = "".join(v.value for v in node.values if isinstance(v, ast.Constant))
                if text.lstrip().upper().startswith(("SELECT ", "WITH ", "INSERT ", "CREATE ")):
                    bad.append(f"{name}:{node.lineno}")
    assert not bad


def test_params_are_checked() -> None:
    query = queries.load("rejected-ports")
    for value in ("1.5", "1e3", "٣", "0x10", "", " 1", "9" * 30):
        with pytest.raises(QueryError):
            queries.bind(query, {"top": value})
    with pytest.raises(QueryError, match="has no parameter"):
        queries.bind(query, {"tpo": 1})
    assert queries.bind(query, {"top": "7", "since": 5}).values["since"] == 5
