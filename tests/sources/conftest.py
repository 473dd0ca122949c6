from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from fault_proxy import Proxy, fault_proxy
from s3_server import Server

from flowscan.sources import SourceOptions

NUMBERS = count(1)


@pytest.fixture
def aws(s3: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server, with credentials for it in the environment."""
    for name, value in s3.env.items():
        monkeypatch.setenv(name, value)
    return s3


@pytest.fixture
def bucket(aws: Server) -> str:
    return aws.bucket(f"logs-{next(NUMBERS):04}")


@pytest.fixture
def put(aws: Server, bucket: str) -> Callable[..., str]:
    """Puts objects, gives the bucket."""
    client = aws.client()

    def put(*keys: str, body: bytes = b"x") -> str:
        for key in keys:
            client.put_object(Bucket=bucket, Key=key, Body=body)
        return bucket

    return put


@pytest.fixture
def proxy(aws: Server) -> Iterator[Proxy]:
    with fault_proxy(aws.endpoint) as made:
        yield made


@pytest.fixture
def through(proxy: Proxy) -> SourceOptions:
    return SourceOptions(endpoint_url=proxy.endpoint)
