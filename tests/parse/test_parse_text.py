"""Text objects: headers, formats, line ends, cuts, and what is refused."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parsing import DEFAULT, LINE, LINES, NODATA, SKIPDATA, run

from flowscan.errors import RejectedObject, UsageError
from flowscan.parse import native_text, parse_format
from flowscan.schema import BY_NAME, DEFAULT_FORMAT, TGW_FORMAT

KERNELS = ["arrow", "native"] if native_text.available() else ["arrow"]
V5 = sorted(f.aws for f in BY_NAME.values() if f.version <= 5)


def text(*lines: str, end: str = "\n") -> bytes:
    return end.join([*lines, ""]).encode()


def value_of(field: str) -> str:
    return dict(zip(DEFAULT.split(), LINE.split(), strict=True)).get(field, "-")


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("header", [True, False])
def test_default_format(kernel: str, end: str, header: bool) -> None:
    lines = [*([DEFAULT] if header else []), "", "# note", *LINES, NODATA, SKIPDATA, "broken"]
    got = run(text(*lines, end=end), kernel=kernel)
    assert got.numbers == (103, 100, 1, 1, 1)
    assert got.reasons == [(header + 105, "too few fields")]
    assert got.flows[7]["srcport"] == 20007
    assert got.coverage[1] == {
        "account_id": "123456789010", "interface_id": "eni-1235b8ca123456789", "vpc_id": None,
        "subnet_id": None, "region": None, "start": 1431280876, "end": 1431280934,
        "log_status": "SKIPDATA",
    }  # fmt: skip


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("mark", [" ", ",", "  ", "\t", ", "])
def test_alphabetical_v5(kernel: str, mark: str) -> None:
    """The console's "select all" writes the fields in alphabetical order."""
    got = run(text(mark.join(V5), mark.join(map(value_of, V5))), kernel=kernel)
    assert got.numbers == (1, 1, 0, 0, 0)
    assert got.flows[0]["srcaddr"] == "172.31.16.139"
    assert got.flows[0]["az_id"] is None


@pytest.mark.parametrize("kernel", KERNELS)
def test_quoted_csv(kernel: str) -> None:
    names = [n.replace("-", "_") for n in V5]
    rows = [names, list(map(value_of, V5))]
    got = run(text(*(",".join(f'"{t}"' for t in row) for row in rows)), kernel=kernel)
    assert (got.shape, got.numbers) == ("csv", (1, 1, 0, 0, 0))


@pytest.mark.parametrize("kernel", KERNELS)
def test_headers_in_the_middle(kernel: str) -> None:
    v5 = " ".join(map(value_of, V5))
    lines = [DEFAULT, *LINES, DEFAULT, LINE, " ".join(V5), v5, v5, DEFAULT.replace("-", "_"), LINE]
    got = run(text(*lines), kernel=kernel)
    assert got.numbers == (104, 104, 0, 0, 0)
    assert sum("az_id" in f for f in got.flows) == 2


@pytest.mark.parametrize("kernel", KERNELS)
def test_transit_gateway_without_header(kernel: str) -> None:
    record = {
        "version": "6", "resource_type": "TransitGateway", "srcaddr": "10.0.0.1",
        "dstaddr": "10.0.1.1", "start": "1700000000", "end": "1700000060", "log_status": "OK",
        "packets_lost_blackhole": "3",
    }  # fmt: skip
    got = run(text(" ".join(record.get(n, "-") for n in TGW_FORMAT)), kernel=kernel)
    assert got.numbers == (1, 1, 0, 0, 0)
    assert got.flows[0]["packets_lost_blackhole"] == 3


@pytest.mark.parametrize("kernel", KERNELS)
def test_unknown_fields_are_kept(kernel: str) -> None:
    got = run(text(DEFAULT + " new-field date", LINE + " x y"), kernel=kernel)
    assert (got.flows[0]["new_field"], got.flows[0]["date_"]) == ("x", "y")


@pytest.mark.parametrize("kernel", KERNELS)
def test_hostile_lines_are_rejects(kernel: str) -> None:
    bad = {
        LINE.replace("22 6", "65536 6"): "bad dstport",
        LINE.replace("22 6", "-1 6"): "bad dstport",
        LINE.replace("22 6", "\u0662\u0662 6"): "not printable ASCII",
        LINE.replace("22 6", "22\0 6"): "not printable ASCII",
        LINE.replace("4249", "9223372036854775808"): "bad bytes",
        LINE.replace("1418530070", "1418530009"): "end before start",
        LINE.replace("172.31.16.139", "::ffff:1.2.3.4%1"): "bad srcaddr",
        LINE.replace("ACCEPT", "DROP"): "bad action",
        LINE.replace(" OK", " FINE"): "bad log_status",
        LINE + " OK": "too many fields",
        "x" * 70_000: "line too long",
    }
    lines = [t for line in bad for t in (*LINES, line)]
    got = run(text(*lines) + b"\xff\xfe\n", kernel=kernel)
    assert [r.reason for r in got.rejects] == [*bad.values(), "not printable ASCII"]
    assert [r.line for r in got.rejects[:3]] == [101, 202, 303]
    assert got.counts.flows == 100 * len(bad)
    assert all(len(r.text) <= 500 and r.text.isprintable() for r in got.rejects)


@pytest.mark.parametrize("kernel", KERNELS)
def test_times(kernel: str) -> None:
    lines = [LINE, LINE.replace("1418530010 1418530070", "1418530010000 1418530070123")]
    lines += [LINE.replace("1418530070", "-"), LINE.replace("1418530010", "-")]
    got = run(text(DEFAULT, *lines), kernel=kernel)
    times = [(f["start"], f["end"]) for f in got.flows]
    assert times == [
        (1418530010, 1418530070), (1418530010, 1418530070),
        (1418530010, 1418530010), (1418530070, 1418530070),
    ]  # fmt: skip
    bare = text("srcaddr dstaddr bytes", "1.2.3.4 5.6.7.8 9")
    assert run(bare, kernel=kernel).reasons == [(2, "no time")]
    assert run(bare, kernel=kernel, default_time=77).flows[0]["end"] == 77


@pytest.mark.parametrize("kernel", KERNELS)
def test_nodata_without_log_status(kernel: str) -> None:
    got = run(text("srcaddr dstaddr bytes start", "- - - 5", "- - 0 5"), kernel=kernel)
    assert got.numbers == (2, 1, 1, 0, 0)
    assert got.coverage[0]["log_status"] == "NODATA"


@pytest.mark.parametrize("data", [b"", b"\n", b" \r\n\n", b"# nothing\n", DEFAULT.encode(),
                                  text(DEFAULT), gzip.compress(b"", mtime=0), b"\xef\xbb\xbf"])  # fmt: skip
def test_no_records(data: bytes) -> None:
    assert run(data).numbers == (0, 0, 0, 0, 0)


def test_byte_order_mark() -> None:
    assert run(b"\xef\xbb\xbf" + text(DEFAULT, LINE)).numbers == (1, 1, 0, 0, 0)
    assert run([bytes([b]) for b in b"\xef\xbb\xbf" + text(LINE)]).numbers == (1, 1, 0, 0, 0)


REFUSED = {
    "AWS's test": b"Permission to write logs verified\n",
    "AWS's test ": b"Permission Check Successful",
    "HTML": b"<!DOCTYPE html><html><body>Not found</body></html>",
    "XML": b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>",
    "binary": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20,
    "no line of it": b"name,age\nx,1\ny,2\n",
    "no line of it ": b"Jan  1 00:00:00 host sshd[1]: Accepted publickey for root from 10.0.0.1\n"
    * 9,
    "no address": b"version,type,region\n1,IPv4,x\n",
    "UTF-16": text(DEFAULT, LINE).decode().encode("utf-16"),
    "no line fits AWS's default": text(*(line + " 3 IPv4" for line in LINES)),
    "compressed in a way": b"PK\x03\x04" + bytes(50),
    "JSON": b'{"eventVersion": "1.08", "Records": []}',
    "JSON ": b'{"Records": [{"s3": {}}]}',
    "twice": text(DEFAULT + " start", LINE + " 1"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_refused_with_the_right_reason(why: str) -> None:
    with pytest.raises(RejectedObject, match=why.strip()):
        run(REFUSED[why])


def test_one_record_among_broken_lines_goes_in() -> None:
    got = run(text(*["?" * 20] * 50, LINE))
    assert got.numbers == (51, 1, 0, 0, 50)


@pytest.mark.parametrize("kernel", KERNELS)
def test_rejects_are_counted_beyond_those_kept(kernel: str) -> None:
    got = run(text(DEFAULT, *["x y"] * 2500), kernel=kernel)
    assert got.numbers == (2500, 0, 0, 0, 2500)
    assert len(got.rejects) == 1000


@pytest.mark.parametrize("kernel", KERNELS)
def test_every_cut_gives_the_same(kernel: str) -> None:
    v5 = " ".join(map(value_of, V5))
    lines = [DEFAULT, LINE, NODATA, "", "broken", DEFAULT, LINE + "\r", " ".join(V5), v5, "# x"]
    data = text(*lines) + (DEFAULT + "\n" + LINE).encode()
    whole = run(data, kernel=kernel)
    assert whole.numbers == (6, 4, 1, 0, 1)
    for cut in range(0, len(data), 5):
        got = run([data[:cut], data[cut:]], kernel=kernel)
        assert (got.numbers, got.reasons, got.flows) == (whole.numbers, whole.reasons, whole.flows)
    single = run([data[i : i + 1] for i in range(len(data))], kernel=kernel)
    assert (single.numbers, single.flows) == (whole.numbers, whole.flows)


@pytest.mark.parametrize("kernel", KERNELS)
@settings(max_examples=40, deadline=None)
@given(
    parts=st.lists(st.sampled_from([
        DEFAULT, LINE, NODATA, "", "x" * 90, "y" * 101, "z" * 102, "w" * 103, "v" * 400, "\r",
        "srcaddr dstaddr start", "1.1.1.1 2.2.2.2 3", "#" + "c" * 150, "é",
    ]), max_size=9),
    sizes=st.lists(st.integers(1, 130), min_size=1, max_size=8),
    end=st.sampled_from(["\n", "\r\n"]),
)  # fmt: skip
def test_cuts_around_long_lines(kernel: str, parts: list[str], sizes: list[int], end: str) -> None:
    data = end.join([DEFAULT, *parts]).encode()
    chunks = []
    at = i = 0
    while at < len(data):
        chunks.append(data[at : at + sizes[i % len(sizes)]])
        at, i = at + sizes[i % len(sizes)], i + 1
    whole, got = (run(d, kernel=kernel, max_line=101) for d in (data, chunks))
    assert (got.numbers, got.reasons, got.flows) == (whole.numbers, whole.reasons, whole.flows)


@pytest.mark.parametrize("kernel", KERNELS)
def test_blocks_smaller_than_the_chunks(kernel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowscan.parse.text.BLOCK", 100_000)
    got = run(text(DEFAULT, *LINES * 60), kernel=kernel)
    assert got.numbers == (6000, 6000, 0, 0, 0)


def test_headers_that_alternate_do_not_cost_the_square() -> None:
    pair = text("srcaddr dstaddr start", "1.1.1.1 2.2.2.2 3", "dstaddr srcaddr start")
    assert run(pair * 400).numbers == (400, 400, 0, 0, 0)
    with pytest.raises(RejectedObject, match="changes too often"):
        run(b"srcaddr dstaddr start\ndstaddr srcaddr start\n" * 6000)


def test_parse_format() -> None:
    aws = " ".join(f"${{{f}}}" for f in DEFAULT.split())
    assert parse_format(aws) == parse_format(DEFAULT) == DEFAULT_FORMAT
    assert parse_format("srcaddr,dstaddr new-thing") == ("srcaddr", "dstaddr", "new_thing")
    for bad in ("", "${srcaddr", "srcaddr srcaddr", "foo bar", "srcaddr; drop", "a" * 10_000, "1x"):
        with pytest.raises(UsageError):
            parse_format(bad)


@pytest.mark.parametrize("kernel", KERNELS)
def test_given_format_and_a_header_that_says_otherwise(kernel: str) -> None:
    mine = parse_format("${srcaddr} ${dstaddr} ${start}")
    assert run(b"1.1.1.1 2.2.2.2 3\n", kernel=kernel, format=mine).flows[0]["end"] == 3
    assert run(text(DEFAULT, LINE), kernel=kernel, format=mine).flows[0]["bytes"] == 4249
