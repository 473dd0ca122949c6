"""Formats told by content; each family on small texts, and hostile ones."""

from __future__ import annotations

import gzip
import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flowscan.errors import FeedError
from flowscan.feeds import Feed, load
from flowscan.feeds.formats import PARSERS
from flowscan.feeds.load import MAX_BYTES, Loaded


def read(text: str | bytes, **settings: object) -> Loaded:
    data = text if isinstance(text, bytes) else text.encode()
    return load(data, Feed("feed", "somewhere", **settings), now=1_000)  # type: ignore[arg-type]


def names(loaded: Loaded) -> list[str]:
    rows = loaded.table.select(["first", "last"]).to_pylist()
    return [r["first"] if r["first"] == r["last"] else f"{r['first']}-{r['last']}" for r in rows]


CASES = {
    "plain, comments of all kinds": (
        "# head\n; other\n// third\n\n45.1.2.3\n45.1.2.4 # why\n45.1.2.5;x\n45.1.2.6,y\r\n  45.1.2.7\t9\n",
        "plain",
        ["45.1.2.3", "45.1.2.4", "45.1.2.5", "45.1.2.6", "45.1.2.7"],
    ),
    "ranges and prefixes": (
        "45.1.2.0/30\n45.1.3.1-45.1.3.9\n45.1.4.1 - 45.1.4.2 # spaced\n2a00:1::/127\n",
        "plain",
        ["45.1.2.0-45.1.2.3", "45.1.3.1-45.1.3.9", "45.1.4.1-45.1.4.2", "2a00:1::-2a00:1::1"],
    ),
    "mapped is IPv4": ("::ffff:45.1.2.3\n::FFFF:2d01:0204\n", "plain", ["45.1.2.3", "45.1.2.4"]),
    "bracketed IPv6 is no JSON": ("[2a00:1::1]:443\n", "plain", ["2a00:1::1"]),
    "netset": ("#\n# firehol_x\n#\n1.10.16.0/20\n45.9.1.1\n", "plain", ["1.10.16.0-1.10.31.255", "45.9.1.1"]),
    "tor exit addresses": (
        ("ExitNode 0011BD\nPublished 2026-01-01 00:00:00\nLastStatus 2026-01-01 00:00:00\n"
        "ExitAddress 45.1.2.3 2026-01-01 00:00:00\n"),
        "tor",
        ["45.1.2.3"],
    ),
    "dshield block": (
        ("#   \n# columns\nStart\tEnd\tNetmask\tAttacks\tName\tCountry\temail\n"
        "45.1.2.0\t45.1.2.255\t24\t1000\tSOMEONE\tXX\ta@example.org\n"),
        "dshield",
        ["45.1.2.0-45.1.2.255"],
    ),
    "p2p": ("Some: body:45.1.2.1-45.1.2.9\nOther:45.2.0.0-45.2.0.1\n", "p2p", ["45.1.2.1-45.1.2.9", "45.2.0.0-45.2.0.1"]),
    "threatfox csv, header in a comment": (
        ('################\n# ThreatFox IOCs\n#\n# "first_seen_utc","ioc_id","ioc_value","ioc_type","malware"\n'
        '"2026-01-01 00:00:00", "1", "45.1.2.3:443", "ip:port", "win.x"\n'
        '"2026-01-01 00:00:00", "2", "evil.example.org", "domain", "win.x"\n'),
        "csv",
        ["45.1.2.3"],
    ),
    "otx": (
        "Indicator type, Indicator, Description\nCIDR, 45.1.2.0/24, a\nIPv4, 45.1.3.1, b\nDomain name, example.net, c\n",
        "otx-csv",
        ["45.1.2.0-45.1.2.255", "45.1.3.1"],
    ),
    "proof point": ("ip, category, score, first_seen, last_seen, ports (|)\n45.1.2.3, 1, 100, 2000-01-01, 2000-01-01,\n", "proof-point", ["45.1.2.3"]),
    "alienvault": ("45.1.2.3#4#2#Malicious Host#DE##51.0,9.0#3\n", "alienvault", ["45.1.2.3"]),
    "ndjson": ('{"cidr":"1.10.16.0/20","sblid":"SBL1"}\n{"type":"metadata","records":1}\n', "ndjson", ["1.10.16.0-1.10.31.255"]),
    "one line of ndjson": ('{"ip":"45.1.2.3"}\n', "ndjson", ["45.1.2.3"]),
    "aws ranges": (
        json.dumps({"syncToken": "1", "prefixes": [{"ip_prefix": "45.1.2.0/24", "service": "EC2"}], "ipv6_prefixes": [{"ipv6_prefix": "2a00:1::/32"}]}, indent=1),
        "json",
        ["45.1.2.0-45.1.2.255", "2a00:1::-2a00:1:ffff:ffff:ffff:ffff:ffff:ffff"],
    ),
    "array of strings": ('["45.1.2.3", "45.1.2.4"]', "json", ["45.1.2.3", "45.1.2.4"]),
    "warninglist": (json.dumps({"name": "n", "type": "cidr", "list": ["45.1.2.0/24"]}), "misp-warninglist", ["45.1.2.0-45.1.2.255"]),
    "misp event": (
        json.dumps({"response": [{"Event": {"info": "campaign", "Attribute": [
            {"type": "ip-dst", "value": "45.1.2.3"}, {"type": "ip-dst|port", "value": "45.1.2.4|443"},
            {"type": "domain|ip", "value": "example.org|45.1.2.5"}, {"type": "md5", "value": "0" * 32},
            {"type": "comment", "value": "45.9.9.9"}],
            "Object": [{"Attribute": [{"type": "ip-src", "value": "45.1.2.6"}]}]}}]}),
        "misp",
        ["45.1.2.3", "45.1.2.4", "45.1.2.5", "45.1.2.6"],
    ),
    "stix 2.1": (
        json.dumps({"type": "bundle", "id": "bundle--1", "objects": [
            {"type": "indicator", "id": "indicator--1", "pattern": "[ipv4-addr:value = '45.1.2.3' OR ipv6-addr:value='2a00:1::1']"},
            {"type": "indicator", "id": "indicator--2", "pattern": "[ipv4-addr:value IN ('45.1.2.4', '45.1.2.5')]"},
            {"type": "indicator", "id": "indicator--3", "pattern": "[ipv4-addr:value ISSUBSET '45.1.3.0/24'] AND [network-traffic:dst_ref.value = '45.1.4.1']"},
            {"type": "indicator", "id": "indicator--4", "pattern": "[ipv4-addr:value != '45.1.9.9']"},
            {"type": "indicator", "id": "indicator--5", "revoked": True, "pattern": "[ipv4-addr:value = '45.1.8.8']"},
            {"type": "indicator", "id": "indicator--6", "pattern_type": "yara", "pattern": "[ipv4-addr:value = '45.1.7.7']"},
            {"type": "ipv4-addr", "id": "ipv4-addr--1", "value": "45.1.5.1"}]}),
        "stix2",
        ["45.1.2.3", "2a00:1::1", "45.1.2.4", "45.1.2.5", "45.1.3.0-45.1.3.255", "45.1.4.1", "45.1.5.1"],
    ),
    "stix 2.0 observed data": (
        json.dumps({"type": "bundle", "id": "bundle--1", "spec_version": "2.0", "objects": [
            {"type": "observed-data", "id": "observed-data--1", "objects": {"0": {"type": "ipv4-addr", "value": "45.1.2.3"}}}]}),
        "stix2",
        ["45.1.2.3"],
    ),
    "stix 1 with other prefixes": (
        ('<?xml version="1.0"?><s:STIX_Package xmlns:s="a" xmlns:x="b" xmlns:DomainNameObj="c"><x:Address_Value condition="Equals">'
        "45.1.2.3##comma##45.1.2.4</x:Address_Value><DomainNameObj:Value>example.org</DomainNameObj:Value></s:STIX_Package>"),
        "stix1",
        ["45.1.2.3", "45.1.2.4"],
    ),
    "generic csv by name of column": ("rank,address,seen\n1,45.1.2.3,9\n2,45.1.2.4,8\n", "csv", ["45.1.2.3", "45.1.2.4"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_format_is_told_by_content(case: tuple[str, str, list[str]]) -> None:
    text, form, expected = case
    loaded = read(text)
    assert loaded.format == form
    assert names(loaded) == expected
    assert loaded.counts.broken == 0


def test_hosts_file_is_domains() -> None:
    loaded = read(
        "127.0.0.1 localhost\n0.0.0.0 ads.example.org b.example.org # x\n0.0.0.0 c.example.org\n"
    )
    assert loaded.format == "hosts"
    assert (loaded.counts.domains, loaded.counts.indicators) == (3, 0)


def test_a_column_that_only_the_user_knows() -> None:
    text = "when,victim,attacker\n1,45.9.9.9,45.1.2.3\n"
    assert names(read(text, column="attacker")) == ["45.1.2.3"]
    with pytest.raises(FeedError, match="no column 'nobody'"):
        read(text, column="nobody")


def test_a_format_that_the_user_names() -> None:
    assert read("45.1.2.3,x\n", format="plain").counts.indicators == 1
    with pytest.raises(FeedError, match="no feed format"):
        read("45.1.2.3\n", format="xlsx")


def test_broken_lines_are_counted_and_shown_and_never_fatal() -> None:
    loaded = read(
        "45.1.2.3\n45.1.2.999\nwhat is this\nexample.org\n" + "d" * 64 + "\n0.0.0.0/0\n10.0.0.1\n"
    )
    c = loaded.counts
    assert (c.entries, c.indicators, c.domains, c.other, c.broken, c.refused) == (7, 1, 1, 1, 2, 2)
    assert (2, "45.1.2.999") in {(p.line, p.text) for p in loaded.problems}
    assert {p.reason for p in loaded.problems} == {
        "not understood", "domain entry, not an address", "other entry, not an address",
        "refused: wider than /8", "refused: private address",
    }  # fmt: skip


def test_an_indicator_is_kept_as_written() -> None:
    loaded = read("45.1.2.77/24 # note\n::FFFF:45.1.3.1\n")
    rows = loaded.table.to_pylist()
    assert [(r["indicator"], r["first"], r["last"], r["description"]) for r in rows] == [
        ("45.1.2.77/24", "45.1.2.0", "45.1.2.255", "note"),
        ("::FFFF:45.1.3.1", "45.1.3.1", "45.1.3.1", None),
    ]
    assert [(r["first_number"], r["family"]) for r in rows] == [(0x2D010200, 4), (0x2D010301, 4)]


def test_expiry_is_the_sooner_of_entry_and_feed() -> None:
    item = {"type": "indicator", "id": "indicator--1", "pattern": "[ipv4-addr:value = '45.1.2.3']"}
    until = item | {"valid_until": "1970-01-01T00:20:00Z"}
    text = json.dumps({"type": "bundle", "id": "bundle--1", "objects": [item, until]})
    assert read(text).table["expires"].to_pylist() == [None, 1200]
    assert read(text, lifetime=500).table["expires"].to_pylist() == [1500, 1200]


def test_compressed_and_other_encodings() -> None:
    text = "45.1.2.3\n"
    for data in (gzip.compress(text.encode()), text.encode("utf-8-sig"), text.encode("utf-16")):
        assert names(read(data)) == ["45.1.2.3"]


HOSTILE = {
    "doctype": b'<?xml version="1.0"?><!DOCTYPE s:STIX_Package [<!ENTITY a "x">]><s:STIX_Package xmlns:s="a"/>',
    "billion laughs": b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "&%c;&%c;&%c;&%c;">' % (b, b - 1, b - 1, b - 1, b - 1) for b in range(98, 122))
    + b"]><STIX_Package>&y;</STIX_Package>",
    "external entity": b'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    b"<STIX_Package><Address_Value>&x;</Address_Value></STIX_Package>",
    "external dtd": b'<!DOCTYPE s SYSTEM "https://example.org/x.dtd"><STIX_Package/>',
    "deep xml": b"<STIX_Package>" + b"<a>" * 100_000,
    "deep json": b"[" * 200_000,
    "deep json object": b'{"list":' * 100_000,
    "web page": b"<!DOCTYPE html><html><body>Please log in</body></html>",
    "other xml": b"<rss><a>45.1.2.3</a></rss>",
    "binary": b"\x7fELF\x00\x00\x01\x02" * 50,
    "damaged gzip": gzip.compress(b"45.1.2.3\n" * 100)[:-20],
    "no list": b"Permission is hereby granted,\nfree of charge\n",
    "json of nothing": b'{"error": "rate limited"}',
}  # fmt: skip


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_or_foreign_content_is_one_error(data: bytes) -> None:
    started = time.monotonic()
    with pytest.raises(FeedError) as caught:
        read(data)
    assert "\n" not in str(caught.value)
    assert time.monotonic() - started < 10


def test_gzip_bomb_stops_at_the_limit() -> None:
    with pytest.raises(FeedError, match="larger than"):
        read(gzip.compress(bytes(MAX_BYTES + 1), 1))


def test_one_huge_line_and_a_quote_that_never_ends() -> None:
    loaded = read("45.1.2.3\n" + "x" * 5_000_000 + "\n45.1.2.4\n")
    assert loaded.counts.indicators == 2
    assert all(len(p.text) <= 200 for p in loaded.problems)
    loaded = read('ip,description\n45.1.2.3,"open\n45.1.2.4,fine\n')
    assert names(loaded) == ["45.1.2.3", "45.1.2.4"]


@given(st.sampled_from(sorted(PARSERS)), st.text(max_size=400))
@example("stix2", '{"objects": 3}')
@example("misp", '{"response": {"Event": {"Attribute": [1, null]}}}')
@example("misp-warninglist", "[]")
def test_no_text_breaks_a_parser(form: str, text: str) -> None:
    _balanced(text.encode("utf-8", "replace"), format=form)


@given(st.binary(max_size=400))
@example(b"{}\n")
@example(b'{"ip": 5}\n{"a": 1}\n')
@example(b"\xff\xfe")
def test_no_bytes_break_the_reader(data: bytes) -> None:
    _balanced(data)


def _balanced(data: bytes, **settings: object) -> None:
    try:
        c = read(data, **settings).counts
    except FeedError as error:
        assert "\n" not in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert c.entries == c.indicators + c.domains + c.other + c.broken + c.refused
