"""Top lists and sums are exact, however many strangers there are.

The reference counts every pair by hand.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

from flowscan.ingest import ingest
from flowscan.lake import Lake
from flowscan.report import Options, build
from flowscan.sources import SourceOptions, open_source

BEGIN = 1_785_715_200
Flow = tuple[str, str, str, int, str]


def lake_of(folder: Path, flows: Iterable[Flow]) -> Lake:
    log = folder / "flows.log"
    log.write_text(
        "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes"
        " start end action log-status\n"
        + "".join(
            f"2 123456789012 {eni} {src} {dst} 40000 443 6 2 {size} {BEGIN + i % 3600}"
            f" {BEGIN + i % 3600 + 30} {action} OK\n"
            for i, (eni, src, dst, size, action) in enumerate(flows)
        )
    )
    lake = Lake.open(folder / "lake", create=True)
    ingest(lake, [open_source(str(log), SourceOptions())])
    return lake


def busiest(flows: Iterable[Flow]) -> list[tuple[str, str, int, int]]:
    """What everyone sent to whom, and the records between the two; accepted flows only."""
    sent: dict[tuple[str, str], int] = defaultdict(int)
    records: dict[frozenset[str], int] = defaultdict(int)
    for _, src, dst, size, action in flows:
        if action == "ACCEPT":
            sent[src, dst] += size
            records[frozenset((src, dst))] += 1
    rows = [(src, dst, records[frozenset((src, dst))], size) for (src, dst), size in sent.items()]
    return sorted(rows, key=lambda r: (-r[3], r[0], r[1]))


def skewed() -> list[Flow]:
    rng = random.Random(3)
    strangers = [f"2{a}.{b}.7.{c}" for a in range(1, 3) for b in range(10) for c in range(1, 200)]
    flows = []
    for _ in range(20_000):
        host, peer = rng.randrange(30), strangers[int(rng.paretovariate(0.3)) % len(strangers)]
        size = int(rng.paretovariate(0.8) * 100)
        ends = (peer, f"10.0.0.{host}") if rng.random() < 0.5 else (f"10.0.0.{host}", peer)
        action = "REJECT" if rng.random() < 0.2 else "ACCEPT"
        flows.append((f"eni-{host:017x}", *ends, size, action))
    return flows


def level() -> list[Flow]:
    """Everybody sends everybody about the same: no end has less than the busiest pair."""
    rng = random.Random(5)
    return [
        (f"eni-{host:017x}", f"23.4.{peer // 250}.{peer % 250 + 1}", f"10.0.0.{host}",
         rng.randrange(1000, 1100), "ACCEPT")
        for peer in range(1500) for host in range(8)
    ]  # fmt: skip


def few() -> list[Flow]:
    """Fewer pairs than are shown, and strangers who never got through."""
    refused = [("eni-0", f"23.4.{i // 250}.{i % 250 + 1}", "10.0.0.1", 40, "REJECT")
               for i in range(1200)]  # fmt: skip
    return [*refused, ("eni-0", "23.9.9.9", "10.0.0.1", 70, "ACCEPT")]


@pytest.mark.parametrize("made", [skewed, level, few])
def test_every_figure_is_exact(made, tmp_path: Path) -> None:
    flows = made()
    report = build(lake_of(tmp_path, flows), options=Options(top=20))
    wanted = busiest(flows)[:20]
    assert [(t.source, t.destination, t.flows, t.bytes) for t in report.talkers] == wanted
    public = {a for f in flows for a in f[1:3] if not a.startswith("10.")}
    ours = {a for f in flows for a in f[1:3] if a.startswith("10.")}
    assert (report.overview.public_addresses, report.overview.local_addresses) == (
        len(public), len(ours),
    )  # fmt: skip
    through = [f for f in flows if f[4] == "ACCEPT"]
    assert report.overview.bytes_in == sum(f[3] for f in through if f[2] in ours)
    assert report.overview.bytes_out == sum(f[3] for f in through if f[1] in ours)
    assert sum(link.flows for link in report.links) == len(flows)
    assert report.exposure == (), "nobody answered"
    assert report.probed > 0
