"""Bytes of an object → plain bytes: plain, gzip (any number of members), zstd, gzip in gzip.

Invariant: bounded. Whatever the object claims, no more than the limits of `ParseOptions` comes
out, in pieces of bounded size; a truncated or corrupt object is a RejectedObject, never less data.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from flowscan.errors import RejectedObject
from flowscan.parse.model import ParseOptions

_zlib: Any
try:
    from isal import isal_zlib as _zlib  # ISA-L: twice to four times as fast
except ImportError:  # no wheel for this machine
    import zlib as _zlib

PIECE = 4 << 20
"""Bytes that come out at once when nothing else is asked for."""
_WINDOW = 32 << 10
_WIDEST = 256 << 10
_GZIP = b"\x1f\x8b\x08"
_ZSTD = b"\x28\xb5\x2f\xfd"
_MARK = 8  # bytes that tell how something is compressed
_NESTED = 3
_SMALL = 64 << 10


class Meter:
    """Counts bytes in and out and members, and refuses what passes the limits.

    `piece` is about how many bytes are to come out at once.
    """

    def __init__(self, options: ParseOptions, piece: int = PIECE) -> None:
        self.options = options
        self.piece = piece
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
        super().__init__(outer.options, outer.piece)
        self._outer = outer

    def came(self, size: int) -> None:
        self.expanded += size
        self.read = self._outer.read
        self._outer.came(size)

    def member(self) -> None:
        self._outer.member()


def plain(chunks: Iterable[bytes], meter: Meter) -> Iterator[bytes]:
    """Decompress an object, however often it was compressed.

    Raises:
        RejectedObject: corrupt, truncated, or beyond the limits.
    """
    return _layers(meter.reading(chunks), meter, _NESTED)


def _layers(chunks: Iterator[bytes], meter: Meter, depth: int) -> Iterator[bytes]:
    head, chunks = peek(chunks, _MARK)
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
    return _layers(inner, meter, depth - 1)


def peek(chunks: Iterator[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """First bytes of a stream, and the stream as if nothing had been taken."""
    first = next(chunks, b"")
    if len(first) >= size:  # nearly always, and a small object is to cost little
        return bytes(first[:size]), itertools.chain((first,), chunks)
    held, have = [first], len(first)
    for chunk in chunks:
        if chunk:
            held.append(chunk)
            have += len(chunk)
            if have >= size:
                break
    head = b"".join(bytes(h[:size]) for h in held)[:size]
    return head, itertools.chain(held, chunks)


def gunzip(chunks: Iterator[bytes], meter: Meter) -> Iterator[bytes]:
    """Inflate all members of a gzip stream; zero padding after a member is allowed."""
    first = next(chunks, b"")
    second = next(chunks, None) if len(first) <= _SMALL else b""
    text = _small(first, meter) if second is None else None
    if text is not None:
        yield text
        return
    chunks = itertools.chain((first, second or b""), chunks)
    held: list[bytes] = []
    size = 0
    for out in _inflate(chunks, meter):
        held.append(out)
        size += len(out)
        if 2 * size > meter.piece:
            yield held[0] if len(held) == 1 else b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def _small(data: bytes, meter: Meter) -> bytes | None:
    """The text of a whole and small stream of one member that is in order, else None.

    The inflater asks for memory once and for the interpreter's lock once; step by step it would
    four times each, which is felt with thousands of small objects and several threads. It does not
    tell where the member ends, but that it ends with the checksum and the length of its text (RFC
    1952, 2.3.1). Where these stand at the very end, and nowhere else, nothing follows.
    """
    trailer = data[-8:]
    size = int.from_bytes(trailer[4:], "little")
    if size > meter.piece or data.find(trailer) != len(data) - 8:
        return None
    try:
        out: bytes = _zlib.decompress(data, wbits=31, bufsize=size + 1)
    except _zlib.error:
        return None
    if len(out) != size or _zlib.crc32(out) != int.from_bytes(trailer[:4], "little"):
        return None
    meter.member()
    meter.came(size)
    return out


def _inflate(chunks: Iterator[bytes], meter: Meter) -> Iterator[bytes]:
    member, window, later = None, _WINDOW, False
    for chunk in chunks:
        view, at = memoryview(chunk), 0
        while at < view.nbytes:
            data = view[at : at + window]
            if member is None:
                padding = _zeros(data) if later else 0
                at += padding
                if padding < data.nbytes:
                    member, window = _Member(meter, later=later), _WINDOW
                continue
            out = member.inflate(data)
            if out:
                yield out
            at += data.nbytes - member.left
            # what is behind the end of a member is copied: with small members it must be little
            window = min(window * 4, _WIDEST)
            if member.ended:
                member, later = None, True
    while member is not None and (out := member.inflate(b"")):
        yield out
        member = None if member.ended else member
    if member is not None:
        raise RejectedObject("gzip data is truncated")


def _zeros(data: memoryview) -> int:
    """Number of zero bytes that it begins with."""
    return data.nbytes - len(bytes(data).lstrip(b"\0"))


class _Member:
    """One gzip member being inflated: `left` bytes of the last piece were not needed."""

    def __init__(self, meter: Meter, *, later: bool) -> None:
        meter.member()
        self._meter = meter
        self._behind = later
        self._inflater = _zlib.decompressobj(wbits=31)
        self.left = 0

    @property
    def ended(self) -> bool:
        """Whether its trailer has been read, and fits."""
        return bool(self._inflater.eof)

    def inflate(self, data: bytes | memoryview) -> bytes:
        """Up to `meter.piece` bytes of its text."""
        try:
            out: bytes = self._inflater.decompress(data, self._meter.piece)
        except _zlib.error as e:
            raise RejectedObject(_why(e, behind=self._behind)) from None
        self._meter.came(len(out))
        self._behind = False
        self.left = len(self._inflater.unused_data or self._inflater.unconsumed_tail)
        return out


def _why(error: Exception, *, behind: bool) -> str:
    if behind:
        return "gzip data is followed by something else"
    return "gzip data is corrupt" + (" (checksum)" if "check" in str(error) else "")


def unzstd(chunks: Iterator[bytes], meter: Meter) -> Iterator[bytes]:
    """Expand a zstd stream (any number of frames)."""
    reader = _Reader(chunks)
    meter.member()
    try:
        with pa.CompressedInputStream(pa.PythonFile(reader, mode="r"), "zstd") as stream:
            while out := stream.read(meter.piece):
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
