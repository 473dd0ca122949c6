from __future__ import annotations

import gzip
import time
from collections import Counter
from itertools import count
from typing import Any

import pytest
from aws_server import Aws

from flowscan.errors import SourceError, UsageError
from flowscan.schema import DEFAULT_FORMAT
from flowscan.sources import SourceOptions, Window
from flowscan.sources.cloudwatch import DAY, HOUR, CloudWatchSource

NUMBERS = count(1)
LINE = "2 123456789010 eni-1235b8ca123456789 10.0.0.1 10.0.0.2 {n} 443 6 1 40 {t} {t} ACCEPT OK"


@pytest.fixture
def logs(moto: Aws, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return moto.client("logs")


def fill(logs: Any, times: list[int], streams: int = 1) -> str:
    group = f"/aws/vpc/flow-{next(NUMBERS)}"
    logs.create_log_group(logGroupName=group)
    for s in range(streams):
        name = f"eni-{s:02}-all"
        logs.create_log_stream(logGroupName=group, logStreamName=name)
        events = [
            {"timestamp": t * 1000 + 7, "message": LINE.format(n=i + 1000 * s, t=t)}
            for i, t in enumerate(times)
        ]
        logs.put_log_events(logGroupName=group, logStreamName=name, logEvents=events)
    return group


def source(moto: Aws, uri: str, at: float) -> CloudWatchSource:
    return CloudWatchSource(uri, SourceOptions(endpoint_url=moto.endpoint), clock=lambda: at)


def lines(made: CloudWatchSource, window: Window) -> Counter[str]:
    found: Counter[str] = Counter()
    for obj in made.list(window):
        text = gzip.decompress(b"".join(made.read(obj).chunks)).decode()
        found.update(line.split(" ", 1)[1] for line in text.splitlines())
    return found


def test_every_event_in_exactly_one_slice(moto: Aws, logs: Any) -> None:
    """Prompt ones at once, stragglers a day later, and no slice ever changes."""
    now = int(time.time())
    times = sorted([now - s for s in (5, 600, 1700, 1900, 7200, 50_000, 80_000)])
    group = fill(logs, times, streams=3)
    expected = {LINE.format(n=i + 1000 * s, t=t) for i, t in enumerate(times) for s in range(3)}
    window = Window(since=now - DAY, until=now)
    recent = Window(since=now - 2 * HOUR)
    soon = source(moto, f"cloudwatch://{group}", now + HOUR)
    prompt = lines(soon, recent)
    assert set(prompt) == {line for line in expected if int(line.split()[10]) > now - 1750}
    late = source(moto, f"cloudwatch://{group}", now + DAY + 2 * HOUR)
    everything = lines(late, window)
    assert set(everything) == expected
    assert set(everything.values()) == {1}
    assert set(soon.list(recent)) <= set(late.list(Window(since=now - 2 * DAY)))


def test_open_slices_are_not_listed(moto: Aws, logs: Any) -> None:
    now = int(time.time())
    group = fill(logs, [now - 5])
    assert not lines(source(moto, f"cloudwatch://{group}", now), Window(since=now - HOUR))


def test_paging_and_stream_prefix(moto: Aws, logs: Any) -> None:
    now = int(time.time())
    group = fill(logs, [now - 60] * 120, streams=2)
    made = source(moto, f"cloudwatch://{group}?stream-prefix=eni-01", now + HOUR)
    calls = []
    real = made._client.filter_log_events

    def paged(**request: Any) -> Any:
        """The smallest pages, and the last token given twice, as the service sometimes does."""
        calls.append(request)
        answer = real(**request, limit=50)
        if "nextToken" not in answer and "nextToken" in request:
            answer["nextToken"] = request["nextToken"]
        return answer

    made._client.filter_log_events = paged
    found = lines(made, Window(since=now - HOUR))
    assert set(found.values()) == {1}
    assert len(found) == 240  # moto does not know the prefix; that it is asked for is what counts
    assert {c["logStreamNamePrefix"] for c in calls} == {"eni-01"}
    assert len(calls) > len(list(made.list(Window(since=now - HOUR))))


def test_window_region_and_identity(moto: Aws, logs: Any) -> None:
    now = int(time.time())
    group = fill(logs, [now - 5])
    made = source(moto, f"cloudwatch://{group}", now + HOUR)
    assert not list(made.list(Window(since=now - HOUR, regions=frozenset({"eu-west-1"}))))
    first = next(iter(made.list(Window(since=now - HOUR))))
    assert first.uri.startswith(f"cloudwatch://us-east-1/{group}?prompt=")
    assert first.region == "us-east-1"
    everything = list(made.list(Window()))
    assert 1 <= len(everything) <= 8  # from the creation of the group on


def test_format_is_described(moto: Aws, logs: Any) -> None:
    ec2 = moto.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group = fill(logs, [int(time.time())])
    assert source(moto, f"cloudwatch://{group}", 0).format is None
    request = {
        "ResourceIds": [vpc],
        "ResourceType": "VPC",
        "TrafficType": "ALL",
        "LogDestinationType": "cloud-watch-logs",
        "LogGroupName": group,
        "DeliverLogsPermissionArn": "arn:aws:iam::123456789012:role/x",
    }
    ec2.create_flow_logs(**request, LogFormat="${version} ${srcaddr} ${flow-direction}")
    assert source(moto, f"cloudwatch://{group}", 0).format == (
        "version",
        "srcaddr",
        "flow_direction",
    )
    other = fill(logs, [int(time.time())])
    vpc2 = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    ec2.create_flow_logs(**{**request, "LogGroupName": other, "ResourceIds": [vpc2]})
    assert source(moto, f"cloudwatch://{other}", 0).format in (DEFAULT_FORMAT, None)


def test_mistakes(moto: Aws, logs: Any) -> None:
    for uri in ("cloudwatch://", "cloudwatch://a b", "cloudwatch://g?prefix=x"):
        with pytest.raises(UsageError):
            source(moto, uri, 0)
    with pytest.raises(UsageError, match="no such log group"):
        list(source(moto, "cloudwatch://absent", 1e9).list(Window()))
    absent = source(moto, "cloudwatch://absent", 1e9)
    with pytest.raises(SourceError, match="ResourceNotFound"):
        list(absent.read(next(iter(absent.list(Window(since=10**9 - HOUR))))).chunks)
