"""Many entries at once become what each of them becomes alone."""

from __future__ import annotations

import ipaddress
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from flowscan.feeds import Feed, load, safety
from flowscan.feeds.blocks import of_plain
from flowscan.feeds.formats.plain import parse_plain
from flowscan.feeds.model import Policy, ReadOptions
from flowscan.feeds.spelling import loose_interval
from flowscan.net.address import parse_interval
from flowscan.net.intervals import pack

NUMBER = st.integers(0, 300).map(str) | st.sampled_from(["", "00", "01", "255", "256", "1e1", "٣"])
QUAD = st.lists(NUMBER, min_size=3, max_size=5).map(".".join)
V4 = st.integers(0, 2**32 - 1).map(lambda v: str(ipaddress.IPv4Address(v)))
V6 = (st.integers(0, 2**128 - 1) | st.integers(0xFFFF << 32, (1 << 48) - 1)).map(
    lambda v: str(ipaddress.IPv6Address(v))
)
SIZE = st.integers(0, 130).map(str) | st.sampled_from(["08", "032", "", "255.255.0.0", "²"])
ONE = V4 | V6 | QUAD
SPELLINGS = (
    ONE
    | st.tuples(ONE, SIZE).map("/".join)
    | st.tuples(ONE, ONE).map("-".join)
    | st.tuples(ONE, SIZE).map(":".join)
    | st.text("0123456789abcdefABCDEF:./- [%]x", max_size=20)
    | st.sampled_from(["", "example.org", "hxxp://1.2.3[.]4/x", "\ud800", "1.2.3.4\0"])
)
SEPARATOR = st.sampled_from(
    [" ", "\t", ",", ";", "#", " # ", " - ", "\t-", "", "\xa0", "\x0b", "\x1f"]
)
REST = st.text("abc 1.2:-#;,\t\x0b\x1fé", max_size=8)
LINE = (
    st.tuples(SPELLINGS, SEPARATOR, REST).map("".join)
    | SPELLINGS.map(lambda t: f" {t} ")
    | st.sampled_from(["# comment", "// x", "; 1.2.3.4", "!", "   ", ""])
).map(lambda t: t.encode("utf-8", "replace").decode())
TEXT = st.lists(st.tuples(LINE, st.sampled_from(["\n", "\r\n", "\r", "\n\n"])).map("".join)).map(
    "".join
)


@settings(max_examples=150)
@given(TEXT, st.booleans())
def test_blocks_of_a_plain_list_are_its_entries(text: str, cut: bool) -> None:
    text = text.rstrip("\r\n") if cut else text
    got = []
    for block in of_plain(text):
        about = block.about.to_pylist() if block.about is not None else [None] * len(block.lines)
        for row, line in enumerate(block.lines.tolist()):
            got.append((line, block.texts[row], about[row] or ""))
    assert got == [(e.line, e.text, e.description) for e in parse_plain(text, ReadOptions())]


@settings(max_examples=100)
@given(st.lists(LINE, max_size=30), st.booleans(), st.booleans())
def test_a_load_is_the_double_loop(lines: list[str], private: bool, broad: bool) -> None:
    text = "\n".join(["1.2.3.4", *(re.sub("[\r\0]", "", line) for line in lines)])
    feed = Feed("f", "x", format="plain", private=private, broad=broad)
    policy = Policy(private=private, broad=broad)
    loaded = load(text.encode(), feed, now=5)
    expected, others = [], 0
    for entry in parse_plain(text, ReadOptions()):
        interval = parse_interval(entry.text) or loose_interval(entry.text)
        if interval is None or safety.refusal(*interval, policy):
            others += 1
        else:
            expected.append((entry.text[:500], *interval, entry.description or None))
    rows = loaded.table.to_pylist()
    assert [
        (
            r["indicator"],
            r["family"],
            int(ipaddress.ip_address(r["first"])),
            int(ipaddress.ip_address(r["last"])),
            r["description"],
        )
        for r in rows
    ] == expected
    for row in rows:
        four = row["family"] == 4
        assert row["first_number"] == (int(ipaddress.ip_address(row["first"])) if four else None)
        assert row["last_number"] == (int(ipaddress.ip_address(row["last"])) if four else None)
    c = loaded.counts
    assert c.indicators == len(expected)
    assert c.domains + c.other + c.broken + c.refused == others
    assert c.entries == c.indicators + others
    assert [p.line for p in loaded.problems] == sorted(p.line for p in loaded.problems)
    assert len(loaded.problems) == min(others, 50)


@given(
    st.lists(
        st.tuples(st.integers(0, 2**128 - 1), st.integers(0, 128)).map(
            lambda p: ipaddress.IPv6Network(p, strict=False)
        )
        | st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)).map(
            lambda p: ipaddress.IPv4Network(p, strict=False)
        )
    ),
    st.booleans(),
    st.booleans(),
)
def test_many_are_refused_as_each_one_is(
    networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network],
    private: bool,
    broad: bool,
) -> None:
    policy = Policy(private=private, broad=broad)
    for family in (4, 6):
        spans = [
            (int(n.network_address), int(n.broadcast_address))
            for n in networks
            if n.version == family
        ]
        first, last = pack(family, [a for a, _ in spans]), pack(family, [b for _, b in spans])
        one_by_one = [safety.refusal(family, a, b, policy) is not None for a, b in spans]
        assert safety.refused(family, first, last, policy).tolist() == one_by_one
