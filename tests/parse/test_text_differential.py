"""Every implementation of TextColumns gives what the slow reference gives."""

from __future__ import annotations

import numpy as np
import pytest
import reference_parser
from hypothesis import given, settings
from hypothesis import strategies as st

from flowscan.parse import native_text
from flowscan.parse.arrow_text import ArrowText
from flowscan.parse.model import Plan, TextColumns
from flowscan.schema import ADDRESS_COLUMNS, BY_NAME, DEFAULT_FORMAT, TGW_FORMAT

MAX_LINE = 400
V5 = tuple(sorted(n for n, f in BY_NAME.items() if f.version <= 5))
PLANS = [
    Plan(DEFAULT_FORMAT),
    Plan(DEFAULT_FORMAT, b","),
    Plan(V5),
    Plan(V5, b","),
    Plan(TGW_FORMAT),
    Plan(("interface_id", "srcaddr", "dstaddr", "bytes")),
    Plan(("interface_id", "action", "type")),
    Plan(("end", "tomorrow", "packets"), b","),
    Plan(("start", "srcaddr")),
    Plan(("action",)),
]


def by_arrow_fast(plan: Plan) -> TextColumns:
    return ArrowText(plan, max_line=MAX_LINE, small=0)


def by_arrow(plan: Plan) -> TextColumns:
    return ArrowText(plan, max_line=MAX_LINE)


def native(plan: Plan) -> TextColumns:
    return native_text.NativeText(plan, max_line=MAX_LINE)


MAKERS = [by_arrow_fast, by_arrow]
if native_text.available():
    MAKERS.append(native)

GOOD = {
    "string": ["eni-1235b8ca", "vpc-1", "OK", "a%20b", "ACCEPT", "-x", "version", "00000000"],
    "int32": ["0", "2", "6", "255", "007", "18"],
    "int64": ["0", "20", "4249", "9223372036854775807", "0000000000000000012"],
}
ADDRESSES = ["10.0.0.1", "172.31.16.139", "255.255.255.255", "2001:db8::1", "::ffff:1.2.3.4", "::"]
TIMES = ["1418530010", "1418530070", "1418530010000", "1700000000", "0"]
BAD = [
    "+5", "-5", "-0", "1e3", "5.0", "0x5", "65536", "256", "2147483648", "9223372036854775808",
    "00000000000000000000005", "10000000000000000000", "99999999999999", "100000000000",
    "01.2.3.4", "1.2.3", "1.2.3.4.5", "256.1.1.1", "fe80::1%eth0", "1:::2", "accept", "NODATA",
    "SKIPDATA", "OK", "None", "null", "NaN", '"', '""', '"-"', '"7"', "#", "\u0663", "\x00", "é",
    "\r", "a b", " ", "\t", ",", "", "-", "--", "version", "srcaddr", "nan", "true", "1_0", "x" * 420,
    "\x7f", "\x0b", "\x85", 'a"b', '"a,b"',
]  # fmt: skip


def token(column: str) -> st.SearchStrategy[str]:
    if column == "action":
        good = ["ACCEPT", "REJECT"]
    elif column == "log_status":
        good = ["OK", "NODATA", "SKIPDATA"]
    elif column in ADDRESS_COLUMNS:
        good = ADDRESSES
    elif column in ("start", "end"):
        good = TIMES
    else:
        good = GOOD[BY_NAME[column].type if column in BY_NAME else "string"]
    return st.sampled_from([*good, "-"])


@st.composite
def clean_line(draw: st.DrawFn, plan: Plan) -> str:
    return plan.delimiter.decode().join(draw(token(c)) for c in plan.columns)


@st.composite
def odd_line(draw: st.DrawFn, plan: Plan) -> str:
    kind = draw(st.integers(0, 9))
    tokens = [draw(token(c)) for c in plan.columns]
    mark = plan.delimiter.decode()
    if kind <= 3:
        at = draw(st.integers(0, len(tokens) - 1))
        tokens[at] = draw(st.sampled_from(BAD))
    elif kind == 4:
        tokens = tokens[: draw(st.integers(0, len(tokens)))]
    elif kind == 5:
        tokens.append(draw(st.sampled_from(["x", "1", "-", ""])))
    elif kind == 6:
        names = list(plan.columns)
        if draw(st.booleans()):
            names = [n.replace("_", "-") for n in names]
        if draw(st.integers(0, 4)) == 0:
            names = draw(st.permutations(names))
        tokens = names
    elif kind == 7:
        mark = draw(st.sampled_from(["  ", "\t", " ,", ", ", ",", '","', " \t "]))
    elif kind == 8:
        return draw(st.sampled_from(["", " ", "# note", "\t#é", "#", "\r", "junk", "\x1f\x8b"]))
    text = mark.join(tokens)
    pads = st.sampled_from(["", "", "", " ", "\t", '"', "\r"])
    return draw(pads) + text + draw(pads)


@st.composite
def block(draw: st.DrawFn, odd: bool) -> tuple[Plan, bytes]:
    plan = draw(st.sampled_from(PLANS))
    lines = draw(st.lists(clean_line(plan), max_size=6))
    if odd:
        lines += draw(st.lists(odd_line(plan), max_size=6))
        lines = draw(st.permutations(lines))
    end = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    text = end.join(lines) + draw(st.sampled_from(["", end, end + end]))
    return plan, text.encode("utf-8", "surrogatepass")


def expected(plan, data, *, final=True, times=None, line=1):
    return reference_parser.parse(
        data, plan.columns, plan.delimiter, line=line, final=final, times=times,
        max_line=MAX_LINE, known=set(BY_NAME),
    )  # fmt: skip


def compare(make, plan: Plan, data: bytes, *, final: bool = True, times=None) -> None:
    want = expected(plan, data, final=final, times=times, line=7)
    columns = make(plan)
    fed = columns.feed(data, 7, final=final, times=times)
    assert [(r.line, r.reason) for r in fed.rejects] == want.rejects
    assert (fed.consumed, fed.lines, fed.foreign_header) == (
        want.consumed,
        want.lines,
        want.foreign,
    )
    assert (fed.records, fed.flows) == (want.records, len(want.flows))
    assert (fed.nodata, fed.skipdata, fed.rejected) == (
        want.nodata,
        want.skipdata,
        len(want.rejects),
    )
    assert columns.rows == len(want.flows)
    flows, coverage = columns.drain()
    flows.validate(full=True)
    coverage.validate(full=True)
    assert flows.schema.names == list(plan.flow_columns)
    assert flows.to_pylist() == want.flows
    assert coverage.to_pylist() == want.coverage
    assert columns.rows == 0
    assert columns.drain()[0].num_rows == 0


@pytest.mark.parametrize("make", MAKERS)
@settings(max_examples=120, deadline=None)
@given(case=block(odd=True), times=st.sampled_from([None, 1_600_000_000, "each"]))
def test_mixed_lines(make, case, times) -> None:
    plan, data = case
    if times == "each":
        times = np.arange(len(data) + 1, dtype=np.int64) * 7 - 1
    compare(make, plan, data, times=times)


@pytest.mark.parametrize("make", MAKERS)
@settings(max_examples=40, deadline=None)
@given(case=block(odd=False), final=st.booleans())
def test_clean_lines(make, case, final) -> None:
    compare(make, *case, final=final)


@pytest.mark.parametrize("make", MAKERS)
@settings(max_examples=40, deadline=None)
@given(data=st.binary(max_size=300), plan=st.sampled_from(PLANS))
def test_any_bytes(make, data, plan) -> None:
    compare(make, plan, data)


@pytest.mark.parametrize("make", MAKERS)
@settings(max_examples=40, deadline=None)
@given(first=block(odd=True), second=block(odd=False), times=st.sampled_from([None, 5]))
def test_dictionaries_hold_over_blocks_and_end_with_the_drain(make, first, second, times) -> None:
    plan = first[0]
    blocks = [first[1], second[1] if second[0] == plan else first[1], first[1]]
    columns = make(plan)
    for _ in range(2):
        want = []
        for data in blocks:
            columns.feed(data, 1, final=True, times=times)
            want += expected(plan, data, times=times).flows
        flows, _ = columns.drain()
        assert flows.to_pylist() == want
        for array in flows.columns:
            if hasattr(array, "dictionary"):
                values = array.dictionary.to_pylist()
                assert len(set(values)) == len(values)
                assert set(values) == set(array.to_pylist()) - {None}
