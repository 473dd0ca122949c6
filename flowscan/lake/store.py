"""What a lake needs of a place that keeps files, whether a local folder or a bucket.

Invariant, of every store: what it says is durable is durable, a key is created at most once
however many processes try, and a reader sees a file whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

Fault = Callable[[str, str], None]
"""Called with (operation, key) before each operation; tests kill or fail the process there."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One stored file: its key, size in bytes and time of last change (epoch seconds)."""

    key: str
    size: int
    changed: float


class Sink(Protocol):
    """A file being written; Arrow writes into it."""

    def write(self, data: Any, /) -> int:
        """Write bytes."""

    def tell(self) -> int:
        """Bytes written so far."""

    def close(self) -> None:
        """Finish the file, durably."""

    def discard(self) -> None:
        """Give the file up."""


class Claim(Protocol):
    """A batch's hold on its staging folder: while it lasts, nobody takes the batch for dead."""

    def check(self) -> None:
        """Refuse to go on when the hold may have been lost (`LakeError`)."""

    def release(self) -> None:
        """Let go; the folder is then garbage unless its batch is committed."""


class Store(Protocol):
    """What the ledger and the transactions need of a place that keeps files."""

    where: str

    def prepare(self) -> None:
        """Make the place ready for a new lake."""

    def check(self) -> None:
        """Refuse a place that others can change (`LakeError`)."""

    def empty(self) -> bool:
        """Tell whether the place has nothing but what an interrupted creation left."""

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """Read bytes of a file (`FileNotFoundError` when it is absent)."""

    def read_run(self, keys: Iterable[str]) -> list[bytes]:
        """Read files in order until the first absent one."""

    def reader(self, key: str) -> Any:
        """Open a file for reading at any position; Arrow reads from it."""

    def size(self, key: str) -> int | None:
        """Size of a file in bytes; None when it is absent."""

    def exists(self, key: str) -> bool:
        """Tell whether anything stands at a key that `walk` gave, even a strange name."""

    def create(self, key: str, data: bytes) -> bool:
        """Create the file, durably, unless it exists; True when this call created it."""

    def put(self, key: str, data: bytes) -> None:
        """Create or replace the file as a whole."""

    def walk(self, prefix: str) -> Iterator[Entry]:
        """All files below a folder, in no order, strange names and links included."""

    def folders(self, prefix: str) -> list[str]:
        """Names of the folders directly in a folder."""

    def claim(self, batch: str) -> Claim:
        """Take hold of the staging folder of a new batch."""

    def collect(self, batch: str) -> bool:
        """Delete the staging of an uncommitted batch if its writer is certainly gone."""

    def writer(self, key: str) -> Sink:
        """Open a new file for writing; closing it makes it durable."""

    def seal(self, batch: str) -> None:
        """Make the names in the staging folder of a batch durable."""

    def move(self, source: str, target: str) -> bool:
        """Give a file its new key, durably; False when the source is absent."""

    def retire(self, source: str, target: str) -> bool:
        """Move a file that begins its grace now: `Entry.changed` tells when it did."""

    def delete(self, key: str) -> None:
        """Delete a file; an absent one is fine."""

    def drop_stage(self, batch: str) -> None:
        """Delete the staging folder of a batch and all in it."""

    def filesystem(self) -> Any:
        """An fsspec file system that reads `address`, or None when any tool can."""

    def address(self, key: str) -> str:
        """The absolute path or URI under which other tools find the file."""
