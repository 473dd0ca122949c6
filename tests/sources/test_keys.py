from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowscan.sources.keys import KeyInfo, day_prefixes, parse_key, segment_kind, wanted
from flowscan.sources.model import Window

ACCOUNT, REGION = "123456789012", "us-east-1"
NAME = f"{ACCOUNT}_vpcflowlogs_{REGION}_fl-1234abcd_20180620T1620Z_fe123456.log.gz"
SLOT = int(datetime(2018, 6, 20, 16, 20, tzinfo=UTC).timestamp())
PLAIN = f"AWSLogs/{ACCOUNT}/vpcflowlogs/{REGION}/2018/06/20/"
HIVE = (
    f"AWSLogs/aws-account-id={ACCOUNT}/aws-service=vpcflowlogs/aws-region={REGION}"
    "/year=2018/month=06/day=20/"
)
AWS = KeyInfo(ACCOUNT, REGION, "vpcflowlogs", date(2018, 6, 20), SLOT)


@pytest.mark.parametrize(
    "folder",
    [
        PLAIN,
        f"{PLAIN}16/",
        HIVE,
        f"{HIVE}hour=16/",
        f"team/network/{PLAIN}",
        f"AWSLogs/o-abcdefghij/{PLAIN.removeprefix('AWSLogs/')}",
    ],
)
def test_every_layout_of_aws(folder: str) -> None:
    assert parse_key(folder + NAME) == AWS
    assert parse_key(folder + NAME.replace(".log.gz", ".log.parquet")) == AWS
    other = parse_key(folder + "other.log.gz")
    assert other == KeyInfo(ACCOUNT, REGION, "vpcflowlogs", date(2018, 6, 20), None)


def test_firehose_export_and_unknown() -> None:
    name = "stream-1-2018-06-20-16-20-00-01234567-89ab-cdef-0123-456789abcdef.gz"
    assert parse_key(f"fh/2018/06/20/16/{name}") == KeyInfo(day=date(2018, 6, 20), time=SLOT)
    export = "exported/01234567-89ab-cdef-0123-456789abcdef/eni-0a-all/000000.gz"
    assert parse_key(export) == KeyInfo()
    assert wanted(export, KeyInfo(), Window(since=0, until=1, accounts=frozenset({ACCOUNT})))
    assert not wanted("exported/aws-logs-write-test", KeyInfo(), Window())


def test_other_services_are_no_flow_logs() -> None:
    for key in (
        f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/2018/06/20/x.json.gz",
        f"AWSLogs/{ACCOUNT}/elasticloadbalancing/{REGION}/2018/06/20/x.log.gz",
        f"AWSLogs/aws-account-id={ACCOUNT}/aws-service=vpcdnsquerylogs/aws-region={REGION}/x",
    ):
        assert not wanted(key, parse_key(key), Window())
    mine = f"logs/{ACCOUNT}/mine/2018/06/20/x.gz"
    assert wanted(mine, parse_key(mine), Window())


def test_account_and_region_prune() -> None:
    assert wanted(PLAIN + NAME, AWS, Window(accounts=frozenset({ACCOUNT})))
    assert not wanted(PLAIN + NAME, AWS, Window(accounts=frozenset({"210987654321"})))
    assert not wanted(PLAIN + NAME, AWS, Window(regions=frozenset({"eu-west-1"})))


@given(st.text(alphabet="/=_-.0123456789abTZo%\\\x00é", max_size=120))
def test_any_key_is_read(key: str) -> None:
    info = parse_key(key)
    assert info.account is None or len(info.account) == 12
    for part in key.split("/"):
        assert segment_kind(part)


seconds = st.integers(0, 2_000_000_000)


@given(seconds, st.integers(0, 86400 * 3), st.integers(0, 86400 * 3), st.integers(-300, 86400))
def test_no_record_of_the_window_is_pruned(
    since: int, length: int, offset: int, lateness: int
) -> None:
    """A record that ends in the window may be delivered up to a day late."""
    until = since + length + 1
    end = since + offset % (length + 1)
    slot = max(0, (end + lateness) // 300 * 300)
    moment = datetime.fromtimestamp(slot, UTC)
    window = Window(since=since, until=until)
    day = moment.date()
    assert wanted("a/b", KeyInfo(day=day, time=slot), window)
    assert wanted("a/b", KeyInfo(day=day), window)
    for hive, text in (
        (False, f"x/{moment:%Y/%m/%d}/"),
        (True, f"x/{moment:year=%Y/month=%m/day=%d}/"),
    ):
        assert text in list(day_prefixes("x/", hive=hive, since=since, until=until))


def test_day_prefixes_are_few() -> None:
    noon = int(datetime(2026, 8, 1, 12, tzinfo=UTC).timestamp())
    found = list(day_prefixes("p/", hive=False, since=noon, until=noon + 3600))
    assert found == ["p/2026/08/01/", "p/2026/08/02/"]
    year = timedelta(days=365).total_seconds()
    assert len(list(day_prefixes("p/", hive=True, since=noon, until=noon + int(year)))) == 367
