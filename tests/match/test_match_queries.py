"""The query files about matches agree with the matcher."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from match_kit import BAD, T0, US, flow, listed, put

from flowscan import queries
from flowscan.engine import Engine
from flowscan.lake import Lake
from flowscan.match import match

CORPUS = Path(os.environ.get("FLOWSCAN_CORPUS", Path(__file__).parents[3] / "shared/corpus"))


def some(lake: Lake, tmp_path: Path) -> None:
    put(lake, [
        flow(US, BAD, bytes=700), flow(BAD, US, srcport=443, dstport=40_000, bytes=300),
        flow("45.9.9.9", US, action="REJECT"), flow(US, "2a00::15"), flow("8.8.8.8", US, srcport=53),
        flow(US, "45.7.7.7"),
    ])  # fmt: skip
    listed(lake, tmp_path, "a", f"{BAD}\n45.9.0.0/16\n2a00::10/124\n8.8.8.0/24\n")
    listed(lake, tmp_path, "b", "45.1.2.0-45.1.2.9\n")
    listed(lake, tmp_path, "good", "8.8.8.8\n", trusted=True)
    listed(lake, tmp_path, "old", "45.7.7.7\n", lifetime=5)


def test_listed_addresses_agrees_with_match(lake: Lake, tmp_path: Path) -> None:
    some(lake, tmp_path)
    with Engine(lake.snapshot()) as engine:
        rows = engine.run(queries.load("listed-addresses"), {"now": 2**40}).to_pylist()
    got: dict[tuple[str, str], int] = {(r["address"], r["feed"]): r["bytes"] for r in rows}
    expected: Counter[tuple[str, str]] = Counter()
    for row in match(lake, now=2**40).rows.to_pylist():
        accepted = row["bytes"] if row["action"] == "ACCEPT" else 0
        expected[row["address"], row["feed"]] += accepted
    assert got == dict(expected)
    assert len(expected) == 4
    assert (rows[0]["address"], rows[0]["direction"]) in {(BAD, "to it"), ("2a00::15", "to it")}
    assert rows[-1]["rejected"] == 1


def test_matches_by_address(lake: Lake, tmp_path: Path) -> None:
    some(lake, tmp_path)
    match(lake, now=2**40)
    with Engine(lake.snapshot()) as engine:
        rows = engine.run(queries.load("matches-by-address")).to_pylist()
        every = engine.run(queries.load("matches-by-address"), {"rank": 6}).to_pylist()
    assert [(r["rank"], r["address"], r["feed"]) for r in rows] == [
        (1, BAD, "a"), (1, BAD, "b"), (5, "2a00::15", "a"),
    ]  # fmt: skip
    assert len(every) == 4
    assert rows[0]["bytes_out"] == 700


@pytest.mark.skipif(not (CORPUS / "feeds").is_dir(), reason="no corpus")
def test_public_resolvers_on_a_threat_list_raise_nothing_when_trusted(
    lake: Lake,
    tmp_path: Path,
) -> None:
    """The trap: a list of resolvers, sold as threats, against hosts that ask them all day."""
    resolvers = (CORPUS / "feeds/misp-warninglists/public-dns-v4.json").read_text()
    put(lake, [
        flow(US, a, dstport=53, protocol=17, start=T0 + i) for i, a in
        enumerate(["8.8.8.8", "8.8.4.4", "1.1.1.1", "9.9.9.9", "208.67.222.222"])
    ] + [flow(US, "45.1.2.3")])  # fmt: skip
    listed(lake, tmp_path, "threats", resolvers + "", category="c2")
    assert {r["address"] for r in match(lake, now=T0).rows.to_pylist()} >= {"8.8.8.8", "1.1.1.1"}
    listed(lake, tmp_path, "more", "45.1.2.3\n")
    listed(lake, tmp_path, "resolvers", resolvers, trusted=True)
    result = match(lake, now=T0)
    assert {r["address"] for r in result.rows.to_pylist()} == {"45.1.2.3"}
    assert result.stats.trusted == 5
