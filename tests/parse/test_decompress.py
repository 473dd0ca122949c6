"""gzip, zstd, members, nesting: the same bytes come out, or the object is refused."""

from __future__ import annotations

import gzip
import random
import zlib

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowscan.errors import RejectedObject
from flowscan.parse import ParseOptions, decompress
from flowscan.parse.decompress import Meter, plain

RANDOM = random.Random(3)
SMALL = b"some text\n"
BIG = RANDOM.randbytes(300_000)
TEXT = b"".join(b"%d %d\n" % (i, i * i % 1009) for i in range(60_000))
ZSTD = pa.Codec("zstd")


def zstd(data: bytes) -> bytes:
    return ZSTD.compress(data, asbytes=True)


@pytest.fixture(params=["isal", "zlib"], autouse=True)
def inflater(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With ISA-L, and with zlib as on machines that ISA-L does not know."""
    library = pytest.importorskip("isal.isal_zlib") if request.param == "isal" else zlib
    monkeypatch.setattr(decompress, "_zlib", library)


def expand(*chunks: bytes, piece: int = decompress.PIECE, **options: int) -> bytes:
    return b"".join(plain(iter(chunks), Meter(ParseOptions(**options), piece)))


def in_pieces(data: bytes, size: int) -> list[bytes]:
    return [data[i : i + size] for i in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1 << 30, 65536, 997])
@pytest.mark.parametrize(
    ("data", "want"),
    [
        (SMALL, SMALL),
        (b"", b""),
        (gzip.compress(SMALL, mtime=0), SMALL),
        (gzip.compress(b"", mtime=0), b""),
        (gzip.compress(BIG, mtime=0), BIG),
        (gzip.compress(TEXT, mtime=0), TEXT),
        (gzip.compress(BIG, mtime=0) * 2, BIG * 2),
        (gzip.compress(BIG, mtime=0) + gzip.compress(TEXT, mtime=0) * 3, BIG + TEXT * 3),
        (
            gzip.compress(TEXT, mtime=0)
            + gzip.compress(b"", mtime=0)
            + gzip.compress(SMALL, mtime=0),
            TEXT + SMALL,
        ),
        (gzip.compress(SMALL, mtime=0) * 200, SMALL * 200),
        (gzip.compress(BIG, mtime=0) + bytes(512), BIG),
        (gzip.compress(BIG, mtime=0) + bytes(512) + gzip.compress(SMALL, mtime=0), BIG + SMALL),
        (gzip.compress(gzip.compress(BIG), mtime=0), BIG),
        (gzip.compress(gzip.compress(SMALL, mtime=0) + gzip.compress(BIG, mtime=0)), SMALL + BIG),
        (
            gzip.compress(BIG + b"\x1f\x8b\x08\x00" + BIG, 0, mtime=0),
            BIG + b"\x1f\x8b\x08\x00" + BIG,
        ),
        (zstd(TEXT), TEXT),
        (zstd(TEXT) + zstd(SMALL), TEXT + SMALL),
        (gzip.compress(zstd(TEXT), mtime=0), TEXT),
    ],
)
def test_what_goes_in_comes_out(data: bytes, want: bytes, size: int) -> None:
    assert expand(*in_pieces(data, size)) == want


def test_header_with_name_and_extra_field() -> None:
    body = zlib.compressobj(wbits=-15)
    raw = body.compress(TEXT) + body.flush()
    end = zlib.crc32(TEXT).to_bytes(4, "little") + len(TEXT).to_bytes(4, "little")
    head = b"\x1f\x8b\x08\x0c" + bytes(6) + b"\x04\0abcd" + b"name\x1f\x8b\x08\x01.log\0"
    assert expand(head + raw + end) == TEXT


@pytest.mark.parametrize(
    "data", [gzip.compress(BIG, mtime=0), gzip.compress(SMALL, mtime=0), zstd(TEXT)]
)
def test_truncated(data: bytes) -> None:
    for size in {1, 2, 5, 9, 12, len(data) // 2, len(data) - 9, len(data) - 1}:
        if data[:size].startswith((b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd")):
            with pytest.raises(RejectedObject, match="truncated"):
                expand(data[:size])
    with pytest.raises(RejectedObject, match="truncated"):
        expand(data + data[: len(data) // 2])


@pytest.mark.parametrize("original", [BIG, SMALL * 30])
def test_flipped_bytes_never_pass_for_data(original: bytes) -> None:
    data = gzip.compress(original, mtime=0)
    for at in [*range(4), *range(10, 16), len(data) // 2, *range(len(data) - 8, len(data))]:
        bad = bytearray(data)
        bad[at] ^= 0x41
        try:
            out = expand(bytes(bad))
        except RejectedObject:
            continue
        assert out == bytes(bad) or out == original, at  # no gzip any more, or a flag of no account


@pytest.mark.parametrize("tail", [b"junk", b"\0\0junk", b"\x1f\x8b"])
def test_something_behind_the_last_member(tail: bytes) -> None:
    for data in (BIG, SMALL):
        with pytest.raises(RejectedObject, match=r"followed by|truncated"):
            expand(gzip.compress(data, mtime=0) + tail)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    parts=st.lists(st.sampled_from([b"", SMALL, TEXT, BIG[:70_000]]), min_size=1, max_size=4),
    size=st.integers(1, 400_000),
    padding=st.integers(0, 3),
    piece=st.integers(1000, 1 << 20),
    level=st.sampled_from([0, 1, 6]),
)
def test_any_members_in_any_pieces(
    parts: list[bytes], size: int, padding: int, piece: int, level: int
) -> None:
    data = bytes(padding).join(gzip.compress(p, level, mtime=0) for p in parts)
    pieces = in_pieces(data, max(size, len(data) // 50))
    assert expand(*pieces, piece=piece) == b"".join(parts)


@pytest.mark.parametrize("length", [1, 7, 300, 4000])
def test_text_that_ends_where_a_piece_ends(length: int) -> None:
    """The last input is consumed before the last output has come."""
    for text in (bytes(length), BIG[:length], TEXT[:length]):
        data = gzip.compress(text, mtime=0)
        for piece in {1, 2, length - 1, length, length + 1} - {0}:
            assert expand(data, piece=piece) == text
            assert expand(data * 2, piece=piece) == text * 2


@pytest.mark.parametrize("padding", range(4))
def test_equal_members_are_not_taken_for_one(padding: int) -> None:
    """The trailer of the last one fits the first one too, and padding hides where that ends."""
    for part in (BIG[:70_000], BIG):
        member = gzip.compress(part, 1, mtime=0)
        assert expand(member + bytes(padding) + member) == part + part


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.sampled_from([b"", SMALL, SMALL * 50, TEXT[:9_000]]), min_size=1, max_size=3),
    tail=st.sampled_from([b"", bytes(7), b"junk", b"\x1f\x8b\x08"]),
    flips=st.lists(st.tuples(st.integers(0, 300), st.integers(1, 255)), max_size=2),
    cut=st.integers(0, 20),
    split=st.integers(1, 60),
)
def test_a_small_stream_at_once_is_as_in_pieces(
    texts: list[bytes], tail: bytes, flips: list[tuple[int, int]], cut: int, split: int
) -> None:
    """Whole and small it may be inflated in one call, which sees less of what is wrong with it."""
    data = bytearray(b"".join(gzip.compress(text, mtime=0) for text in texts) + tail)
    for back, mask in flips:  # the end holds what the short cut goes by
        data[-1 - back % len(data)] ^= mask
    data = data[: max(split + 1, len(data) - cut)]

    def outcome(*chunks: bytes) -> bytes | None:
        try:
            return expand(*chunks)
        except RejectedObject:
            return None

    assert outcome(bytes(data)) == outcome(bytes(data[:split]), bytes(data[split:]))


def test_compressed_bytes_that_look_like_a_header() -> None:
    text = BIG[:100_000] + b"\x1f\x8b\x08\x00" + BIG[100_000:]
    for level in (0, 6):
        member = gzip.compress(text, level, mtime=0)
        assert expand(member) == text
        assert expand(member + member) == text + text


def test_a_length_that_lies_does_not_pass() -> None:
    """The last four bytes say how long the text is; they ask for memory and prove nothing."""
    bomb = bytearray(gzip.compress(bytes(20 << 20), mtime=0))
    assert len(bomb) < 64 << 10
    for claimed in (0, 100, 20 << 20, (1 << 32) - 1):
        bomb[-4:] = claimed.to_bytes(4, "little")
        with pytest.raises(RejectedObject, match=r"corrupt|times"):
            expand(bytes(bomb))


def test_limits() -> None:
    bomb = gzip.compress(bytes(40 << 20), mtime=0)
    for data in (bomb, gzip.compress(bomb, mtime=0), zstd(bytes(40 << 20))):
        for chunks in ([data], in_pieces(data, 1000)):
            with pytest.raises(RejectedObject, match="expands more than 250 times"):
                expand(*chunks)
    with pytest.raises(RejectedObject, match="more than 99999 bytes"):
        expand(gzip.compress(BIG, mtime=0), max_expanded=99_999)
    with pytest.raises(RejectedObject, match="more than 10 compressed members"):
        expand(gzip.compress(SMALL, mtime=0) * 11, max_members=10)
    assert len(expand(bomb, max_ratio=2000)) == 40 << 20
    deep = SMALL
    for _ in range(5):
        deep = gzip.compress(deep, mtime=0)
    with pytest.raises(RejectedObject, match="too many times"):
        expand(deep)


@pytest.mark.parametrize("head", [b"BZh9", b"PK\x03\x04", b"\xfd7zXZ\x00", b"\x1f\x8b\x07"])
def test_other_compressions(head: bytes) -> None:
    with pytest.raises(RejectedObject, match="compressed in a way"):
        expand(head + bytes(100))
