"""Addresses as reports write them, and what is no address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowscan.feeds.spelling import kind_of, loose_interval
from flowscan.net.address import parse_interval


@pytest.mark.parametrize(
    "text",
    [
        "198.51.100[.]7", "198.51.100.7:443", '"198.51.100.7"', "hxxp://198.51.100.7/x.exe",
        "https://user:word@198.51.100.7:8443/a?b", "http://198[.]51[.]100[.]7/",
    ],
)  # fmt: skip
def test_addresses_as_reports_write_them(text: str) -> None:
    assert loose_interval(text) == (4, 0xC6336407, 0xC6336407)


def test_bracketed_ipv6() -> None:
    assert loose_interval("[2001:db8::7]:443") == loose_interval("http://[2001:db8::7]/")
    assert loose_interval("[2001:db8::7]:443") == parse_interval("2001:db8::7")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("example.org", "domain"), ("*.example.org", "domain"), ("a_b.example.co.uk.", "domain"),
        ("http://example.org/x", "domain"), ("evil[.]example[.]org", "domain"),
        ("example.org:8080", "domain"), ("a" * 32, "other"), ("0" * 64, "other"),
        ("someone@example.org", "other"), ("1.2.3.999", "broken"), ("hello world", "broken"),
        ("1.2.3.4.5", "broken"), ("", "broken"), ("localhost", "broken"),
    ],
)  # fmt: skip
def test_what_is_no_address(text: str, kind: str) -> None:
    assert kind_of(text) == kind


@given(st.text(max_size=200))
def test_no_text_raises(text: str) -> None:
    loose_interval(text)
    assert kind_of(text) in {"domain", "other", "broken"}
