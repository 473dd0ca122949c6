from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from aws_server import Aws

from flowscan.errors import SourceError, UsageError
from flowscan.sources import SourceObject, Window, open_source

pytestmark = pytest.mark.s3
Put = Callable[..., str]
NUMBERS = count(1)


@pytest.fixture
def queue(moto: Aws) -> tuple[Any, str]:
    client = moto.client("sqs")
    return client, client.create_queue(QueueName=f"q{next(NUMBERS)}")["QueueUrl"]


def record(bucket: str, key: str, etag: str, size: int = 1) -> dict[str, Any]:
    item = {"key": key, "size": size, "eTag": etag}
    return {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": bucket}, "object": item}}


def send(queue: tuple[Any, str], *records: dict[str, Any]) -> None:
    queue[0].send_message(QueueUrl=queue[1], MessageBody=json.dumps({"Records": list(records)}))


def left(queue: tuple[Any, str]) -> tuple[int, int]:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = queue[0].get_queue_attributes(QueueUrl=queue[1], AttributeNames=names)["Attributes"]
    return int(found[names[0]]), int(found[names[1]])


def show(queue: tuple[Any, str], source: Any) -> None:
    """What the visibility timeout does: taken messages come back."""
    for messages in source._messages.values():
        for message in messages:
            queue[0].change_message_visibility(
                QueueUrl=queue[1], ReceiptHandle=message.handle, VisibilityTimeout=0
            )


@pytest.fixture
def objects(put: Put, aws: Any) -> list[dict[str, Any]]:
    bucket = put("a.log", body=b"one")
    put("b.log", body=b"two")
    listing = aws.client().list_objects_v2(Bucket=bucket)["Contents"]
    return [record(bucket, o["Key"], o["ETag"].strip('"'), o["Size"]) for o in listing]


def test_deleted_after_the_commit_only(
    queue: tuple[Any, str], objects: list[dict[str, Any]]
) -> None:
    send(queue, *objects)
    source = open_source(f"sqs://{queue[1]}")
    one, two = source.list(Window())
    assert b"".join(source.read(one).chunks) == b"one"
    assert b"".join(source.read(two).chunks) == b"two"
    source.done([one])
    assert left(queue) == (0, 1)
    source.done([two])
    assert left(queue) == (0, 0)


def test_same_identity_as_a_listing(queue: tuple[Any, str], objects: list[dict[str, Any]]) -> None:
    send(queue, *objects)
    bucket = objects[0]["s3"]["bucket"]["name"]
    listed = list(open_source(f"s3://{bucket}").list(Window()))
    assert list(open_source(f"sqs://{queue[1]}").list(Window())) == listed


def test_redelivery(queue: tuple[Any, str], objects: list[dict[str, Any]]) -> None:
    """A message that comes twice, in one listing or in the next one, ends deleted."""
    send(queue, objects[0])
    send(queue, objects[0])
    source = open_source(f"sqs://{queue[1]}")
    found = list(source.list(Window()))
    assert found[0] == found[1]
    show(queue, source)
    again = open_source(f"sqs://{queue[1]}")
    found = list(again.list(Window()))
    again.done(found[:1])
    assert left(queue) == (0, 0)


def test_poison_is_reported_and_left(
    queue: tuple[Any, str], objects: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    queue[0].send_message(QueueUrl=queue[1], MessageBody="no json")
    queue[0].send_message(QueueUrl=queue[1], MessageBody='{"Event":"s3:TestEvent"}')
    send(queue, objects[0])
    source = open_source(f"sqs://{queue[1]}")
    found = list(source.list(Window()))
    source.done(found)
    assert left(queue) == (0, 1)
    assert len(source.poison) == 1
    assert "no JSON" in caplog.text


def test_other_services_are_deleted_and_other_windows_left(
    queue: tuple[Any, str], aws: Any
) -> None:
    trail = "AWSLogs/123456789012/CloudTrail/us-east-1/2026/08/01/x.gz"
    send(queue, record("b", trail, "e"))
    flow = "AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/08/01/x.gz"
    send(queue, record("b", flow, "e"))
    source = open_source(f"sqs://{queue[1]}")
    assert list(source.list(Window(accounts=frozenset({"210987654321"})))) == []
    assert left(queue) == (0, 1)


def test_event_without_etag_is_asked_for(
    queue: tuple[Any, str], objects: list[dict[str, Any]]
) -> None:
    etag = objects[0]["s3"]["object"].pop("eTag")
    send(queue, objects[0])
    (found,) = open_source(f"sqs://{queue[1]}").list(Window())
    assert found.etag == etag


def test_object_gone_is_a_source_error(
    queue: tuple[Any, str], objects: list[dict[str, Any]]
) -> None:
    objects[0]["s3"]["object"]["key"] = "gone.log"
    send(queue, objects[0])
    source = open_source(f"sqs://{queue[1]}")
    (found,) = source.list(Window())
    with pytest.raises(SourceError, match="removed"):
        list(source.read(found).chunks)
    assert left(queue) == (0, 1)


def test_bad_queues(aws: Any, moto: Aws) -> None:
    for uri in ("sqs://", "sqs://x", "sqs://https://sqs.us-east-1.amazonaws.com/"):
        with pytest.raises(UsageError):
            open_source(uri)
    source = open_source(f"sqs://{moto.endpoint}/123456789012/absent")
    with pytest.raises(SourceError, match="NonExistentQueue"):
        list(source.list(Window()))
    source.done([SourceObject("s3://b/x", 1, "e")])
