"""What a feed may not do."""

from __future__ import annotations

import pytest

from flowscan.feeds import Feed, load
from flowscan.feeds.model import Policy
from flowscan.feeds.safety import held_back, refusal
from flowscan.net.address import parse_interval

REFUSED = [
    "0.0.0.0/0", "::/0", "1.0.0.0/7", "0.0.0.0", "10.0.0.0/8", "10.1.2.3", "172.16.0.0/12",
    "172.31.255.255", "192.168.1.1", "100.64.0.1", "127.0.0.1", "169.254.169.254", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fc00::1",
    "fd12::/16", "ff02::1", "2000::/3", "2000::/18", "172.0.0.0/10", "9.255.255.0-10.0.0.255",
    "::ffff:10.0.0.1", "::ffff:0:0/96", "::ffff:0:0/64",
]  # fmt: skip
TAKEN = [
    "1.0.0.0/8", "8.8.8.8", "172.15.255.255", "172.32.0.0", "192.167.0.0/16", "11.0.0.0",
    "100.63.255.255", "100.128.0.0", "223.255.255.255", "2a00::/19", "2606:4700::1111",
    "192.0.2.0/24", "198.51.100.1", "2001:db8::/32",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str) -> None:
    interval = parse_interval(text)
    assert interval is not None
    assert refusal(*interval, Policy()) is not None


@pytest.mark.parametrize("text", TAKEN)
def test_taken(text: str) -> None:
    interval = parse_interval(text)
    assert interval is not None
    assert refusal(*interval, Policy()) is None


def test_the_user_may_ask_for_it() -> None:
    data = b"10.0.0.0/8\n0.0.0.0/0\n"
    assert load(data, Feed("f", "x"), now=0).counts.refused == 2
    assert load(data, Feed("f", "x", private=True), now=0).counts.indicators == 1
    assert load(data, Feed("f", "x", private=True, broad=True), now=0).counts.indicators == 2


@pytest.mark.parametrize(
    ("before", "now", "held"),
    [
        (0, 5, False), (0, 0, False), (5, 0, True), (10, 1, False), (100, 19, True),
        (100, 20, False), (100, 1500, False), (100, 1501, True), (1000, 5999, False),
        (1000, 6001, True), (120_430, 90_000, False), (120_430, 20, True),
    ],
)  # fmt: skip
def test_held_back(before: int, now: int, held: bool) -> None:
    assert (held_back(before, now) is not None) is held
