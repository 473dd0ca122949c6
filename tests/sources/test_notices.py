from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowscan.sources.notices import BadNotice, Notice, parse_notice

S3 = {
    "Records": [
        {
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "s3": {
                "bucket": {"name": "logs"},
                "object": {"key": "a%3D1/b+c.gz", "size": 5, "eTag": "0123"},
            },
        },
        {"eventSource": "aws:s3", "eventName": "ObjectRemoved:Delete", "s3": {}},
    ]
}
EVENTBRIDGE = {
    "source": "aws.s3",
    "detail-type": "Object Created",
    "detail": {
        "bucket": {"name": "logs"},
        "object": {"key": "a=1/b c.gz", "size": 5, "etag": "0123"},
    },
}
EXPECTED = [Notice("logs", "a=1/b c.gz", 5, "0123")]


@pytest.mark.parametrize(
    "message",
    [
        S3,
        EVENTBRIDGE,
        {"Type": "Notification", "Message": json.dumps(S3)},
        {"Type": "Notification", "Message": json.dumps(EVENTBRIDGE)},
        {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": json.dumps(S3)}}]},
    ],
)
def test_shapes(message: dict[str, Any]) -> None:
    assert parse_notice(json.dumps(message)) == EXPECTED
    assert parse_notice(message) == EXPECTED


def test_nothing_to_read() -> None:
    assert parse_notice('{"Service":"Amazon S3","Event":"s3:TestEvent"}') == []
    assert parse_notice({**EVENTBRIDGE, "detail-type": "Object Deleted"}) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no",
        "[]",
        "{}",
        '{"Records":1}',
        '{"Records":[1]}',
        '{"Type":"Notification","Message":1}',
        '{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{},"object":{"key":"x"}}}]}',
        "[" * 100_000,
    ],
)
def test_poison(text: str) -> None:
    with pytest.raises(BadNotice):
        parse_notice(text)


def test_endless_envelope() -> None:
    message: dict[str, Any] = S3
    for _ in range(9):
        message = {"Type": "Notification", "Message": json.dumps(message)}
    with pytest.raises(BadNotice):
        parse_notice(message)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "Records",
                    "s3",
                    "bucket",
                    "object",
                    "key",
                    "name",
                    "eventName",
                    "Message",
                    "Type",
                    "detail",
                    "source",
                    "Sns",
                ]
            ),
            inner | st.sampled_from(["ObjectCreated:Put", "Notification", "aws.s3"]),
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(json_values)
def test_anything_is_understood_or_poison(value: Any) -> None:
    try:
        found = parse_notice(json.dumps(value))
    except BadNotice:
        return
    assert all(n.bucket and n.key for n in found)
