"""Query files: front matter, parameters, names, and that nothing is bound by accident."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowscan import queries
from flowscan.errors import QueryError

FRONT = "/* flowscan\nid = 'q'\ntitle = 'Q'\n[params.n]\ntype = 'integer'\n*/\n"


def parse(text: str) -> queries.Query:
    return queries.parse(text, Path("q.sql"), "analytics")


def test_a_file_is_valid_sql_as_it_stands() -> None:
    query = parse(FRONT + "SELECT /*$n*/ 5 AS n, '/*$n*/ 6' AS t, \"/*$n*/ 7\" -- /*$n*/ 8\n")
    assert query.params["n"].default == 5
    assert queries.bind(query, {"n": 9}).sql.startswith("SELECT $n AS n, '/*$n*/ 6' AS t,")
    assert queries.inline(query, {"n": 9}).startswith("SELECT 9 AS n,")
    assert queries.inline(query) == query.sql.replace("/*$n*/ 5", "5", 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("/* flowscan\nid = 'other'\n*/ SELECT 1", "differs from the file name"),
        ("/* flowscan\nid = \n*/ SELECT 1", "no TOML"),
        (FRONT + "SELECT 1", "declared and not used"),
        (FRONT + "SELECT /*$n*/ 'x'", "is integer, its default is string"),
        (FRONT + "SELECT /*$n*/ x", "no default literal"),
        (FRONT + "SELECT /*$n*/ 1, /*$n*/ 2", "two defaults"),
        ("SELECT /*$m*/ 1", "has no [params.m] entry"),
    ],
)
def test_contradictions_are_named(text: str, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert message in str(caught.value)
    assert str(caught.value).startswith("q.sql: ")


@given(value=st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])))
def test_a_literal_reads_back_as_the_value(value: str) -> None:
    text = queries.quote(value)
    assert text.startswith("'")
    assert text[1:-1].replace("''", "\x00").count("'") == 0
    assert text[1:-1].replace("''", "'") == value


@given(text=st.text(max_size=200))
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        query = parse(text)
    except QueryError as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert queries.inline(query).strip() == query.sql.strip() or query.params


def test_the_catalogue_is_complete_and_unique() -> None:
    found = queries.catalogue()
    assert len({q.id for q in found}) == len(found)
    assert len(queries.catalogue("analytics")) >= 20
    names = [q.id for q in queries.catalogue("aws")]
    assert sum(n.startswith("docs-") for n in names) == 10
    assert sum(n.startswith("console-") for n in names) == 16
    assert {q.path.stem for q in found} == {q.id for q in found}


def test_a_typo_gets_a_proposal() -> None:
    with pytest.raises(QueryError, match="did you mean rejected-ports"):
        queries.load("rejected-port")
    with pytest.raises(QueryError, match="--list"):
        queries.load("zzzz")


def test_own_files_stand_beside_the_shipped_ones(tmp_path: Path) -> None:
    (tmp_path / "mine.sql").write_text("/* flowscan\ntitle = 'Mine'\n*/\nSELECT 1")
    assert queries.load("mine", extra=tmp_path).title == "Mine"
    assert queries.load(tmp_path / "mine.sql").id == "mine"
    with pytest.raises(QueryError):
        queries.load(tmp_path / "absent.sql")


def test_derived_views_come_after_what_they_read() -> None:
    names = [q.id for q in queries.derived()]
    assert names.index("sessions") < names.index("contacts")
    assert names.index("hosts") < names.index("contacts")
