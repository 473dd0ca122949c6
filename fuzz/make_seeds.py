"""Write the seeds of fuzz_kernel.c: a head that chooses the plan, then a few lines of text.

    python fuzz/make_seeds.py

Head: number of fields (0: default format), comma, max_line (0: 2000), hash seed, whether lines
without time get one, where to split; then one byte a field for its kind.
"""

from __future__ import annotations

from pathlib import Path

SEEDS = Path(__file__).parent / "seeds"
FLOW = b"2 123456789012 eni-0123456789abcdef0 10.0.0.1 198.51.100.7 443 49152 6 10 8400 1785542400"
FLOW += b" 1785542460 ACCEPT OK\n"
IDLE = b"2 123456789012 eni-0123456789abcdef0 - - - - - - - 1785542400 1785542460 - NODATA\n"
HEADER = b"version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes"
HEADER += b" start end action log-status\n"
DEFAULT = bytes([0, 0, 0, 9, 0, 3])
COMMA = bytes([0, 1, 0, 9, 0, 3])

TEXTS: dict[str, bytes] = {
    "flows": DEFAULT + FLOW * 8,
    "mixed": DEFAULT + FLOW * 2 + IDLE + FLOW + IDLE.replace(b"NODATA", b"SKIPDATA") + FLOW,
    "header": DEFAULT + FLOW + HEADER + FLOW,
    "ipv6": DEFAULT + FLOW.replace(b"10.0.0.1", b"2001:db8::ffff:192.0.2.1") * 3,
    "bad": DEFAULT + FLOW.replace(b"443", b"70000") + FLOW.replace(b"ACCEPT", b"MAYBE") + b"2 1\n",
    "odd": DEFAULT
    + b"# note\r\n\r\n  "
    + FLOW.replace(b" ", b"  \t")
    + FLOW.replace(b"\n", b"\r\n") * 3,
    "comma": COMMA + (FLOW.replace(b" ", b",") + IDLE.replace(b" ", b" , ").replace(b"-", b"")) * 2,
    "quoted": COMMA + FLOW.replace(b" ", b'","').replace(b"\n", b'"\n').replace(b"2", b'"2', 1),
    "no-time": bytes([3, 0, 0, 1, 1, 0, 1, 6, 4]) + b"10.0.0.1 17 80\n- - 80\n10.0.0.2 1 65536\n",
    "milliseconds": bytes([2, 0, 40, 1, 0, 2, 7, 0]) + b"1785542400123 a\n1 b\n- c\n" + b"x" * 60,
    "one": bytes([1, 1, 0, 1, 1, 2, 1]) + b"10.0.0.1\n::1\n\n-\n'1'\n",
    "numbers": bytes([2, 0, 0, 1, 1, 2, 6, 8])
    + b"9223372036854775807 5\n9223372036854775808 5\n007 -\n",
    "windows": DEFAULT + (FLOW * 160)[:-40] + IDLE * 3 + FLOW * 20,
}

if __name__ == "__main__":
    SEEDS.mkdir(exist_ok=True)
    for name, text in TEXTS.items():
        (SEEDS / name).write_bytes(text)
