"""A local file being written, and the lock that shows its writer to be alive.

Invariant: a file that was closed without an error is on the disk; after an error it is garbage
and is never synced again, since a second fsync may succeed without the data.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import Any

from flowscan.lake.store import Fault


class DurableFile:
    """A file being written whose close fsyncs; an fsync that failed is never tried again."""

    def __init__(self, fd: int, key: str, fault: Fault) -> None:
        self._file = os.fdopen(fd, "wb", buffering=1 << 20)
        self._key = key
        self._fault = fault
        self.closed = False

    def write(self, data: Any, /) -> int:
        self._fault("write", self._key)
        return self._file.write(data)

    def flush(self) -> None:
        """Nothing: only the close makes durable."""

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        try:
            self._fault("flush", self._key)
            self._file.flush()
            self._fault("fsync", self._key)
            os.fsync(self._file.fileno())
        finally:
            self._give_up()

    def discard(self) -> None:
        if not self.closed:
            self.closed = True
            self._give_up()

    def _give_up(self) -> None:
        with contextlib.suppress(OSError):  # its buffer may not fit the disk; it is garbage
            self._file.close()


class FileClaim:
    """An flock on a file beside the staging folder; the kernel drops it when the process ends."""

    def __init__(self, folder: int, name: str) -> None:
        """Create and lock `name` in the folder with descriptor `folder`."""
        while True:
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            self._fd = os.open(name, flags, 0o600, dir_fd=folder)
            fcntl.flock(self._fd, fcntl.LOCK_EX)
            try:
                now = os.stat(name, dir_fd=folder, follow_symlinks=False)
            except FileNotFoundError:
                now = None
            # A cleaner may have locked and deleted the file between the open and the lock.
            if now is not None and now.st_ino == os.fstat(self._fd).st_ino:
                return
            os.close(self._fd)

    def check(self) -> None:
        """Nothing: the kernel keeps the lock as long as the process lives."""

    def release(self) -> None:
        """Drop the lock; the file goes with the staging folder."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
