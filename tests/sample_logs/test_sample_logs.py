"""The committed sample logs are what the script makes, and hold what expected.toml promises.

The records are read here by a few lines of Python, not by flowscan, so that both can be wrong only
independently.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from pathlib import Path

import pyarrow.parquet as pq
import pytest

FOLDER = Path(__file__).parents[2] / "sample_logs"
EXPECTED = tomllib.loads((FOLDER / "expected.toml").read_text())
V2 = [
    "version",
    "account-id",
    "interface-id",
    "srcaddr",
    "dstaddr",
    "srcport",
    "dstport",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
    "action",
    "log-status",
]
NUMBERS = {"srcport", "dstport", "protocol", "packets", "bytes", "start", "end"}


def files(root: Path) -> dict[str, Path]:
    found = [p for part in ("logs", "feeds") for p in (root / part).rglob("*") if p.is_file()]
    return {str(p.relative_to(root)): p for p in found}


def contents(path: Path) -> object:
    """What a file says, whatever version of zlib or Arrow wrote it."""
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    return path.read_bytes()


def test_the_script_gives_the_committed_files(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(FOLDER / "make.py"), str(tmp_path)], check=True)
    made, committed = files(tmp_path), files(FOLDER)
    assert made.keys() == committed.keys()
    assert [n for n in made if contents(made[n]) != contents(committed[n])] == []


def test_the_script_gives_the_same_bytes_twice(tmp_path: Path) -> None:
    for name in ("a", "b"):
        subprocess.run([sys.executable, str(FOLDER / "make.py"), str(tmp_path / name)], check=True)
    first, second = files(tmp_path / "a"), files(tmp_path / "b")
    assert [n for n in first if first[n].read_bytes() != second[n].read_bytes()] == []


def test_it_is_small() -> None:
    assert sum(p.stat().st_size for p in FOLDER.rglob("*") if p.is_file()) < 1_500_000


def text_rows(path: Path) -> list[dict[str, str]]:
    lines = gzip.decompress(path.read_bytes()).decode("latin-1").splitlines()
    if "firehose" in str(path):
        return [dict(zip(V2, json.loads(x)["message"].split(), strict=True)) for x in lines]
    if "cloudwatch" in str(path):
        return [dict(zip(V2, x.split()[1:], strict=True)) for x in lines]
    head = lines[0].split()
    rows = [x.split(" ") for x in lines[1:]]
    return [dict(zip(head, r, strict=True)) for r in rows if len(r) == len(head)]


@pytest.fixture(scope="module")
def records() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for path in files(FOLDER).values():
        if path.suffix == ".parquet":
            rows += [
                {k.replace("_", "-"): v for k, v in r.items()}
                for r in pq.read_table(path).to_pylist()
            ]
        elif "logs" in path.parts and path.suffix == ".gz":
            rows += text_rows(path)
    good = []
    for row in rows:
        if any("\x00" in str(v) for v in row.values()):
            continue
        for name in NUMBERS:
            row[name] = None if row[name] in {None, "-"} else int(str(row[name]))
        good.append(row)
    broken = (("action", "MAYBE"), ("srcaddr", "10.20.1.999"), ("dstport", 70443))
    return [r for r in good if not any(r[name] == value for name, value in broken)]


def flows(records: list[dict[str, object]], **wanted: object) -> list[dict[str, object]]:
    return [r for r in records if all(r[k] == v for k, v in wanted.items())]


def test_no_record_is_in_two_files(records: list[dict[str, object]]) -> None:
    """Apart from the broken lines, whose originals are there too."""
    names = ("interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "start")
    keys = Counter(
        tuple(r[n] for n in names) for r in records if r["log-status"] == "OK" and r["srcport"]
    )
    assert [k for k, n in keys.items() if n > 1] == []


def test_every_connection_has_both_directions(records: list[dict[str, object]]) -> None:
    ok = [r for r in records if r["action"] == "ACCEPT" and r["protocol"] == 6]
    ends = {(r["interface-id"], r["srcaddr"], r["srcport"], r["dstaddr"], r["dstport"]) for r in ok}
    alone = [e for e in ends if (e[0], e[3], e[4], e[1], e[2]) not in ends]
    assert {e[4] for e in alone} == {445}, "only the sweep gets no answer"


def test_windows_are_those_of_aws(records: list[dict[str, object]]) -> None:
    longest: dict[object, int] = defaultdict(int)
    for r in records:
        assert r["end"] - r["start"] >= 0
        longest[r["interface-id"]] = max(longest[r["interface-id"]], r["end"] - r["start"])
    assert sorted(longest.values()) == [59, 59, 599]


def test_flags_are_those_of_aws(records: list[dict[str, object]]) -> None:
    """SYN by the client, SYN-ACK by the server, FIN at the end, 0 in between."""
    flags = {int(str(r["tcp-flags"])) for r in records if r.get("tcp-flags") not in {None, "-"}}
    assert flags <= {0, 1, 2, 3, 18, 19}
    assert {0, 2, 3, 18, 19} <= flags


def test_bytes_fit_packets(records: list[dict[str, object]]) -> None:
    ok = [r for r in records if r["log-status"] == "OK"]
    assert all(28 <= r["bytes"] / r["packets"] <= 9001 for r in ok)


@pytest.mark.parametrize("found", EXPECTED["finding"], ids=lambda f: f["detection"])
def test_each_finding_is_planted(
    records: list[dict[str, object]], found: dict[str, object]
) -> None:
    begin, end = found["from"].timestamp(), found["until"].timestamp()
    if "interface" in found:
        lost = flows(records, **{"interface-id": found["interface"], "log-status": "SKIPDATA"})
        assert len(lost) == 5
        assert all(begin <= r["start"] <= end for r in lost)
        return
    wanted = {"srcaddr": found["actor"]}
    wanted |= {"dstaddr": found["target"]} if "target" in found else {}
    wanted |= {"dstport": found["port"]} if "port" in found else {}
    rows = [r for r in flows(records, **wanted) if begin <= r["start"] <= end]
    check = {
        "inbound-scan": lambda: len({r["dstport"] for r in rows}) > 350,
        "ssh-brute-force": lambda: len({r["srcport"] for r in rows}) > 300,
        "ssh-brute-force-success": lambda: sum(r["bytes"] for r in rows) > 2_000_000,
        "accept-after-reject": lambda: {"ACCEPT", "REJECT"} == {r["action"] for r in rows},
        "listed-visitor": lambda: len({r["srcport"] for r in rows}) == 30,
        "c2-activity": lambda: {"ACCEPT"} == {r["action"] for r in rows},
        "beacon": lambda: len({r["srcport"] for r in rows}) == 180,
        "port-sweep": lambda: len({r["dstaddr"] for r in rows}) == 254,
        "tor-client": lambda: max(r["end"] for r in rows) - min(r["start"] for r in rows) > 1600,
        "exfiltration": lambda: sum(r["bytes"] for r in rows) > 2_600_000_000,
    }[str(found["detection"])]
    assert rows
    assert check()


def test_port_312_leads_the_refused(records: list[dict[str, object]]) -> None:
    refused = Counter(r["dstport"] for r in records if r["action"] == "REJECT")
    assert refused.most_common(1)[0][0] == 312


def test_listed_addresses_stand_in_the_feeds() -> None:
    for match in EXPECTED["match"]:
        feed = (FOLDER / "feeds" / f"{match['feed']}.txt").read_text()
        assert match["address"] in feed.split()


def test_broken_lines(records: list[dict[str, object]]) -> None:
    path = next(
        p for p in files(FOLDER).values() if "fl-0f7730bd5ac18e294_20260804T0300Z" in p.name
    )
    lines = gzip.decompress(path.read_bytes()).splitlines()[1:]
    good = {len(line.split(b" ")) for line in lines}
    bad = [
        line
        for line in lines
        if len(line.split()) != max(good)
        or b"\x00" in line
        or b" 70443 " in line
        or b"10.20.1.999" in line
        or b" MAYBE " in line
    ]
    assert len(bad) == EXPECTED["totals"]["lines_refused"]


def test_the_span_is_what_is_said(records: list[dict[str, object]]) -> None:
    since, until = (EXPECTED["totals"][k].timestamp() for k in ("since", "until"))
    assert min(r["start"] for r in records) - since < 300
    assert since <= min(r["start"] for r in records)
    assert until - 60 < max(r["end"] for r in records) < until
