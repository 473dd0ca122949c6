from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from fault_proxy import Fault, Proxy, Request
from s3_server import Server

from flowscan.errors import SourceError, UsageError
from flowscan.sources import Source, SourceOptions, Window, open_source
from flowscan.sources import s3 as s3_module

pytestmark = pytest.mark.s3
Put = Callable[..., str]

ACCOUNTS = ("111111111111", "222222222222")
REGIONS = ("us-east-1", "eu-west-1")


def plain(account: str, region: str, day: str) -> str:
    name = f"{account}_vpcflowlogs_{region}_fl-1234abcd_{day.replace('/', '')}T1200Z_0a.log.gz"
    return f"AWSLogs/{account}/vpcflowlogs/{region}/{day}/{name}"


def hive(account: str, region: str, day: str) -> str:
    year, month, of = day.split("/")
    name = plain(account, region, day).rsplit("/", 1)[1]
    return (
        f"hive/AWSLogs/aws-account-id={account}/aws-service=vpcflowlogs/aws-region={region}"
        f"/year={year}/month={month}/day={of}/hour=12/{name}"
    )


def keys(source: Source, window: Window | None = None) -> list[str]:
    return [o.uri.split("/", 3)[3] for o in source.list(window or Window())]


def at(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())


def read(source: Source, number: int = 0) -> bytes:
    return b"".join(source.read(list(source.list(Window()))[number]).chunks)


def listed(proxy: Proxy) -> list[str]:
    found = []
    for request in proxy.requests:
        query = parse_qs(urlsplit(request.path).query)
        if "list-type" in query:
            found.append(unquote(query.get("prefix", [""])[0]))
    return found


def test_every_layout_and_pruning_before_listing(
    put: Put, proxy: Proxy, through: SourceOptions
) -> None:
    days = ("2026/07/29", "2026/07/30", "2026/07/31", "2026/08/01", "2026/08/02", "2026/08/04")
    made = [f(a, r, d) for f in (plain, hive) for a in ACCOUNTS for r in REGIONS for d in days]
    bucket = put(*made, f"AWSLogs/{ACCOUNTS[0]}/CloudTrail/us-east-1/2026/08/01/trail.json.gz")
    source = open_source(f"s3://{bucket}", through)
    assert sorted(keys(source)) == sorted(made)
    assert not [p for p in listed(proxy) if "CloudTrail/" in p]

    proxy.requests.clear()
    window = Window(
        at("2026-07-31"), at("2026-08-01"), frozenset(ACCOUNTS[:1]), frozenset(REGIONS[:1])
    )
    found = keys(source, window)
    expected = [f(ACCOUNTS[0], REGIONS[0], d) for f in (plain, hive) for d in days[2:4]]
    assert sorted(found) == sorted(expected)
    for prefix in listed(proxy):
        assert ACCOUNTS[1] not in prefix
        assert REGIONS[1] not in prefix
        assert not any(d in prefix for d in ("/07/29", "/08/02", "day=29", "day=02", "/08/04"))
    assert len(listed(proxy)) <= 18


def test_prefix_object_and_absence(put: Put) -> None:
    key = plain(ACCOUNTS[0], REGIONS[0], "2026/08/01")
    bucket = put(key, "other/x.log")
    assert keys(open_source(f"s3://{bucket}/AWSLogs/{ACCOUNTS[0]}/")) == [key]
    assert keys(open_source(f"s3://{bucket}/{key}")) == [key]
    assert keys(open_source(f"s3://{bucket}/{key.rsplit('/', 1)[0]}")) == [key]
    assert keys(open_source(f"s3://{bucket}/nothing/here")) == []
    with pytest.raises(SourceError, match="NoSuchBucket"):
        keys(open_source("s3://no-such-bucket-at-all"))
    with pytest.raises(UsageError):
        open_source("s3://")


def test_a_lake_in_the_bucket_is_no_source(put: Put) -> None:
    bucket = put("in/a.log", "lake/_flowscan/commits/1.json", "lake/flows/x.parquet")
    assert keys(open_source(f"s3://{bucket}")) == ["in/a.log"]
    options = SourceOptions(exclude=(f"s3://{bucket}/in",))
    assert keys(open_source(f"s3://{bucket}", options)) == []


def test_export_tasks_and_firehose(put: Put) -> None:
    export = [f"exp/0123-abcd/eni-{i:02}-all/000000.gz" for i in range(20)]
    firehose = "fh/2026/08/01/12/s-1-2026-08-01-12-00-00-01234567-89ab-cdef-0123-456789abcdef.gz"
    bucket = put(*export, firehose, "exp/aws-logs-write-test")
    assert sorted(keys(open_source(f"s3://{bucket}"))) == [*export, firehose]
    late = Window(since=at("2026-08-04"))
    assert keys(open_source(f"s3://{bucket}"), late) == export


def test_pages_come_in_order(put: Put, proxy: Proxy, through: SourceOptions) -> None:
    made = [
        f"AWSLogs/{ACCOUNTS[0]}/vpcflowlogs/us-east-1/2026/08/{d:02}/{i:04}.gz"
        for d in (1, 2)
        for i in range(550)
    ]
    bucket = put(*made)
    source = open_source(f"s3://{bucket}", through)
    assert keys(source) == made
    window = Window(since=at("2026-08-01"), until=at("2026-08-02"))
    assert keys(source, window) == made
    some = source.list(window)
    next(some)
    some.close()  # type: ignore[attr-defined]


def test_read_is_the_listed_version(aws: Server, put: Put) -> None:
    bucket = put("a.log", body=b"one")
    source = open_source(f"s3://{bucket}/a.log")
    (obj,) = source.list(Window())
    assert b"".join(source.read(obj).chunks) == b"one"
    aws.client().put_object(Bucket=bucket, Key="a.log", Body=b"two")
    with pytest.raises(SourceError, match="replaced since"):
        list(source.read(obj).chunks)
    aws.client().delete_object(Bucket=bucket, Key="a.log")
    with pytest.raises(SourceError, match="removed since"):
        list(source.read(obj).chunks)


def test_replaced_between_list_and_get(
    aws: Server, put: Put, proxy: Proxy, through: SourceOptions
) -> None:
    bucket = put("a.log", body=b"one")

    def swap(request: Request) -> Fault | None:
        if request.method == "GET" and request.path.endswith("/a.log"):
            swap_in = lambda: aws.client().put_object(Bucket=bucket, Key="a.log", Body=b"two")  # noqa: E731
            return Fault(before=swap_in)
        return None

    proxy.fault = swap
    source = open_source(f"s3://{bucket}", through)
    with pytest.raises(SourceError, match="replaced since"):
        read(source)
    proxy.fault = lambda _: None
    assert read(source) == b"two"


def test_big_objects_stream(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_module, "WHOLE", 1 << 20)
    monkeypatch.setattr(s3_module, "CHUNK", 1 << 20)
    body = os.urandom(5 << 20)
    source = open_source(f"s3://{put('big.log', body=body)}")
    (obj,) = source.list(Window())
    chunks = list(source.read(obj).chunks)
    assert b"".join(chunks) == body
    assert len(chunks) > 1


@pytest.mark.parametrize(
    "fault", [Fault(500), Fault(503, "SlowDown"), Fault(lost=True), Fault(cut=3)]
)
def test_passing_faults_are_survived(
    put: Put, proxy: Proxy, through: SourceOptions, fault: Fault
) -> None:
    seen: dict[str, int] = {}

    def twice(request: Request) -> Fault | None:
        seen[request.path] = seen.get(request.path, 0) + 1
        return fault if seen[request.path] <= 2 else None

    bucket = put("a.log", body=b"hello world")
    proxy.fault = twice
    assert read(open_source(f"s3://{bucket}", through)) == b"hello world"


def test_lasting_fault_is_a_source_error(
    put: Put, proxy: Proxy, through: SourceOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = put("a.log")
    source = open_source(f"s3://{bucket}", through)
    proxy.fault = lambda _: Fault(403, "AccessDenied")
    with pytest.raises(SourceError, match="AccessDenied") as raised:
        keys(source)
    assert raised.value.__cause__ is None


def expired_until_renewed(proxy: Proxy, stale: str) -> Callable[[Request], Fault | None]:
    def fault(request: Request) -> Fault | None:
        used = request.headers.get("authorization", request.headers.get("Authorization", ""))
        return Fault(400, "ExpiredToken") if stale in used else None

    return fault


def test_credentials_that_expire_are_renewed(
    s3: Server,
    put: Put,
    proxy: Proxy,
    through: SourceOptions,
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The profile's file holds new keys by the time the old ones are refused."""
    env = s3.env
    bucket = put("a.log", "b.log", body=b"hello")
    profile = tmp_path / "credentials"

    def write(access: str) -> None:
        profile.write_text(
            f"[default]\naws_access_key_id={access}\naws_secret_access_key={env['AWS_SECRET_ACCESS_KEY']}\n"
        )

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(profile))
    write("stale-access-key-id")
    proxy.fault = expired_until_renewed(proxy, "stale-access-key-id")
    source = open_source(f"s3://{bucket}", through)
    with pytest.raises(SourceError, match="ExpiredToken"):
        keys(source)
    write(env["AWS_ACCESS_KEY_ID"])
    assert keys(source) == ["a.log", "b.log"]

    (obj, _) = source.list(Window())
    proxy.fault = lambda r: (
        Fault(400, "ExpiredToken")
        if r.number == len(proxy.requests) and not proxy.requests[:-1]
        else None
    )
    proxy.requests.clear()
    assert b"".join(source.read(obj).chunks) == b"hello"
    assert len(proxy.requests) == 2


def test_no_credentials_is_told(monkeypatch: pytest.MonkeyPatch, s3: Server) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3.endpoint)
    with pytest.raises(SourceError, match="no AWS credentials"):
        open_source("s3://bucket")
    with pytest.raises(SourceError, match="profile"):
        open_source("s3://bucket", SourceOptions(profile="absent"))
