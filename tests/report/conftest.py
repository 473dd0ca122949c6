"""A lake of the sample logs with findings and matches in it, and the report of it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from flowscan import findings, schema
from flowscan.ingest import ingest
from flowscan.lake import Lake
from flowscan.report import Report, build
from flowscan.sources import SourceOptions, open_source

SAMPLE = Path(__file__).parents[2] / "sample_logs"
DAY = 1_785_715_200  # 2026-08-03
NOON = DAY + 36 * 3600


def finding(detection: str, severity: float, title: str, *actors: str) -> findings.Finding:
    counts = findings.Counts(DAY + 72_000, DAY + 73_000, 340, 3400, 1_000_000)
    day = findings.Day(
        day=DAY,
        counts=counts,
        severity=severity,
        actors=tuple(findings.Actor(a, counts, {"country": "Utopia"}) for a in actors),
        actors_total=len(actors),
        evidence={"ports": [22, 80], "samples": [{"srcaddr": actors[0], "bytes": 12, "end": DAY}]},
    )
    return findings.Finding(
        id=findings.finding_id(detection, "10.20.1.20", title),
        detection=detection,
        type=f"UnauthorizedAccess:EC2/{detection}",
        title=title,
        description=f"What {detection} is about.",
        resource="10.20.1.20",
        resource_role="TARGET",
        dedup_key=title,
        confidence="full",
        account_id="123456789012",
        region="us-east-1",
        details={"interface_id": "eni-0c7d20e5f91a4b38d"},
        days=(day,),
        created=NOON,
        updated=NOON,
    )


FINDINGS = (
    finding("ssh-brute-force-success", 9.2, "22.118.64.9 got into 10.20.1.20", "22.118.64.9"),
    finding("beacon", 8.0, "10.20.1.20 calls 21.66.12.201 every 5 minutes", "21.66.12.201"),
    finding("port-sweep", 8.0, "10.20.1.20 tried port 445 on 254 addresses", "10.20.2.1"),
    finding("inbound-scan", 4.5, "22.41.7.130 tried 417 ports of 10.20.1.10", "22.41.7.130"),
    finding("blind-spot", 2.0, "5 windows were lost", "10.20.1.10"),
)
MATCHED = {
    "rank": 1,
    "address": "26.73.190.44",
    "feed": "sample-blocklist",
    "category": "malware",
    "indicator": "26.73.190.44/32",
    "direction": "outbound",
    "local_address": "10.20.1.20",
    "protocol": 6,
    "port": 80,
    "action": "ACCEPT",
    "flows": 2,
    "packets": 5000,
    "bytes": 4_321_000,
    "first_seen": DAY + 73_860,
    "last_seen": DAY + 73_870,
}
REFUSED = MATCHED | {
    "rank": 6,
    "address": "28.55.140.23",
    "action": "REJECT",
    "direction": "inbound",
}


def fill(lake: Lake, table: str, rows: list[dict[str, object]]) -> None:
    names = schema.SMALL_TABLES[table]
    whole = [dict.fromkeys(names) | row for row in rows]
    lake.replace(table, lambda _: pa.Table.from_pylist(whole, schema=schema.small_schema(table)))


@pytest.fixture(scope="session")
def bare_lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The sample logs, and nothing else."""
    lake = Lake.open(tmp_path_factory.mktemp("report") / "bare", create=True)
    ingest(lake, [open_source(str(SAMPLE / "logs"), SourceOptions())])
    return lake


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The sample logs with findings, matches and a feed."""
    lake = Lake.open(tmp_path_factory.mktemp("report") / "full", create=True)
    ingest(lake, [open_source(str(SAMPLE / "logs"), SourceOptions())])
    fill(lake, "findings", [findings.to_row(f) for f in FINDINGS])
    fill(lake, "matches", [MATCHED, REFUSED])
    fill(lake, "indicators", [{"feed": "sample-blocklist", "indicator": "26.73.190.44/32"}])
    return lake


@pytest.fixture(scope="session")
def empty_lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return Lake.open(tmp_path_factory.mktemp("report") / "empty", create=True)


@pytest.fixture(scope="session")
def report(lake: Lake) -> Report:
    return build(lake, now=NOON)
