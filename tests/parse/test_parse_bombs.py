"""Objects made to exhaust the reader: refused or read, under a ceiling of memory and time."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

COMMON = """
import gzip, json, resource, sys, time, base64
import numpy, polars, pyarrow.parquet
from flowscan.errors import RejectedObject
from flowscan.parse import ParseOptions, Sink, parse, kernel_name
from flowscan.parse.arrow_text import ArrowText
import flowscan.parse.parquet
LINE = (b"2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 "
        b"1418530010 1418530070 ACCEPT OK\\n")
def go(chunks, kernel="auto", **options):
    sink, flows = Sink(kernel=kernel), 0
    try:
        for _ in parse(chunks, ParseOptions(**options), sink):
            flows += sum(b.num_rows for b in sink.drain().flows)
        flows += sum(b.num_rows for b in sink.drain().flows)
    except RejectedObject as e:
        return str(e)
    return flows, sink.counts.rejects
def pieces(piece, times):
    return (piece for _ in range(times))
"""


def under_ceiling(script: str, megabytes: int = 500) -> str:
    """Run with so much more address space than the imports took."""
    limit = f"""
now = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (now + ({megabytes} << 20),) * 2)
"""
    done = subprocess.run(
        [sys.executable, "-c", COMMON + textwrap.dedent(limit) + textwrap.dedent(script)],
        capture_output=True, text=True, timeout=170, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")


def test_a_gigabyte_of_zeros() -> None:
    script = """
    import zlib
    def bomb(head):
        packer = zlib.compressobj(9, wbits=-15)
        start = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
        zeros = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
        return b"\\x1f\\x8b\\x08" + bytes(7) + start + zeros * 1024
    assert len(bomb(b"")) < 1.1e6
    inner = json.dumps({"awslogs": {"data": base64.b64encode(bomb(LINE)).decode()}})
    for data in (bomb(b""), bomb(LINE), gzip.compress(bomb(LINE)), inner.encode()):
        print(go([data]))
    """
    first, *rest = under_ceiling(script).splitlines()
    assert first == "not a flow log: binary data"
    assert all("expands" in why for why in rest)
    assert len(rest) == 3


@pytest.mark.slow
def test_a_million_members() -> None:
    script = """
    one = gzip.compress(LINE)
    print(go(pieces(one * 1000, 1000)))
    print(go([one * 1_000_000]))
    print(go([gzip.compress(b"") * 1_000_000]))
    print(go(pieces(one * 100, 100)))
    """
    refused = "more than 200000 compressed members"
    assert under_ceiling(script).splitlines() == [refused] * 3 + ["(10000, 0)"]


@pytest.mark.parametrize("kernel", ["auto", "arrow"])
def test_a_line_of_100_megabytes(kernel: str) -> None:
    script = f"""
    for size in (1 << 20, 100_000_000):
        long = (LINE + (b"x" * size + b"\\n" if size > 2e7 else b"") for _ in (1,))
        body = [LINE, *pieces(b"y" * (1 << 20), 100), b"\\n" + LINE] if size < 2e7 else long
        print(go(body, kernel="{kernel}"))
    print(go([LINE, *pieces(b" " * (1 << 20), 100), LINE], kernel="{kernel}"))
    """
    # the test itself makes and holds 200 MB
    want = ["(2, 1)", "(1, 1)", "(1, 1)"]
    assert under_ceiling(script, 800).splitlines() == want


def test_many_formats_and_rejects() -> None:
    script = """
    import itertools
    names = ["srcaddr", "dstaddr", "packets", "bytes", "action", "region", "start"]
    heads = [" ".join(p) for p in itertools.permutations(names)]
    print(go([("\\n".join(heads[:3000]) + "\\n").encode()]))
    print(go(pieces(b"a b c\\n" * 100_000, 2), format=("srcaddr", "start")))
    print(go([LINE, *pieces(b"a b c\\n" * 100_000, 2)])[1])
    print(go([LINE, *pieces(b"\\xff\\n" * 100_000, 2)])[1])
    """
    out = under_ceiling(script).splitlines()
    assert out[0] == "(0, 0)"
    assert "not a flow log" in out[1]
    assert out[2:] == ["200000", "200000"]


def test_json_that_does_not_end() -> None:
    script = """
    start = b'{"message": "'
    print(go([start, *pieces(b"x" * (1 << 20), 200)], max_json=8 << 20))
    print(go([b"[", *pieces(b'{"a": 1},' * 100_000, 20)]))
    """
    out = under_ceiling(script, 700).splitlines()
    assert all("not a flow log" in line for line in out)


def test_parquet_whose_strings_repeat() -> None:
    script = """
    import pyarrow as pa, io
    rows = 200_000
    text = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["x" * 60_000]))
    table = pa.table({"srcaddr": pa.array(["1.1.1.1"] * rows), "start": [1] * rows,
                      "interface_id": text, "other": text})
    out = io.BytesIO()
    pyarrow.parquet.write_table(table, out, compression="gzip")
    assert out.tell() < 2e6
    print(go([out.getvalue()]))
    """
    assert under_ceiling(script, 900) == "(200000, 0)"
