"""What packets a conversation is made of: bursts in time, with sizes as stacks send them.

A burst is (time, way, packets, bytes with IP headers, TCP flags, fate). Times are when its first
packet is sent. Invariant: bursts of a conversation are in the order of time.
"""

from __future__ import annotations

import random
from collections.abc import Iterable

from .model import BACK, OUT, PASSED, REFUSED_HERE, REFUSED_THERE, Burst

FIN, SYN, RST, SYN_ACK = 1, 2, 4, 18


def tcp(
    t: float,
    sends: Iterable[tuple[float, int, int]],
    *,
    rtt: float,
    syn: int = 60,
    header: int = 52,
    mss: int = 1448,
    close: str = "fin",
    rate: float = 4e6,
    six: bool = False,
) -> list[Burst]:
    """A TCP connection: `sends` are (seconds to wait, bytes up, bytes down).

    `close` is fin, rst (by the client), or open (nobody closes it). Long transfers come in pieces
    of at most 5 s at `rate` bytes a second.
    """
    extra = 20 if six else 0
    syn, header = syn + extra, header + extra
    made: list[Burst] = [(t, OUT, 1, syn, SYN, PASSED), (t + rtt, BACK, 1, syn, SYN_ACK, PASSED)]
    t += rtt
    made.append((t + 0.0001, OUT, 1, header, 0, PASSED))
    for wait, up, down in sends:
        t += wait + 0.0002
        left = [up, down]
        while any(left):
            piece_up, piece_down = (min(n, int(5 * rate)) for n in left)
            left = [left[0] - piece_up, left[1] - piece_down]
            sent, answered = -(-piece_up // mss), -(-piece_down // mss)
            out, back = sent + (answered + 1) // 2, answered + (sent + 1) // 2  # with plain ACKs
            made.append((t, OUT, out, piece_up + header * out, 0, PASSED))
            made.append((t + rtt, BACK, back, piece_down + header * back, 0, PASSED))
            t += rtt + max(piece_up, piece_down) / rate
    if close == "fin":
        made.append((t + 0.001, OUT, 1, header, FIN, PASSED))
        made.append((t + 0.001 + rtt, BACK, 1, header, FIN, PASSED))
        made.append((t + 0.0011 + rtt, OUT, 1, header, 0, PASSED))
    elif close == "rst":
        made.append((t + 0.001, OUT, 1, 40 + extra, RST, PASSED))
    return made


def closed(t: float, *, rtt: float, size: int = 60, six: bool = False) -> list[Burst]:
    """A SYN and the reset that answers it."""
    extra = 20 if six else 0
    return [
        (t, OUT, 1, size + extra, SYN, PASSED),
        (t + rtt, BACK, 1, 40 + extra, RST, PASSED),
    ]


def half_open(t: float, *, rtt: float, size: int = 40, reset: bool = True) -> list[Burst]:
    """A SYN scanner at an open port: SYN, SYN-ACK and its reset, or SYN-ACK sent again."""
    if reset:
        return [
            (t, OUT, 1, size, SYN, PASSED),
            (t + 0.0001, BACK, 1, 44, SYN_ACK, PASSED),
            (t + rtt, OUT, 1, 40, RST, PASSED),
        ]
    back = [(t + 0.0001 + (1 << n) - 1, BACK, 1, 44, SYN_ACK, PASSED) for n in range(6)]
    return [(t, OUT, 1, size, SYN, PASSED), *back]


def unanswered(t: float, tries: int, *, size: int = 60, fate: int = PASSED) -> list[Burst]:
    """A SYN sent again after 1, 3, 7 … seconds."""
    return [(t + (1 << n) - 1, OUT, 1, size, SYN, fate) for n in range(tries)]


def refused(t: float, tries: int, *, at_sender: bool = False, size: int = 60) -> list[Burst]:
    """The same, refused by a security group or network ACL."""
    fate = REFUSED_HERE if at_sender else REFUSED_THERE
    return unanswered(t, tries, size=size, fate=fate)


def udp(
    t: float, rounds: Iterable[tuple[float, int, int]], *, rtt: float, six: bool = False
) -> list[Burst]:
    """Datagrams: (seconds to wait, payload up, payload down); 0 sends none that way."""
    head = 48 if six else 28
    made: list[Burst] = []
    for wait, up, down in rounds:
        t += wait
        if up:
            made.append((t, OUT, -(-up // 1472), up + head * -(-up // 1472), 0, PASSED))
        if down:
            packets = -(-down // 1472)
            made.append((t + rtt, BACK, packets, down + head * packets, 0, PASSED))
    return made


def ping(t: float, n: int, *, rtt: float, size: int = 84, lost: int = 0) -> list[Burst]:
    """Echo requests, one a second; the last `lost` are not answered."""
    made: list[Burst] = []
    for i in range(n):
        made.append((t + i, OUT, 1, size, 0, PASSED))
        if i < n - lost:
            made.append((t + i + rtt, BACK, 1, size, 0, PASSED))
    return made


def web_sends(
    rng: random.Random, requests: int, *, think: float = 2.0, page: int = 20000
) -> list[tuple[float, int, int]]:
    """Requests and pages of a browser."""
    return [
        (
            0.0 if i == 0 else rng.expovariate(1 / think),
            rng.randrange(300, 1800),
            int(rng.lognormvariate(0, 1) * page) + 200,
        )
        for i in range(requests)
    ]
