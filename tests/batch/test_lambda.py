from __future__ import annotations

import importlib.util
import json
import time
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from aws_server import Aws
from estate import Bucket, Estate, lake_rows
from s3_server import Server

from flowscan.batch.aws_lambda import handler
from flowscan.errors import SourceError
from flowscan.lake import Lake

pytestmark = pytest.mark.s3
NUMBERS = count(1)
NOW = int(time.time()) // 300 * 300


class Context:
    def __init__(self, seconds: float = 900) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


@pytest.fixture
def logs(s3: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bucket:
    monkeypatch.chdir(tmp_path)
    for name, value in s3.env.items():
        monkeypatch.setenv(name, value)
    number = next(NUMBERS)
    monkeypatch.setenv("FLOWSCAN_LAKE", f"s3://{s3.bucket(f'lambda-lake-{number}')}/lake")
    return Bucket(s3.client(), s3.bucket(f"lambda-logs-{number}"))


@pytest.fixture
def estate(logs: Bucket) -> Estate:
    return Estate(logs)


def rows() -> list[tuple[str, int, int]]:
    from flowscan.config import default_lake

    return lake_rows(Lake.open(default_lake()))


def created(logs: Bucket, key: str) -> dict[str, Any]:
    """The event that EventBridge makes of a new object."""
    head = logs.client.head_object(Bucket=logs.name, Key=key)
    item = {"key": key, "size": head["ContentLength"], "etag": head["ETag"].strip('"')}
    return {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": logs.name}, "object": item},
    }


def message(number: int, body: Any) -> dict[str, Any]:
    text = body if isinstance(body, str) else json.dumps(body)
    return {"messageId": f"m{number}", "eventSource": "aws:sqs", "body": text}


def failed(answer: dict[str, Any]) -> list[str]:
    return [item["itemIdentifier"] for item in answer["batchItemFailures"]]


def test_queue_batch_with_partial_failure(logs: Bucket, estate: Estate) -> None:
    """Good ones are done; poison, replaced and vanished ones come again, and only those."""
    names = [estate.add(NOW - 300 * i) for i in range(4)]
    events = [created(logs, name) for name in names]
    gone, replaced = estate.made.pop(names[2]), names[3]
    logs.client.delete_object(Bucket=logs.name, Key=names[2])
    logs.put(replaced, b"2 other bytes\n")
    estate.made.pop(replaced)
    other = created(logs, names[0])
    other["detail"]["object"]["key"] = "AWSLogs/123456789012/CloudTrail/us-east-1/2026/x.gz"
    batch = [*events, "no json", {"Event": "s3:TestEvent"}, other, events[0]]
    answer = handler({"Records": [message(i, b) for i, b in enumerate(batch)]}, Context())
    assert failed(answer) == ["m2", "m3", "m4"]
    assert gone
    assert rows() == estate.rows()
    again = handler({"Records": [message(0, events[0]), message(1, events[1])]}, Context())
    assert failed(again) == []
    assert rows() == estate.rows()


def test_an_object_that_is_no_flow_log_is_refused_and_done(logs: Bucket) -> None:
    logs.put("AWSLogs/x.log", b"no flow log at all\n")
    answer = handler({"Records": [message(0, created(logs, "AWSLogs/x.log"))]}, Context())
    assert failed(answer) == []


@pytest.mark.parametrize("wrap", ["eventbridge", "sns", "s3"])
def test_events_without_a_queue(logs: Bucket, estate: Estate, wrap: str) -> None:
    event = created(logs, estate.add(NOW))
    if wrap != "eventbridge":
        detail = event["detail"]["object"]
        item = {**detail, "eTag": detail["etag"]}
        record = {"eventName": "ObjectCreated:Put", "s3": {**event["detail"], "object": item}}
        event = {"Records": [record]}
    if wrap == "sns":
        event = {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": json.dumps(event)}}]}
    assert handler(event, Context()) == {"objects": 1}
    assert rows() == estate.rows()


def test_event_about_an_unreadable_object_raises(logs: Bucket, estate: Estate) -> None:
    event = created(logs, estate.add(NOW))
    event["detail"]["object"]["etag"] = "0" * 32
    with pytest.raises(SourceError, match="could not be read"):
        handler(event, Context())


def test_schedule_does_a_cycle_beside_the_queue(
    logs: Bucket, estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the queue brought is known to the cycle, and the other way round."""
    monkeypatch.setenv("FLOWSCAN_INGEST_SOURCES", f"s3://{logs.name}/AWSLogs/")
    monkeypatch.setenv("FLOWSCAN_INGEST_FIRST", "2d")
    monkeypatch.setenv("FLOWSCAN_RUN_STAGES", "ingest,match,notify,upkeep")
    first = estate.add(NOW - 600)
    handler({"Records": [message(0, created(logs, first))]}, Context())
    second = estate.add(NOW - 300)
    assert (
        handler({"source": "aws.events", "detail-type": "Scheduled Event"}, Context())["status"]
        == "ok"
    )
    assert rows() == estate.rows()
    answer = handler({"Records": [message(0, created(logs, second))]}, Context())
    assert failed(answer) == []
    assert rows() == estate.rows()


def test_time_limit_leaves_the_rest_to_the_next(logs: Bucket, estate: Estate) -> None:
    """Nothing new is begun shortly before the limit; the messages come again."""
    events = [created(logs, estate.add(NOW - 300 * i)) for i in range(3)]
    from flowscan.batch import aws_lambda

    stop = aws_lambda.threading.Event()
    stop.set()
    settings = aws_lambda.load()
    records = [message(i, e) for i, e in enumerate(events)]
    assert failed(aws_lambda._queue(settings, records, stop)) == ["m0", "m1", "m2"]
    assert failed(handler({"Records": records}, Context())) == []
    assert rows() == estate.rows()


def test_from_a_real_queue(logs: Bucket, estate: Estate, moto: Aws) -> None:
    """Receive → handler → delete what did not fail, as Lambda's poller does."""
    sqs = moto.client("sqs")
    url = sqs.create_queue(QueueName=f"lambda-{next(NUMBERS)}")["QueueUrl"]
    for i in range(3):
        body = json.dumps(created(logs, estate.add(NOW - 300 * i)))
        sqs.send_message(QueueUrl=url, MessageBody=body)
        sqs.send_message(QueueUrl=url, MessageBody=body)  # delivered twice
    sqs.send_message(QueueUrl=url, MessageBody="poison")
    got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)["Messages"]
    records = [
        {"messageId": m["MessageId"], "eventSource": "aws:sqs", "body": m["Body"]} for m in got
    ]
    left = failed(handler({"Records": records}, Context()))
    for m in got:
        if m["MessageId"] not in left:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])
    rest = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    assert [m["Body"] for m in rest] == ["poison"]
    assert rows() == estate.rows()


def test_entry_point() -> None:
    path = Path(__file__).parents[2] / "deploy/lambda/app.py"
    spec = importlib.util.spec_from_file_location("flowscan_lambda_app", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.handler is handler
