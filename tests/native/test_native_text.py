"""The compiled kernel means the same as the line-by-line parser, for any bytes and any blocks."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowscan.parse import native_text
from flowscan.parse.model import COVERAGE, Fed, Plan
from flowscan.parse.native_text import NativeText
from flowscan.schema import BY_NAME, DEFAULT_FORMAT, TGW_FORMAT

sys.path.insert(0, str(Path(__file__).parent))
from line_text import LineText, assert_same, rows_of

pytestmark = pytest.mark.skipif(not native_text.available(), reason="the kernel is not built")

MAX_LINE = 400
SCANS = ("", "sse2", "neon", "plain")
V5 = (*DEFAULT_FORMAT, "vpc_id", "subnet_id", "instance_id", "tcp_flags", "type", "pkt_srcaddr")
V5 += ("pkt_dstaddr", "region", "az_id", "flow_direction", "traffic_path")

PLANS = [
    Plan(DEFAULT_FORMAT),
    Plan(DEFAULT_FORMAT, b","),
    Plan(V5),
    Plan(V5, b","),
    Plan(TGW_FORMAT),
    Plan(("srcaddr",)),
    Plan(("srcaddr",), b","),
    Plan(("interface_id", "srcaddr", "bytes")),
    Plan(("start", "dstaddr", "new_field"), b","),
    Plan(("end", "log_status", "account_id")),
    Plan(("action", "packets", "end", "start")),
]

ADDRESSES = [
    "10.0.0.1",
    "255.255.255.255",
    "0.0.0.0",
    "::",
    "::1",
    "1::",
    "2001:db8::1",
    "1:2:3:4:5:6:7:8",
]
ADDRESSES += [
    "::ffff:1.2.3.4",
    "1:2:3:4:5:6:1.2.3.4",
    "fe80::%eth0",
    "01.2.3.4",
    "1.2.3",
    "1.2.3.4.",
]
ADDRESSES += [
    "1.2.3.256",
    "1.2.3.04",
    ":1",
    "1:",
    "1::2::3",
    "12345::",
    "g::",
    ":::",
    "1:2:3:4:5:6:7::",
]
ADDRESSES += [
    "::2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:1.2.3.4",
    "::1.2.3.4.5",
    "1.2.3.4::",
]
NUMBERS = ["0", "1", "7", "80", "255", "256", "65535", "65536", "007", "2147483647", "2147483648"]
NUMBERS += [
    "9223372036854775807",
    "9223372036854775808",
    "9999999999999999999",
    "18446744073709551616",
]
NUMBERS += [
    "0000000000000000001",
    "00000000000000000001",
    "+1",
    "-1",
    "1e3",
    "12345678",
    "123456789",
]
NUMBERS += [
    "1234567890123456",
    "12345678901234567",
    "1_0",
    "0x10",
    "12/4",
    "12:4",
    "1234567/90123456",
]
TIMES = ["1700000000", "1700000060", "1700000000123", "99999999999", "100000000000", "1", "0"]
TIMES += ["99999999999999", "100000000000000"]
WORDS = ["-", "OK", "NODATA", "SKIPDATA", "ACCEPT", "REJECT", "version", "srcaddr", "log-status"]
WORDS += [
    "eni-0123456789abcdef0",
    "a" * 15,
    "a" * 16,
    "a" * 17,
    "b" * 33,
    "NODATAX",
    "O",
    "#",
    "x#",
    "'",
    '"',
]


def good_token(column: str, rng: random.Random) -> str:
    """A token that is right for the column, now and then NULL."""
    if rng.random() < 0.05:
        return "-"
    if column in {"start", "end"}:
        return str(1_700_000_000 + rng.randrange(100) + (100 if column == "end" else 0))
    if column == "action":
        return rng.choice(["ACCEPT", "REJECT"])
    if column == "log_status":
        return rng.choice(["OK"] * 8 + ["NODATA", "SKIPDATA"])
    if "addr" in column:
        return rng.choice([*ADDRESSES[:10], f"10.0.{rng.randrange(4)}.{rng.randrange(256)}"])
    if column in BY_NAME and BY_NAME[column].type != "string":
        return str(rng.choice([6, 17, 22, 80, 255]))
    return f"{column}-{rng.randrange(20):017x}"


def good_line(plan: Plan, rng: random.Random) -> str:
    return plan.delimiter.decode().join(good_token(c, rng) for c in plan.columns)


def text_of(plan: Plan, lines: int, seed: int) -> bytes:
    rng = random.Random(seed)
    return "".join(good_line(plan, rng) + "\n" for _ in range(lines)).encode()


@st.composite
def texts(draw: st.DrawFn) -> tuple[Plan, bytes]:
    """A plan and text that is mostly right for it, with any kind of trouble strewn in."""
    plan = draw(st.sampled_from(PLANS))
    rng = random.Random(draw(st.integers(0, 1 << 30)))
    mark = plan.delimiter.decode()
    lines: list[bytes] = []
    for _ in range(draw(st.integers(0, 12))):
        tokens = good_line(plan, rng).split(mark)
        trouble = draw(st.integers(0, 9))
        if trouble in {0, 1}:
            tokens[rng.randrange(len(tokens))] = rng.choice(ADDRESSES + NUMBERS + TIMES + WORDS)
        elif trouble == 2:
            tokens = [t for t in tokens if rng.random() > 0.1]
        elif trouble == 3:
            tokens.insert(rng.randrange(len(tokens) + 1), rng.choice(WORDS + ADDRESSES + [""]))
        elif trouble == 4:
            tokens = [f'"{t}"' if rng.random() < 0.5 else f" {t}\t" for t in tokens]
        elif trouble == 5:
            tokens = [c.replace("_", "-") for c in rng.choice([plan.columns, DEFAULT_FORMAT, V5])]
        line = bytearray(mark.join(tokens).encode())
        if trouble == 6 and line:
            line[rng.randrange(len(line))] = draw(st.integers(0, 255))
        if trouble == 7:
            line = bytearray(
                draw(st.sampled_from([b"", b"#", b"  ", b"# \xff", b"-", b"\r", b"x" * 500]))
            )
        lines.append(
            bytes(line) + draw(st.sampled_from([b"\n"] * 5 + [b"\r\n", b" \n", b"\r\r\n", b""]))
        )
    return plan, b"".join(lines)


@pytest.mark.parametrize("scan", SCANS)
@given(case=texts(), final=st.booleans())
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_line(scan: str, case: tuple[Plan, bytes], final: bool) -> None:
    plan, data = case
    native = NativeText(plan, max_line=MAX_LINE, instructions=scan)
    assert_same(native, LineText(plan, MAX_LINE), data, final=final)


@given(plan=st.sampled_from(PLANS), data=st.binary(max_size=300), final=st.booleans())
@settings(max_examples=400, deadline=None)
def test_any_bytes(plan: Plan, data: bytes, final: bool) -> None:
    assert_same(NativeText(plan, max_line=60), LineText(plan, 60), data, final=final)


@given(
    data=st.text(alphabet=' \t\r\n-,"#aO1.:', max_size=200),
    plan=st.sampled_from(PLANS[:1] + PLANS[5:]),
)
@settings(max_examples=400, deadline=None)
def test_separators(plan: Plan, data: str) -> None:
    assert_same(NativeText(plan, max_line=60), LineText(plan, 60), data.encode(), final=True)


@pytest.mark.parametrize("plan", PLANS, ids=lambda p: f"{len(p.columns)}{p.delimiter.decode()}")
def test_long_text_with_trouble(plan: Plan) -> None:
    """Enough lines that windows, runs and column growth are all crossed."""
    rng = random.Random(5)
    text = bytearray(text_of(plan, 3000, 3))
    for _ in range(40):
        text[rng.randrange(len(text))] = rng.choice(b"\n\r \t,x\xff\0#-")
    times = np.arange(1_600_000_000, 1_600_000_000 + text.count(b"\n") + 2, dtype=np.int64)
    times[::7] = -1
    native = NativeText(plan, max_line=MAX_LINE)
    for when in (None, 1_650_000_000, times):
        assert_same(native, LineText(plan, MAX_LINE), bytes(text), final=True, times=when)


@pytest.mark.parametrize("seed", range(6))
def test_lines_over_window_ends(seed: int) -> None:
    """Joined and broken lines, with good separators only, fall on the ends of windows."""
    plan = PLANS[seed % 2]
    rng = random.Random(seed)
    text = bytearray(text_of(plan, 2500, seed))
    for at in [i for i, c in enumerate(text) if c == 10 and rng.random() < 0.03]:
        text[at] = plan.delimiter[0]
    for at in [i for i, c in enumerate(text) if c == plan.delimiter[0] and rng.random() < 0.001]:
        text[at] = 10
    assert_same(
        NativeText(plan, max_line=9999), LineText(plan, 9999), bytes(text), final=bool(seed & 1)
    )


@pytest.mark.parametrize("plan", [PLANS[0], PLANS[3]], ids=["blank", "comma"])
def test_every_split(plan: Plan) -> None:
    header = plan.delimiter.join(c.replace("_", "-").encode() for c in plan.columns)
    text = header + b"\n" + text_of(plan, 4, 1) + b"#\r\n bad \n" + text_of(plan, 2, 2)[:-1]
    whole = LineText(plan, MAX_LINE)
    expected = whole.feed(text, 1, final=True)
    for cut in range(len(text) + 1):
        native = NativeText(plan, max_line=MAX_LINE)
        first = native.feed(text[:cut], 1, final=False)
        second = native.feed(text[first.consumed :], 1 + first.lines, final=True)
        assert first.rejects + second.rejects == expected.rejects
        assert first.consumed + second.consumed == len(text)
        assert first.lines + second.lines == expected.lines
        assert rows_of(native.drain()[0]) == whole.flows


@given(order=st.permutations(V5), delimiter=st.sampled_from([b" ", b","]))
@settings(max_examples=60, deadline=None)
def test_every_header_order(order: list[str], delimiter: bytes) -> None:
    plan = Plan(tuple(order), delimiter)
    header = delimiter.join(c.replace("_", "-").encode() for c in order) + b"\n"
    data = header + text_of(plan, 40, len(order[0])) + header
    assert_same(NativeText(plan, max_line=4000), LineText(plan, 4000), data, final=True)


@pytest.mark.parametrize(
    "column", ["srcaddr", "srcport", "protocol", "tcp_flags", "bytes", "start", "action"]
)
def test_one_token(column: str) -> None:
    """Every odd token in every kind of column, with text after it and at the very end."""
    plan = Plan((column, "log_status") if column != "srcaddr" else (column, "end"))
    for token in ADDRESSES + NUMBERS + TIMES + WORDS:
        for rest in (" OK\n", " 1700000000", " 1700000000\n" + "x" * 40):
            data = (token + rest).encode()
            for final in (True, False):
                assert_same(
                    NativeText(plan, max_line=999), LineText(plan, 999), data, final=final, times=5
                )


def test_foreign_header_stops() -> None:
    plan = PLANS[0]
    data = text_of(plan, 3, 1) + b"version srcaddr dstaddr\n" + text_of(plan, 3, 2)
    native = NativeText(plan, max_line=MAX_LINE)
    fed = native.feed(data, 1, final=True)
    assert fed.foreign_header
    assert data[fed.consumed :].startswith(b"version srcaddr dstaddr\n")
    assert fed.lines == 3
    assert_same(
        native := NativeText(plan, max_line=MAX_LINE), LineText(plan, MAX_LINE), data, final=True
    )


def test_headers_that_begin_every_block() -> None:
    plan = PLANS[0]
    header = b" ".join(c.replace("_", "-").encode() for c in plan.columns)
    lines = text_of(plan, 3, 1)
    longer, other = header + b"-x\n", b"version srcaddr dstaddr\n"
    blocks = [header, header + b"\n" + lines, header + b"\n" + lines, longer + lines, header]
    blocks += [
        header + b"\n",
        header + b"\n" + header + b"\n" + lines,
        header + b"\n" + other + lines,
    ]
    native = NativeText(plan, max_line=MAX_LINE)
    for data in blocks:
        for final in (True, False):
            assert_same(native, LineText(plan, MAX_LINE), data, final=final)


def test_long_lines() -> None:
    """A line of 100 MB, without and with separators, is one reject and costs no memory of its size."""
    plan = PLANS[0]
    good = text_of(plan, 1, 1)
    native = NativeText(plan, max_line=65_536)
    for filler in (b"x", b" ", b"1 "):
        data = good + filler * (100_000_000 // len(filler)) + b"\n" + good
        fed = native.feed(data, 1, final=True)
        assert (fed.lines, fed.records, fed.flows, fed.rejected) == (3, 3, 2, 1)
        assert [(r.line, r.reason, len(r.text)) for r in fed.rejects] == [(2, "line too long", 500)]
        assert native.feed(data[:50_000_000], 1, final=False).consumed == len(good)
        native.drain()


def test_many_tokens_and_many_lines() -> None:
    plan = Plan(DEFAULT_FORMAT)
    native = NativeText(plan, max_line=1 << 20)
    fed = native.feed(b"1 " * 500_000 + b"\n", 1, final=True)
    assert [(r.reason, fed.records) for r in fed.rejects] == [("too many fields", 1)]
    fed = native.feed(b"x\n" * 1_000_000, 1, final=True)
    assert (fed.rejected, len(fed.rejects), fed.rejects[-1].line) == (1_000_000, 1000, 1000)
    fed = native.feed(b"\n" * 1_000_000, 1, final=True)
    assert fed == Fed(consumed=1_000_000, lines=1_000_000)


def test_rejects_leave_nothing_behind() -> None:
    """Values of rejected lines are in no dictionary, however many they are."""
    plan = Plan(("interface_id", "srcaddr", "start", "dstport"))
    lines = [f"eni-{i:017x} 10.1.{i >> 8}.{i & 255} 1 70000\n" for i in range(60_000)]
    lines[100] = lines[30_000] = "eni-good 10.0.0.1 1 7\n"
    native = NativeText(plan, max_line=999)
    native.feed("".join(lines).encode(), 1, final=True)
    assert native.nbytes < 1000
    flows = native.drain()[0]
    assert flows.column("interface_id").chunk(0).dictionary.to_pylist() == ["eni-good"]
    assert rows_of(flows) == [("eni-good", "10.0.0.1", 1, 7, 1)] * 2


def test_dictionary_of_a_million_values() -> None:
    plan = Plan(("interface_id", "srcaddr", "start"))
    count = 1_000_000
    lines = (f"eni-{i:017x} 10.{i >> 16}.{i >> 8 & 255}.{i & 255} 1\n" for i in range(count))
    native = NativeText(plan, max_line=999)
    native.feed("".join(lines).encode(), 1, final=True)
    flows, _ = native.drain()
    flows.validate(full=True)
    for name in ("interface_id", "srcaddr"):
        column = flows.column(name).chunk(0)
        assert len(column.dictionary) == count
        assert column.indices.to_numpy().tolist() == list(range(count))
        assert len(set(column.dictionary.to_pylist())) == count
    assert flows.column("srcaddr")[77_777].as_py() == "10.1.47.209"


def test_what_the_writer_asks() -> None:
    native = NativeText(Plan(("start", "bytes")), max_line=99)
    assert native.rows == 0
    native.feed(b"1700000000 1\n1700000001 2\n", 1, final=True)
    assert native.rows == 2
    assert native.nbytes > 0
    native.drain()
    assert native.start_range == (1_700_000_000, 1_700_000_001)
    assert native.one_day
    native.feed(b"1700000000 1\n1700099999 2\n", 1, final=True)
    native.drain()
    assert not native.one_day
    flows, coverage = native.drain()
    assert native.start_range is None
    assert (flows.num_rows, coverage.num_rows, coverage.schema) == (0, 0, COVERAGE)


def test_plans_it_takes() -> None:
    assert native_text.supports(Plan(DEFAULT_FORMAT))
    assert not native_text.supports(Plan(()))
    assert not native_text.supports(Plan(("start", "start")))
    assert native_text.instructions() in {"avx2", "sse2", "neon", "plain"}
