"""Who owns the kernel's memory, and for how long: leaks, lifetimes, threads."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from pathlib import Path

import pyarrow as pa
import pytest

from flowscan.parse import native_text
from flowscan.parse.model import Plan
from flowscan.parse.native_text import NativeText
from flowscan.schema import DEFAULT_FORMAT

sys.path.insert(0, str(Path(__file__).parent))
from line_text import rows_of

pytestmark = pytest.mark.skipif(not native_text.available(), reason="the kernel is not built")

PLAN = Plan(DEFAULT_FORMAT)
STATM = Path("/proc/self/statm")


def flow(i: int, status: str = "OK") -> str:
    return (
        f"2 123456789012 eni-{i % 997:017x} 10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255} 10.0.0.1 "
        f"443 {i & 65535} 6 {i} {i} 1700000000 1700000060 ACCEPT {status}\n"
    )


def block(first: int, count: int) -> bytes:
    idle = [flow(i, "NODATA") for i in range(first, first + count, 50)]
    bad = [flow(i).replace("ACCEPT", "MAYBE") for i in range(first, first + count, 40)]
    return "".join([*map(flow, range(first, first + count)), *idle, *bad]).encode()


def resident() -> int:
    return int(STATM.read_text().split()[1]) * 4096


@pytest.mark.skipif(not STATM.exists(), reason="needs /proc")
@pytest.mark.skipif(
    "asan" in os.environ.get("LD_PRELOAD", ""), reason="AddressSanitizer keeps freed memory"
)
def test_repeated_feeding_and_draining_does_not_grow() -> None:
    blocks = [block(i * 7_000, 5_000) for i in range(3)]
    native = NativeText(PLAN, max_line=999)

    def rounds(count: int) -> None:
        for i in range(count):
            native.feed(blocks[i % 3], 1, final=True)
            native.feed(blocks[(i + 1) % 3], 1, final=False)
            flows, coverage = native.drain()
            assert flows.num_rows > 9_000
            assert coverage.num_rows > 100
            NativeText(PLAN, max_line=999).feed(blocks[i % 3][:2000], 1, final=True)

    rounds(60)
    gc.collect()
    before = resident()
    rounds(240)
    gc.collect()
    assert resident() - before < 8 << 20


def test_arrays_outlive_the_parser_and_are_not_written_again() -> None:
    native = NativeText(PLAN, max_line=999)
    native.feed(block(0, 500), 1, final=True)
    flows, coverage = native.drain()
    kept = [
        flows.column("srcaddr").chunk(0),
        flows.column("bytes").chunk(0),
        flows.column("interface_id").chunk(0).dictionary,
    ]
    expected = rows_of(flows), rows_of(coverage), [c.to_pylist() for c in kept]
    native.feed(block(90_000, 500), 1, final=True)
    second = native.drain()
    assert (rows_of(flows), rows_of(coverage)) == expected[:2]
    del flows, coverage, second
    for i in range(5):  # would overwrite memory that was taken back too early
        native.feed(block(i * 1000, 500), 1, final=True)
        native.drain()
    del native
    gc.collect()
    assert [c.to_pylist() for c in kept] == expected[2]


def test_memory_comes_back() -> None:
    """Batches that were let go are used again, so that no fresh pages are touched."""
    native = NativeText(PLAN, max_line=999)

    def address() -> int:
        native.feed(block(0, 500), 1, final=True)
        flows, _ = native.drain()
        return int(flows.column("bytes").chunk(0).buffers()[1].address)

    assert len({address() for _ in range(10)}) <= 2


def test_results_are_plain_arrow() -> None:
    native = NativeText(PLAN, max_line=999)
    native.feed(block(0, 300), 1, final=True)
    flows, _ = native.drain()
    assert flows.schema.field("srcaddr").type == pa.dictionary(pa.int32(), pa.string())
    table = pa.concat_tables([flows, flows]).combine_chunks()
    assert table.num_rows == 600
    assert flows.column("version").null_count == 0


def test_other_threads_run_meanwhile() -> None:
    """The interpreter is free while text is parsed; one parser refuses two threads at once."""
    native = NativeText(PLAN, max_line=999)
    data = block(0, 50_000) * 8
    seen: list[str] = []
    running = threading.Event()

    def work() -> None:
        running.set()
        native.feed(data, 1, final=True)
        seen.append("fed")

    thread = threading.Thread(target=work)
    thread.start()
    running.wait()
    deadline = time.monotonic() + 30
    while not seen and time.monotonic() < deadline:
        try:
            native.feed(b"", 1, final=True)
        except RuntimeError as error:
            seen.append(str(error))
    thread.join()
    assert "another thread" in seen[0]


def test_parsers_in_parallel_do_not_share_anything() -> None:
    texts = [block(i * 100_000, 3_000) for i in range(4)]

    def parsed(text: bytes) -> list[tuple[object, ...]]:
        native = NativeText(PLAN, max_line=999)
        native.feed(text, 1, final=True)
        return rows_of(native.drain()[0])

    expected = [parsed(t) for t in texts]
    results: list[list[tuple[object, ...]]] = [[] for _ in texts]

    def work(i: int) -> None:
        for _ in range(3):
            results[i] = parsed(texts[i])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == expected


@pytest.mark.parametrize(
    "wrong",
    [
        {"kinds": [9]},
        {"kinds": []},
        {"kinds": [0] * 2000},
        {"limits": [-1]},
        {"start": 0},
        {"start": 5},
        {"status": 0},
        {"coverage": [0]},
        {"coverage": [7, -1, -1, -1, -1]},
        {"traffic": [1]},
        {"traffic": [0] * 9},
        {"max_line": 0},
        {"max_line": 1 << 40},
        {"known": b"no end"},
        {"kinds": ["x"]},
        {"kinds": 7},
    ],
    ids=str,
)
def test_a_wrong_plan_is_refused(wrong: dict[str, object]) -> None:
    from flowscan.parse import _kernel

    good: dict[str, object] = {
        "kinds": [0],
        "limits": [0],
        "comma": False,
        "max_line": 99,
        "start": -1,
        "end": -1,
        "status": -1,
        "coverage": [0, -1, -1, -1, -1],
        "traffic": [],
        "known": b"start\0",
        "seed": 1,
        "instructions": "",
    }
    _kernel.Parser(**good)
    with pytest.raises((ValueError, TypeError)):
        _kernel.Parser(**(good | wrong))
