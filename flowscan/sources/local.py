"""Files, folders, globs and standard input.

Invariant: a file is read as the one that was listed. Its etag is size and modification time; it
is checked again after the last byte, so that a file changed meanwhile is an error and not a
mixture. Hidden files, lakes and the excluded folders are never listed.
"""

from __future__ import annotations

import glob
import hashlib
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from urllib.parse import quote_from_bytes, unquote_to_bytes

from flowscan.errors import SourceError
from flowscan.sources.keys import parse_key, wanted
from flowscan.sources.model import Payload, SourceObject, SourceOptions, Window

__all__ = ["LocalSource", "StdinSource"]

WHOLE = 64 << 20  # files up to this size are one chunk: the parser works in place
CHUNK = 8 << 20
LAKE_MARK = "_flowscan"  # the folder that makes a folder a lake


class LocalSource:
    """A file, a folder (taken whole) or a glob with `**`."""

    format: tuple[str, ...] | None = None
    concurrency = 0

    def __init__(self, pattern: str, options: SourceOptions) -> None:
        """Raises SourceError when nothing is there."""
        self._pattern = os.path.expanduser(pattern)  # noqa: PTH111 - a glob is no path
        self._exclude = {os.path.realpath(p) for p in options.exclude if "://" not in str(p)}
        if not os.path.lexists(self._pattern) and not self._matches():
            raise SourceError("no such file, folder or match", where=pattern)

    def _matches(self) -> list[str]:
        return sorted(glob.glob(self._pattern, recursive=True))  # noqa: PTH207

    def list(self, window: Window) -> Iterator[SourceObject]:
        """Files in the order of their names; the same file is given once."""
        seen: set[str] = set()
        exists = os.path.lexists(self._pattern)
        for root in [self._pattern] if exists else self._matches():
            top = os.path.abspath(root)  # noqa: PTH100 - links stay unresolved
            for path in self._files(top):
                if path not in seen:
                    seen.add(path)
                    # What lies above the folder that was named says nothing of the records.
                    key = path.removeprefix(os.path.dirname(top) if path == top else top)  # noqa: PTH120
                    found = self._object(path, key, window)
                    if found:
                        yield found

    def _files(self, root: str) -> Iterator[str]:
        if not os.path.isdir(root):  # noqa: PTH112
            yield root
            return
        for folder, folders, files in os.walk(root, onerror=_raise):
            if LAKE_MARK in folders or os.path.realpath(folder) in self._exclude:
                folders.clear()
                continue
            folders[:] = sorted(f for f in folders if not f.startswith("."))
            for name in sorted(files):
                if not name.startswith("."):
                    yield os.path.join(folder, name)  # noqa: PTH118

    def _object(self, path: str, key: str, window: Window) -> SourceObject | None:
        try:
            status = os.stat(path)  # noqa: PTH116
        except OSError as error:
            raise SourceError(error.strerror or "cannot be read", where=path) from error
        if stat.S_ISDIR(status.st_mode):
            return None
        info = parse_key(key)
        if not wanted(key, info, window):
            return None
        # as Path.as_uri, without the path
        uri, etag = f"file://{quote_from_bytes(os.fsencode(path))}", _etag(status)
        return SourceObject(uri, status.st_size, etag, info.time, info.account, info.region)

    def read(self, obj: SourceObject) -> Payload:
        """The file's bytes; SourceError when it is not, or no longer, the file listed."""
        path = os.fsdecode(unquote_to_bytes(obj.uri.removeprefix("file://")))
        payload = Payload(iter(()))
        payload.chunks = _chunks(path, obj, payload)
        return payload

    def done(self, objects: Iterable[SourceObject]) -> None:
        """Files stay where they are."""

    def close(self) -> None:
        """Nothing is held open."""


def _raise(error: OSError) -> None:
    raise SourceError(error.strerror or "cannot be listed", where=error.filename) from error


def _etag(status: os.stat_result) -> str:
    return f"{status.st_size:x}-{status.st_mtime_ns:x}"


def _chunks(path: str, obj: SourceObject, payload: Payload) -> Iterator[bytes]:
    digest = hashlib.sha256()
    try:
        file = os.open(path, os.O_RDONLY)  # of a file object, opening takes twice as long
        try:
            if obj.etag != _etag(os.fstat(file)):
                raise SourceError("changed since it was listed", where=path)
            step = obj.size + 1 if obj.size <= WHOLE else CHUNK
            left = obj.size
            while chunk := os.read(file, step):
                digest.update(chunk)
                yield chunk
                left -= len(chunk)
                if left == 0 and len(chunk) < step:
                    break  # as long as it was listed: need not be asked for its end
            if obj.etag != _etag(os.fstat(file)):
                raise SourceError("changed while it was read", where=path)
        finally:
            os.close(file)
    except OSError as error:
        raise SourceError(error.strerror or "cannot be read", where=path) from error
    payload.digest = f"sha256:{digest.hexdigest()}"


class StdinSource:
    """Standard input: one object, whose identity is its content."""

    format: tuple[str, ...] | None = None
    concurrency = 0

    def list(self, window: Window) -> Iterator[SourceObject]:
        """The one object, size unknown (0)."""
        yield SourceObject("stdin:", 0, "")

    def read(self, obj: SourceObject) -> Payload:
        """Everything up to the end of standard input."""
        payload = Payload(iter(()))
        payload.chunks = self._chunks(payload)
        return payload

    def _chunks(self, payload: Payload) -> Iterator[bytes]:
        digest = hashlib.sha256()
        while chunk := sys.stdin.buffer.read(CHUNK):
            digest.update(chunk)
            yield chunk
        payload.digest = f"sha256:{digest.hexdigest()}"

    def done(self, objects: Iterable[SourceObject]) -> None:
        """Nothing to acknowledge."""

    def close(self) -> None:
        """Standard input belongs to the caller."""
