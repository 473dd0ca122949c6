"""Data Firehose: message lines, HTTP and transformation envelopes; and records as plain JSON.

Invariant: as in `cloudwatch`, the record is the message, untouched.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flowscan.parse.header import column_name, is_flow_format
from flowscan.parse.items import Item, Json, Message, Payload, Record, seconds
from flowscan.schema import field_for


def items(document: Json) -> Iterator[Item] | None:
    """What a JSON document holds; None when it is no flow log.

    `{"message": …}`, `{"requestId", "records": [{"data"}]}`, the event of a transformation
    (`invocationId`, `records`), or an object whose keys are names of flow-log fields.
    """
    records = document.get("records")
    if isinstance(records, list) and records and all(map(_has_data, records)):
        return _records(document, records)
    message = document.get("message", document.get("@message"))
    if isinstance(message, str):
        time = seconds(document.get("timestamp"))
        return iter((Message(message, time),))
    if is_record(document):
        return iter((Record(document, None),))
    return None


def _has_data(record: object) -> bool:
    return isinstance(record, dict) and isinstance(record.get("data"), str)


def _records(document: Json, records: list[Any]) -> Iterator[Item]:
    otherwise = seconds(document.get("timestamp"))
    for record in records:
        time = seconds(record.get("approximateArrivalTimestamp"))
        yield Payload(record["data"], time if time is not None else otherwise)


def is_record(document: Json) -> bool:
    """True for an object at least half of whose keys are fields of flow logs."""
    known = [column_name(k) for k in document if field_for(k)]
    return len(known) > 1 and 2 * len(known) >= len(document) and is_flow_format(known)
