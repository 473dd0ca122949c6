"""Keys that obstore refuses hide nothing, neither themselves nor what lies beside them."""

from __future__ import annotations

from itertools import count

import pytest
from aws_server import Aws

from flowscan.sources import Window, open_source

NUMBERS = count(1)
GOOD = "AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/08/01/{}.log.gz"


@pytest.fixture
def client(moto: Aws, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", moto.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return moto.client("s3")


@pytest.mark.parametrize(
    "odd",
    [
        "a//b.log",
        "a/./b.log",
        "a/b%2e%2e%20c.log",
        "a/é ?#+.log",
        GOOD.format("x//y"),
        GOOD.format("x\x01y"),
    ],
)
def test_odd_key(client: object, odd: str) -> None:
    bucket = f"odd-{next(NUMBERS)}"
    client.create_bucket(Bucket=bucket)  # type: ignore[attr-defined]
    keys = [GOOD.format("0"), odd, GOOD.format("z"), "zz/last.log"]
    for key in keys:
        client.put_object(Bucket=bucket, Key=key, Body=key.encode())  # type: ignore[attr-defined]
    client.put_object(Bucket=bucket, Key="AWSLogs/", Body=b"")  # type: ignore[attr-defined]
    source = open_source(f"s3://{bucket}")
    found = {o.uri.removeprefix(f"s3://{bucket}/"): o for o in source.list(Window())}
    assert set(found) == set(keys)
    for key, obj in found.items():
        assert b"".join(source.read(obj).chunks) == key.encode()
