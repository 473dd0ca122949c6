"""Both implementations of text parsing give the same batches, coverage and rejects."""

from __future__ import annotations

import os
import random
import sys
from itertools import islice
from pathlib import Path

import pytest

from flowscan.errors import RejectedObject
from flowscan.parse import ParseOptions, Sink, native_text, parse
from flowscan.parse.arrow_text import ArrowText
from flowscan.parse.native_text import NativeText

sys.path.insert(0, str(Path(__file__).parent))
from line_text import rows_of
from test_native_text import MAX_LINE, PLANS, text_of

pytestmark = pytest.mark.skipif(not native_text.available(), reason="the kernel is not built")

CORPUS = Path(os.environ.get("FLOWSCAN_CORPUS", Path(__file__).parents[3] / "shared" / "corpus"))


@pytest.mark.parametrize("plan", PLANS, ids=lambda p: f"{len(p.columns)}{p.delimiter.decode()}")
@pytest.mark.parametrize("seed", range(4))
def test_text_with_trouble(plan, seed) -> None:
    rng = random.Random(seed)
    text = bytearray(text_of(plan, 1500, seed))
    for _ in range(seed * 20):
        text[rng.randrange(len(text))] = rng.choice(b"\n\r \t,x\xff\0#-09")
    native, by_arrow = (kind(plan, max_line=MAX_LINE) for kind in (NativeText, ArrowText))
    for when in (None, 1_650_000_000):
        cut = rng.randrange(len(text))
        for part in (text[:cut], text[cut:]):
            assert native.feed(bytes(part), 1, final=True, times=when) == by_arrow.feed(
                bytes(part), 1, final=True, times=when
            )
        for a, b in zip(native.drain(), by_arrow.drain(), strict=True):
            assert a.schema == b.schema
            assert rows_of(a) == rows_of(b)


def outcome(path: Path, kernel) -> object:
    sink = Sink(kernel=kernel)
    try:
        for _ in parse(iter([path.read_bytes()]), ParseOptions(default_time=5), sink):
            pass
    except Exception as error:  # noqa: BLE001 - whatever it is, both must raise it
        return type(error), str(error)
    drained = sink.drain()
    batches = [rows_of(b) for b in [*drained.flows, drained.coverage]]
    return sink.shape, sink.counts, sink.rejects, batches


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus is not here")
def test_real_logs() -> None:
    files = (p for p in sorted((CORPUS / "flowlogs").rglob("*")) if p.is_file())
    small = [p for p in files if p.stat().st_size < 1 << 20]
    assert small
    for path in islice(small, 300):
        assert outcome(path, "native") == outcome(path, "arrow"), path


@pytest.mark.parametrize("kernel", ["native", "arrow"])
def test_formats_and_long_lines_are_held_to_account(kernel) -> None:
    """What is held is known by its text, so that a worker drains in time whatever lines hold."""
    sink = Sink(kernel=kernel)
    line = b"2 123456789012 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 1 1700000000 1700000060 ACCEPT OK\n"
    for _ in parse(iter([line * 100]), ParseOptions(), sink):
        pass
    assert sink.text_bytes > 100 * len(line)
    sink.drain()
    assert sink.text_bytes == 0


def test_an_object_of_ever_new_fields_is_refused() -> None:
    lines = [f"version srcaddr start x{i}\n2 10.0.0.1 1700000000 a\n" for i in range(300)]
    with pytest.raises(RejectedObject, match="changes too often"):
        list(parse(iter(["".join(lines).encode()]), ParseOptions(), Sink(kernel="native")))
