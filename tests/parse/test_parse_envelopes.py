"""CloudWatch, Firehose, Lambda and Kinesis envelopes, and records as JSON."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parsing import DEFAULT, LINE, NODATA, run

from flowscan.errors import RejectedObject
from flowscan.parse import parse_format
from flowscan.parse.documents import Broken, documents

CONTROL = {
    "messageType": "CONTROL_MESSAGE", "owner": "CloudwatchLogs", "logGroup": "", "logStream": "",
    "subscriptionFilters": [],
    "logEvents": [{"id": "", "timestamp": 1, "message": "CWL CONTROL MESSAGE: Checking health"}],
}  # fmt: skip


def subscription(*messages: str, time: int = 1712700060000) -> dict:
    events = [
        {"id": str(i), "timestamp": time + 1000 * i, "message": m} for i, m in enumerate(messages)
    ]
    return CONTROL | {"messageType": "DATA_MESSAGE", "owner": "123456789012", "logEvents": events}


def packed(value: object, times: int = 1) -> bytes:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    for _ in range(times):
        data = gzip.compress(data)
    return data


def b64(data: bytes | str) -> str:
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


DATA = subscription(LINE, NODATA, "broken")
WANT = (3, 1, 1, 0, 1)


@pytest.mark.parametrize(
    ("shape", "data", "want"),
    [
        ("cloudwatch-subscription", json.dumps(DATA).encode(), WANT),
        ("cloudwatch-subscription", packed(DATA), WANT),
        ("cloudwatch-subscription", packed(DATA, 2), WANT),
        ("cloudwatch-subscription", packed(DATA) + packed(CONTROL) + packed(DATA), (6, 2, 2, 0, 2)),
        ("cloudwatch-subscription", packed(packed(DATA) + packed(DATA)), (6, 2, 2, 0, 2)),
        ("cloudwatch-subscription", packed(CONTROL), (0, 0, 0, 0, 0)),
        ("cloudwatch-subscription", json.dumps(DATA, indent=2).encode() * 3, (9, 3, 3, 0, 3)),
        ("cloudwatch-base64", b64(packed(DATA)).encode(), WANT),
        ("cloudwatch-base64", f"{b64(packed(DATA))}\n{b64(packed(DATA))}\n".encode(), (6, 2, 2, 0, 2)),
        ("cloudwatch-base64", base64.encodebytes(packed(DATA)), WANT),
        ("lambda-event", json.dumps({"awslogs": {"data": b64(packed(DATA))}}).encode(), WANT),
        (
            "kinesis-event",
            json.dumps({"Records": [{"kinesis": {"data": b64(packed(DATA))}}] * 2}).encode(),
            (6, 2, 2, 0, 2),
        ),
        ("cloudwatch-events", json.dumps({"events": DATA["logEvents"]}).encode(), WANT),
        ("cloudwatch-events", b'{"events": [], "searchedLogStreams": []}', (0, 0, 0, 0, 0)),
        (
            "firehose-event",
            json.dumps({"requestId": "r", "timestamp": 1, "records": [
                {"data": b64(json.dumps({"message": LINE}))}, {"data": b64(f"{LINE}\n{NODATA}\n")},
                {"data": b64(packed(DATA))}, {"data": "%%%"},
            ]}).encode(),
            (7, 3, 2, 0, 2),
        ),
        ("firehose", b"".join(json.dumps({"message": m}).encode() + b"\n" for m in (LINE, NODATA)),
         (2, 1, 1, 0, 0)),
        ("firehose", json.dumps({"message": LINE}).encode() * 3, (3, 3, 0, 0, 0)),
        ("firehose", json.dumps([{"message": LINE + "\n"}] * 3).encode(), (3, 3, 0, 0, 0)),
        ("firehose", json.dumps({"message": LINE}).encode() + b'\n{"message": "2 12\n' +
         json.dumps({"message": LINE}).encode(), (3, 2, 0, 0, 1)),
    ],
)  # fmt: skip
def test_envelopes(shape: str, data: bytes, want: tuple) -> None:
    got = run(data)
    assert (got.shape, got.numbers) == (shape, want)
    assert run([data[i : i + 7] for i in range(0, len(data), 7)]).numbers == want


def test_event_times_serve_formats_without_any() -> None:
    mine = parse_format("${interface-id} ${srcaddr} ${dstaddr}")
    data = json.dumps(subscription("eni-1 1.1.1.1 2.2.2.2", "eni-2 - -")).encode()
    got = run(data, format=mine, default_time=5)
    assert got.flows[0]["start"] == got.flows[0]["end"] == 1712700060
    assert got.coverage[0]["start"] == 1712700061
    records = {"records": [{"data": b64("eni-1 1.1.1.1 2.2.2.2"),
                            "approximateArrivalTimestamp": 1510772160000}]}  # fmt: skip
    assert run(json.dumps(records).encode(), format=mine).flows[0]["start"] == 1510772160
    line = {"message": "eni-1 1.1.1.1 2.2.2.2"}
    assert run(json.dumps(line).encode(), format=mine, default_time=5).flows[0]["start"] == 5


def test_line_numbers_count_events() -> None:
    data = b"".join(json.dumps({"message": m}).encode() for m in (LINE, "x", LINE, "y z"))
    data = data.replace(b'{"message": "x"}', b'{"what": 1}{"message": "x"}')
    assert run(data).reasons == [
        (2, "JSON of another kind"), (3, "too few fields"), (5, "too few fields"),
    ]  # fmt: skip


def test_extracted_fields() -> None:
    event = {"id": "1", "timestamp": 1712700060000, "message": "eni-1 1.1.1.1 2.2.2.2",
             "extractedFields": {"srcaddr": "1.1.1.1", "interface_id": "eni-1",
                                 "dstaddr": "2.2.2.2"}}  # fmt: skip
    flow = run(json.dumps(DATA | {"logEvents": [event]}).encode()).flows[0]
    assert (flow["srcaddr"], flow["dstaddr"], flow["start"]) == ("1.1.1.1", "2.2.2.2", 1712700060)
    # names of the user's own say nothing: the message counts
    event = event | {"message": LINE, "extractedFields": {"eni": "x", "source": "y"}}
    assert run(json.dumps(DATA | {"logEvents": [event]}).encode()).flows[0]["bytes"] == 4249


def test_records_as_json() -> None:
    one = dict(zip(DEFAULT.split(), LINE.split(), strict=True))
    two = {k.replace("-", "_"): int(v) if v.isdigit() else v for k, v in one.items()}
    hostile = [two | {"srcaddr": v} for v in ("1,2", "a\nb", " x", True, 1.5, {"a": 1}, '"', "#")]
    got = run("\n".join(map(json.dumps, [one, two, *hostile, two])).encode())
    assert got.numbers == (11, 3, 0, 0, 8)
    assert got.flows[0] == got.flows[1] == got.flows[2]
    assert {r.reason for r in got.rejects} == {"bad srcaddr"}


ISO = "2025-02-25T12:25:04.000Z"


def test_cloudwatch_export() -> None:
    data = f"{ISO} {LINE}\r\n{ISO} {NODATA}\n\n{ISO} broken\n{LINE}".encode()
    got = run(packed(data))
    assert (got.shape, got.numbers) == ("cloudwatch-export", (4, 2, 1, 0, 1))
    assert got.reasons == [(4, "too few fields")]
    got = run(f"{ISO} 1.1.1.1 2.2.2.2\n1.1.1.1 2.2.2.3".encode(), format=("srcaddr", "dstaddr"))
    assert got.flows[0]["start"] == 1740486304
    assert got.reasons == [(2, "no time")]


@pytest.mark.parametrize("quote", ["", '"'])
def test_console_csv(quote: str) -> None:
    header = f"{quote}timestamp{quote},{quote}message{quote}\n"
    rows = [f"1742570569000,{quote}{m}{quote}\n" for m in (LINE, NODATA, "x")]
    got = run((header + "".join(rows) + header + rows[0]).encode())
    assert (got.shape, got.numbers) == ("cloudwatch-csv", (4, 2, 1, 0, 1))
    insights = f"@timestamp,@message\n2025-02-25 12:25:04.000,{LINE}\n"
    assert run(insights.encode()).numbers == (1, 1, 0, 0, 0)
    row = b"timestamp,message\n1742570569000,1.1.1.1 2.2.2.2\n"
    assert run(row, format=("srcaddr", "dstaddr")).flows[0]["start"] == 1742570569


@settings(max_examples=30, deadline=None)
@given(
    kinds=st.lists(st.sampled_from([LINE, NODATA, "x", "y" * 300]), min_size=1, max_size=9),
    sizes=st.lists(st.integers(1, 400), min_size=1, max_size=9),
    csv=st.booleans(),
)
def test_cuts_of_prefixed_lines(kinds: list[str], sizes: list[int], csv: bool) -> None:
    start = "timestamp,message\n" if csv else ""
    prefix = "1742570569000," if csv else ISO + " "
    data = (start + "\n".join(prefix + m for m in [LINE, *kinds])).encode()
    chunks, at = [], 0
    while at < len(data):
        size = sizes[len(chunks) % len(sizes)]
        chunks.append(data[at : at + size])
        at += size
    whole, got = (run(d, max_line=200) for d in (data, chunks))
    assert (got.numbers, got.reasons, got.flows) == (whole.numbers, whole.reasons, whole.flows)


@settings(max_examples=100, deadline=None)
@given(
    values=st.lists(st.recursive(
        st.none() | st.booleans() | st.text(max_size=6), lambda s: st.dictionaries(st.text(max_size=3), s | st.lists(s, max_size=3), max_size=3), max_leaves=5,
    ).filter(lambda v: isinstance(v, dict)), max_size=6),
    between=st.sampled_from(["", "\n", " ,\n", "\r\n"]),
    size=st.integers(1, 40),
)  # fmt: skip
def test_documents_come_out_as_they_went_in(values: list, between: str, size: int) -> None:
    data = between.join(json.dumps(v, ensure_ascii=False) for v in values)
    for text in (data, "[" + ",".join(map(json.dumps, values)) + "]"):
        raw = text.encode()
        chunks = [raw[i : i + size] for i in range(0, len(raw), size)]
        assert list(documents(chunks, 1 << 20)) == values


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=200) | st.text(alphabet='{}[]",:a1 \n\\u', max_size=60))
def test_no_bytes_break_the_documents(data: bytes | str) -> None:
    raw = data if isinstance(data, bytes) else data.encode()
    try:
        out = list(documents([raw], 1000))
    except RejectedObject:
        return
    assert all(v is None or isinstance(v, Broken | str | int | float | dict | list) for v in out)


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"message": ' + b"9" * 5000 + b"}",
        b'[{"message": "' + LINE.encode() + b'"}',
        b'{"messageType": "DATA_MESSAGE", "logEvents": [1, 2]}',
        b'{"messageType": "DATA_MESSAGE", "logEvents": {"message": 1}}',
        b'{"awslogs": {"data": "H4sI"}}',
        b'{"awslogs": {"data": "####"}}',
        b'{"records": [{"data": ""}]}',
        b'{"Records": [{"kinesis": 7}]}',
        b'{"message": "hello"}',
        b"{",
        b"[]",
        b"H4sIAAAA",
    ],
)
def test_hostile_documents_are_refused(data: bytes) -> None:
    with contextlib.suppress(RejectedObject):
        assert run(data).counts.flows == 0


def test_layers_within_layers_end() -> None:
    data: bytes = LINE.encode()
    for _ in range(12):
        data = json.dumps({"records": [{"data": b64(data)}]}).encode()
    got = run(data)
    assert got.reasons == [(1, "JSON nested too deeply")]
