"""Feeds, match and lookup on a lake that lives on a real S3 server."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from match_kit import BAD, T0, US, flow, listed, put
from s3_server import Server

from flowscan.lake import Lake
from flowscan.lookup import lookup
from flowscan.match import match


@pytest.mark.s3
def test_match_on_s3(s3: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in s3.env.items():
        monkeypatch.setenv(name, value)
    place = f"s3://{s3.bucket(f'feeds-{uuid.uuid4().hex[:12]}')}/lake"
    lake = Lake.open(place, create=True)
    called = [flow(US, BAD), flow(BAD, US, srcport=443, dstport=40_000)]
    put(lake, [*called, flow("2a00::5", US, dstport=22, action="REJECT")])
    listed(lake, tmp_path, "a", f"{BAD}\n2a00::/32\n")
    rows = match(lake, now=T0).rows.to_pylist()
    assert [(r["rank"], r["address"]) for r in rows] == [(1, BAD), (6, "2a00::5")]
    put(lake, [flow(US, BAD)])
    assert match(lake, incremental=True, now=T0).stats.days == 1
    assert sum(lake.read("matches")["flows"].to_pylist()) == 4
    assert lookup(lake, BAD, now=T0).activity.flows == 3
