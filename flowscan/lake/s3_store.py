"""A lake's files under a prefix of an S3 bucket.

Invariant: a key is created by a conditional put (`If-None-Match: *`), and whether it exists is
then read back, never concluded from an answer that may have been lost or may belong to another
attempt. A server that ignores the condition is refused before it can hold a lake.
"""

from __future__ import annotations

import contextlib
import io
import random
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from flowscan.errors import LakeError, SourceError
from flowscan.lake import layout
from flowscan.lake.store import Claim, Entry, Fault, Sink
from flowscan.sources.aws import Bucket
from flowscan.sources.model import SourceOptions

T = TypeVar("T")

LIFE = 12 * 3600
"""Seconds that a transaction on S3 may take; its staging is garbage after twice that."""

SPOOL = 16 << 20
TRIES = 8
_PREFIX = re.compile(r"[A-Za-z0-9!_.*'()=~+@$&:,-]{1,255}")


def open_s3(uri: str, options: SourceOptions) -> S3Store:
    """Open the place that `s3://bucket[/prefix]` names.

    Raises:
        LakeError: the URI is no such thing, or the bucket cannot be reached.
    """
    bucket, _, prefix = uri.removeprefix("s3://").strip("/").partition("/")
    pieces = [piece for piece in prefix.split("/") if piece]
    if not bucket or any(p in {".", ".."} or not _PREFIX.fullmatch(p) for p in pieces):
        raise LakeError("not an s3:// address of a lake", where=repr(uri)[:200])
    try:
        return S3Store(Bucket(bucket, options), "/".join(pieces))
    except SourceError as error:
        raise LakeError(error.what, where=error.where, hint=error.hint) from error


def _no_fault(operation: str, key: str) -> None:
    return


class S3Store:
    """A lake's files in a bucket; every operation is one or a few requests, tried again."""

    def __init__(self, bucket: Bucket, prefix: str, *, fault: Fault = _no_fault) -> None:
        """Use keys `prefix/…` of the bucket."""
        self._bucket = bucket
        self._prefix = prefix
        self.where = f"s3://{bucket.name}/{prefix}".rstrip("/")
        self.fault = fault
        self._pool = ThreadPoolExecutor(8, thread_name_prefix="flowscan-lake")

    def _full(self, key: str) -> str:
        layout.check_key(key)
        return f"{self._prefix}/{key}" if self._prefix else key

    def _call(self, key: str, operation: str, work: Callable[[Any, str], T]) -> T:
        """Do the work on the bucket; an absent object is `FileNotFoundError` all the way."""
        full = self._full(key)
        self.fault(operation, key)
        absent = object()

        def guarded(store: Any) -> Any:
            try:
                return work(store, full)
            except FileNotFoundError:
                return absent

        try:
            result = self._bucket.call(guarded, full)
        except SourceError as error:
            raise LakeError(error.what, where=error.where, hint=error.hint) from error
        if result is absent:
            raise FileNotFoundError(full)
        return result  # type: ignore[no-any-return]

    # -- opening ---------------------------------------------------------------------------

    def prepare(self) -> None:
        """Check that the server honours `If-None-Match` before a lake relies on it."""
        probe = layout.temporary_key()
        try:
            if not self.create(probe, b"1") or self.create(probe, b"2"):
                raise LakeError(
                    "this S3 server overwrites where it must not (it ignores If-None-Match)",
                    where=self.where,
                    hint="a lake needs conditional writes",
                )
        finally:
            self.delete(probe)

    def check(self) -> None:
        """Nothing: who may write is the bucket policy's."""

    def empty(self) -> bool:
        """Tell whether the prefix has nothing but what an interrupted creation left."""
        import obstore

        def work(store: Any, _: str) -> bool:
            return all(
                item["path"].startswith(f"{inside}_flowscan/")
                for batch in obstore.list(store, self._prefix or None, chunk_size=100)
                for item in batch
            )

        inside = f"{self._prefix}/" if self._prefix else ""
        return self._call(layout.MARKER, "list", work)

    # -- reading ---------------------------------------------------------------------------

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """Read bytes of an object (`FileNotFoundError` when it is absent)."""
        import obstore

        def work(store: Any, full: str) -> bytes:
            if start == 0 and length is None:
                return bytes(obstore.get(store, full).bytes())
            end = length if length is not None else obstore.head(store, full)["size"] - start
            return bytes(obstore.get_range(store, full, start=start, length=end))

        return self._call(key, "get", work)

    def read_run(self, keys: Iterable[str]) -> list[bytes]:
        """Read objects in order until the first absent one, several at a time."""

        def attempt(key: str) -> bytes | None:
            try:
                return self.read(key)
            except FileNotFoundError:
                return None

        found = []
        for data in list(self._pool.map(attempt, keys)):
            if data is None:
                break
            found.append(data)
        return found

    def reader(self, key: str) -> Any:
        """Open an object for reading at any position."""
        size = self.size(key)
        if size is None:
            raise FileNotFoundError(self.address(key))
        return _Download(self, key, size)

    def size(self, key: str) -> int | None:
        """Size of an object in bytes; None when it is absent."""
        import obstore

        try:
            return int(self._call(key, "head", lambda s, full: obstore.head(s, full)["size"]))
        except FileNotFoundError:
            return None

    def exists(self, key: str) -> bool:
        """Tell whether anything stands at a key that `walk` gave; strange names do."""
        try:
            return self.size(key) is not None
        except LakeError:
            return True

    def walk(self, prefix: str) -> Iterator[Entry]:
        """All objects below a folder, in no order."""
        import obstore

        def work(store: Any, full: str) -> list[Any]:
            return [item for batch in obstore.list(store, full) for item in batch]

        cut = len(self._full(prefix)) - len(prefix)
        for item in self._call(prefix, "list", work):
            yield Entry(item["path"][cut:], item["size"], item["last_modified"].timestamp())

    def folders(self, prefix: str) -> list[str]:
        """Names of the folders directly in a folder: those that have objects.

        Some servers list folders that their last object has left, so the objects are asked.
        """
        inside = (entry.key[len(prefix) + 1 :] for entry in self.walk(prefix))
        return sorted({rest.partition("/")[0] for rest in inside if "/" in rest})

    def address(self, key: str) -> str:
        """The s3:// URI of a key."""
        return f"s3://{self._bucket.name}/{self._full(key)}"

    def filesystem(self) -> Any:
        """The bucket as an fsspec file system, for tools that read URIs through one."""
        return self._bucket.filesystem()

    # -- writing ---------------------------------------------------------------------------

    def create(self, key: str, data: bytes) -> bool:
        """Create the object unless it exists; True when it is certain that this call did.

        False may also mean that this call did and its answer was lost: the caller reads the
        object and recognises its own.
        """
        import obstore
        import obstore.exceptions

        def work(store: Any, full: str) -> bool:
            try:
                obstore.put(store, full, data, mode="create")
            except (
                obstore.exceptions.AlreadyExistsError,
                obstore.exceptions.PreconditionError,
            ):
                return False
            return True

        for attempt in range(TRIES):
            if self._call(key, "put-if-absent", work):
                return True
            if self.size(key) is not None:
                return False
            # 409: another conditional put of the key was under way, and may have failed.
            time.sleep(random.uniform(0, 0.05 * 2**attempt))
        raise LakeError("conditional writes keep conflicting", where=self.address(key))

    def put(self, key: str, data: bytes) -> None:
        """Create or replace the object as a whole."""
        import obstore

        self._call(key, "put", lambda store, full: obstore.put(store, full, data))

    def writer(self, key: str) -> Sink:
        """Open a new object for writing; closing uploads it."""
        return _Upload(self, key)

    def seal(self, batch: str) -> None:
        """Nothing: an uploaded object is durable."""

    def move(self, source: str, target: str) -> bool:
        """Copy on the server, then delete the source; False when the source is absent."""
        import obstore

        to = self._full(target)
        try:
            self._call(source, "copy", lambda store, full: obstore.copy(store, full, to))
        except FileNotFoundError:
            return False
        self.delete(source)
        return True

    def retire(self, source: str, target: str) -> bool:
        """Move; the copy is a new object, so its time of change is now."""
        return self.move(source, target)

    def delete(self, key: str) -> None:
        """Delete an object; an absent one is fine."""
        import obstore

        with contextlib.suppress(FileNotFoundError):
            self._call(key, "delete", obstore.delete)

    # -- staging ---------------------------------------------------------------------------

    def claim(self, batch: str) -> Claim:
        """Mark the staging folder of a new batch; its age is how a dead writer is told."""
        self.put(f"{layout.stage_folder(batch)}/claim.tmp", b"{}")
        return _Age(self.where, batch)

    def collect(self, batch: str) -> bool:
        """Delete the staging of an uncommitted batch that is older than any writer may be."""
        entries = list(self.walk(layout.stage_folder(batch)))
        if any(entry.changed > time.time() - 2 * LIFE for entry in entries):
            return False
        self.drop_stage(batch)
        return True

    def drop_stage(self, batch: str) -> None:
        """Delete everything in the staging folder of a batch."""
        for entry in self.walk(layout.stage_folder(batch)):
            self.delete(entry.key)


class _Upload:
    """An object being written: spooled to a nameless local file, uploaded when closed."""

    def __init__(self, store: S3Store, key: str) -> None:
        self._store = store
        self._key = key
        self._file = tempfile.SpooledTemporaryFile(SPOOL)  # noqa: SIM115 - closed below
        self.closed = False

    def write(self, data: Any, /) -> int:
        return self._file.write(data)

    def flush(self) -> None:
        """Nothing: only the close uploads."""

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        import obstore

        def work(store: Any, full: str) -> None:
            self._file.seek(0)
            obstore.put(store, full, self._file)

        with self._file:
            self._store._call(self._key, "upload", work)  # noqa: SLF001 - same module

    def discard(self) -> None:
        self.closed = True
        self._file.close()


class _Download(io.RawIOBase):
    """An object read in ranges, each of which is tried again by itself."""

    def __init__(self, store: S3Store, key: str, size: int) -> None:
        self._store = store
        self._key = key
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def read(self, size: int = -1, /) -> bytes:
        left = max(0, self._size - self._at)
        length = left if size < 0 else min(size, left)
        data = self._store.read(self._key, self._at, length) if length else b""
        self._at += len(data)
        return data


class _Age:
    """A claim that ends by itself: a transaction older than `LIFE` must not commit."""

    def __init__(self, where: str, batch: str) -> None:
        self._started = time.monotonic()
        self._where = where
        self._batch = batch

    def check(self) -> None:
        if time.monotonic() - self._started > LIFE:
            raise LakeError(
                f"batch {self._batch} took longer than {LIFE // 3600} hours", where=self._where
            )

    def release(self) -> None:
        """Nothing is held."""
