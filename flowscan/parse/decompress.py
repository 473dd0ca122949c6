"""Bytes of an object → plain bytes: plain, gzip (any number of members), zstd, gzip in gzip.

Invariant: bounded. Whatever the object claims, no more than the limits of `ParseOptions` comes
out, in pieces of bounded size; a truncated or corrupt object is a RejectedObject, never less data.
"""

from __future__ import annotations

import itertools
import re
import zlib
from collections.abc import Iterable, Iterator

import pyarrow as pa

from flowscan.errors import RejectedObject
from flowscan.parse.model import ParseOptions

PIECE = 4 << 20
"""Bytes that come out at once when streaming."""
WHOLE = 128 << 20
"""A gzip member expanding to no more than this is inflated in one call (libdeflate)."""
_WHOLE_MIN = 64 << 10
_WINDOW = 16 << 10
_GZIP = b"\x1f\x8b\x08"
_ZSTD = b"\x28\xb5\x2f\xfd"
_NESTED = 3


class Meter:
    """Counts bytes in and out and members, and refuses what passes the limits."""

    def __init__(self, options: ParseOptions) -> None:
        self.options = options
        self.read = 0
        self.expanded = 0
        self.members = 0

    def inner(self) -> Meter:
        """A meter for what is packed within: its limits are what is left of this one's."""
        return _Inner(self)

    def reading(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Pass chunks through, counting them."""
        for chunk in chunks:
            self.read += len(chunk)
            yield chunk

    def came(self, size: int) -> None:
        """Account for expanded bytes.

        Raises:
            RejectedObject: too many of them, absolutely or for what was read.
        """
        self.expanded += size
        if self.expanded > self.options.max_expanded:
            raise RejectedObject(f"expands to more than {self.options.max_expanded} bytes")
        if self.expanded > max(self.options.ratio_floor, self.options.max_ratio * self.read):
            raise RejectedObject(f"expands more than {self.options.max_ratio} times")

    def would_refuse(self, size: int) -> bool:
        """Whether so many more bytes would pass a limit."""
        allowed = max(self.options.ratio_floor, self.options.max_ratio * self.read)
        return size <= WHOLE and self.expanded + size > allowed

    def member(self) -> None:
        """Account for one more compressed member.

        Raises:
            RejectedObject: too many of them.
        """
        self.members += 1
        if self.members > self.options.max_members:
            raise RejectedObject(f"more than {self.options.max_members} compressed members")


class _Inner(Meter):
    """Counts for the outer meter; what it reads has been counted there."""

    def __init__(self, outer: Meter) -> None:
        super().__init__(outer.options)
        self._outer = outer

    def came(self, size: int) -> None:
        self.expanded += size
        self.read = self._outer.read
        self._outer.came(size)

    def member(self) -> None:
        self._outer.member()


def plain(chunks: Iterable[bytes], meter: Meter) -> Iterator[bytes | bytearray]:
    """Decompress an object, however often it was compressed.

    Raises:
        RejectedObject: corrupt, truncated, or beyond the limits.
    """
    return _layers(meter.reading(chunks), meter, _NESTED)


def _layers(chunks: Iterator[bytes], meter: Meter, depth: int) -> Iterator[bytes | bytearray]:
    head, chunks = _peek(chunks)
    if head.startswith(_GZIP):
        inner = gunzip(chunks, meter)
    elif head.startswith(_ZSTD):
        inner = unzstd(chunks, meter)
    elif head.startswith((b"\x1f\x8b", b"BZh", b"PK\x03\x04", b"\xfd7zXZ")):
        raise RejectedObject("compressed in a way that flow logs are not")
    else:
        return chunks
    if depth == 0:
        raise RejectedObject("compressed too many times over")
    return _layers(inner, meter, depth - 1)  # type: ignore[arg-type]


def _peek(chunks: Iterator[bytes], size: int = 8) -> tuple[bytes, Iterator[bytes]]:
    held: list[bytes] = []
    have = 0
    for chunk in chunks:
        if chunk:
            held.append(chunk)
            have += len(chunk)
            if have >= size:
                break
    head = b"".join(bytes(h[:size]) for h in held)[:size]
    return head, itertools.chain(held, chunks)


def gunzip(chunks: Iterator[bytes], meter: Meter) -> Iterator[bytes | bytearray]:
    """Inflate all members of a gzip stream; zero padding after the last one is allowed.

    A stream that comes as one chunk (local files do) goes through libdeflate member by member.
    """
    first = next(chunks, b"")
    second = next(chunks, None)
    rest: Iterator[bytes] = iter((first,))
    if second is None:
        done = 0
        for out, end in _whole_members(first, meter):
            done = end
            yield out
        if done == len(first):
            return
        rest = iter((memoryview(first)[done:],))  # type: ignore[arg-type]
    else:
        rest = itertools.chain((first, second), chunks)
    yield from _inflate(rest, meter)


def _whole_members(data: bytes, meter: Meter) -> Iterator[tuple[bytearray, int]]:
    """Inflate members in one call each, as far as that is safe; yields output and its end.

    libdeflate's binding tells neither where a member ends nor that anything follows it. So a
    member is what lies between two places that look like a gzip header (magic, method, and the
    reserved flags unset), and it counts only if its trailer, length and CRC, fits its output.
    """
    starts = [m.start() for m in itertools.islice(_HEADER.finditer(data), 64)]
    ends = [*starts[1:], len(data)]
    if len(starts) == 64 or not starts or starts[0] != 0:
        return  # many members: they are small, and zlib is as good
    begin, passed = 0, False
    for end in ends:
        size = int.from_bytes(data[end - 4 : end], "little")
        if end - begin < _WHOLE_MIN or meter.would_refuse(size):
            return  # small, or let the streaming path find out
        piece = memoryview(data)[begin:end]
        out = _member(piece, size) if 0 < size <= WHOLE else None
        if out is None:
            passed = True  # perhaps no header but compressed bytes that look like one
            continue
        if passed and _expand(piece[:-1], size) is not None:
            return  # it ends before, and what follows it happens to end like it
        meter.member()
        meter.came(size)
        yield out, end
        begin, passed = end, False


def _member(piece: memoryview, size: int) -> bytearray | None:
    """Inflate a member that ends where the piece ends; None when it does not."""
    import deflate

    out = _expand(piece, size)
    if out is None or len(out) != size:
        return None
    return out if deflate.crc32(out) == int.from_bytes(piece[-8:-4], "little") else None


def _expand(piece: memoryview, size: int) -> bytearray | None:
    import deflate

    try:
        out: bytearray = deflate.gzip_decompress(piece, size)
    except (deflate.DeflateError, ValueError):
        return None
    return out


_HEADER = re.compile(rb"\x1f\x8b\x08[\x00-\x1f]")


def _inflate(chunks: Iterator[bytes], meter: Meter) -> Iterator[bytes]:
    """Inflate as a stream, in pieces of about PIECE bytes."""
    held: list[bytes] = []
    size = 0
    for out in _pieces(_windows(chunks), meter):
        held.append(out)
        size += len(out)
        if size >= PIECE:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def _windows(chunks: Iterator[bytes]) -> Iterator[memoryview]:
    # zlib copies what is behind the end of a member: with small members that must not be much
    for chunk in chunks:
        view = memoryview(chunk)
        for at in range(0, view.nbytes, _WINDOW):
            yield view[at : at + _WINDOW]


def _pieces(windows: Iterator[memoryview], meter: Meter) -> Iterator[bytes]:
    inflater = zlib.decompressobj(wbits=31)
    meter.member()
    fresh, later = True, False
    for window in windows:
        data: bytes | memoryview = window
        while len(data):
            if fresh and later:
                data = bytes(data).lstrip(b"\0")
                if not data:
                    break
                meter.member()
            try:
                out = inflater.decompress(data, PIECE)
            except zlib.error as e:
                raise RejectedObject(_why(e, after=later and fresh)) from None
            meter.came(len(out))
            if out:
                yield out
            data, fresh = inflater.unconsumed_tail, False
            if inflater.eof:
                data = inflater.unused_data
                inflater = zlib.decompressobj(wbits=31)
                fresh = later = True
    if not fresh:
        raise RejectedObject("gzip data is truncated")


def _why(error: zlib.error, *, after: bool) -> str:
    if after:
        return "gzip data is followed by something else"
    return "gzip data is corrupt" + (" (checksum)" if "check" in str(error) else "")


def unzstd(chunks: Iterator[bytes], meter: Meter) -> Iterator[bytes]:
    """Expand a zstd stream (any number of frames)."""
    reader = _Reader(chunks)
    meter.member()
    try:
        with pa.CompressedInputStream(pa.PythonFile(reader, mode="r"), "zstd") as stream:
            while out := stream.read(PIECE):
                meter.came(len(out))
                yield out
    except OSError as e:
        raise RejectedObject("zstd data is corrupt or truncated") from e


class _Reader:
    """The few methods of a file that pyarrow needs, over chunks."""

    closed = False

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; empty at the end."""
        while not len(self._rest):
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._rest = memoryview(chunk)
        out, self._rest = self._rest[:size], self._rest[size:]
        return bytes(out)

    def close(self) -> None:
        """Nothing to close: the chunks belong to the caller."""
        self.closed = True
