"""One spelling of each address, whoever wrote it and however it came."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import flowscan
from flowscan.lookup import lookup
from flowscan.parse.canonical import canonical

T = 1_785_715_200
HEAD = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start "
    "end action log-status pkt-srcaddr pkt-dstaddr"
)
SPELLINGS = {
    "2001:DB8:0:0::1": "2001:db8::1",
    "2001:0db8:0000:0000:0000:0000:0000:0001": "2001:db8::1",
    "::ffff:45.1.2.3": "45.1.2.3",
    "::FFFF:2d01:0203": "45.1.2.3",
    "0:0:0:0:0:ffff:2d01:203": "45.1.2.3",
    "45.1.2.3": "45.1.2.3",
}


def column(texts: list[str | None]) -> pa.Table:
    return pa.table(
        {
            "srcaddr": pa.array(texts, pa.string()).dictionary_encode(),
            "x": pa.array(texts, pa.string()),
        }
    )


def test_a_table_without_colons_is_given_back_as_it_is() -> None:
    rows = column(["45.1.2.3", None, "10.0.0.1"])
    assert canonical(rows) is rows
    six = column(["2001:db8::1", "::1"])
    assert canonical(six) is six


def test_two_spellings_become_one_value() -> None:
    rows = canonical(column([*SPELLINGS, None, *SPELLINGS]))
    assert rows["srcaddr"].to_pylist() == [*SPELLINGS.values(), None, *SPELLINGS.values()]
    assert rows["srcaddr"].chunk(0).dictionary.to_pylist() == ["2001:db8::1", "45.1.2.3"]
    assert rows["x"].to_pylist() == [*SPELLINGS, None, *SPELLINGS]
    assert rows.schema == column([]).schema


@given(st.lists(st.ip_addresses().map(str) | st.ip_addresses(v=6).map(lambda a: a.exploded)))
def test_only_the_spelling_changes(texts: list[str]) -> None:
    for old, new in zip(texts, canonical(column(texts))["srcaddr"].to_pylist(), strict=True):
        one = ipaddress.ip_address(old)
        mapped = getattr(one, "ipv4_mapped", None)
        assert ipaddress.ip_address(new) == (mapped or one)


def log() -> list[list[str]]:
    fixed = f"40000 443 6 10 1000 {T} {T + 50} ACCEPT OK"
    return [
        f"5 123456789012 eni-1 10.0.0.5 {text} {fixed} 10.0.0.5 {text}".split()
        for text in SPELLINGS
    ]


def as_text(folder: Path) -> Path:
    path = folder / "a.log"
    path.write_text("\n".join([HEAD, *(" ".join(row) for row in log())]) + "\n")
    return path


def as_parquet(folder: Path) -> Path:
    names = [name.replace("-", "_") for name in HEAD.split()]
    rows = pa.table(dict(zip(names, map(list, zip(*log(), strict=True)), strict=True)))
    pq.write_table(rows, folder / "a.parquet")
    return folder / "a.parquet"


@pytest.mark.parametrize("write", [as_text, as_parquet])
def test_the_lake_has_one_spelling_that_every_question_finds(tmp_path: Path, write) -> None:
    flowscan.ingest(str(write(tmp_path)), tmp_path / "lake")
    lake = flowscan.Lake.open(tmp_path / "lake")
    found = lake.query("SELECT dstaddr, pkt_dstaddr, count(*) AS n FROM flows GROUP BY 1, 2")
    assert sorted(found.to_pylist(), key=lambda row: row["n"]) == [
        {"dstaddr": "2001:db8::1", "pkt_dstaddr": "2001:db8::1", "n": 2},
        {"dstaddr": "45.1.2.3", "pkt_dstaddr": "45.1.2.3", "n": 4},
    ]
    for text, canon in SPELLINGS.items():
        seen = lookup(lake, text)
        assert (seen.first, seen.activity.addresses) == (canon, 1)
        assert seen.activity.flows == {"2001:db8::1": 2, "45.1.2.3": 4}[canon]


@pytest.mark.parametrize("listed", SPELLINGS)
def test_a_list_may_spell_as_it_likes(tmp_path: Path, listed: str) -> None:
    from flowscan.feeds import Feed
    from flowscan.feeds.store import FeedStore

    flowscan.ingest(str(as_text(tmp_path)), tmp_path / "lake")
    lake = flowscan.Lake.open(tmp_path / "lake")
    (tmp_path / "listed.txt").write_text(f"{listed}\n")
    FeedStore(lake).add(Feed("listed", str(tmp_path / "listed.txt"), private=True))
    rows = flowscan.match(lake, now=T).rows.to_pylist()
    assert {row["address"] for row in rows} == {SPELLINGS[listed]}
    (found,) = lake.query("listed-addresses").to_pylist()
    assert found["address"] == SPELLINGS[listed]
