"""What a source of flow logs is: a list of objects, and the bytes of each.

Invariant: the identity of an object is (uri, etag); nothing else decides whether it is new.
Sources never look into the bytes, never write, and hold a bounded number of bytes in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

__all__ = ["Payload", "Source", "SourceObject", "SourceOptions", "Window"]


class SourceObject(NamedTuple):
    """One listed object: a file, an S3 key, a slice of a log group.

    `uri` and `etag` are its identity. `etag` is empty for standard input, whose identity is the
    digest known after reading. `time` (epoch seconds), `account` and `region` come from the key
    layout and are None where the name does not tell.
    """

    uri: str
    size: int
    etag: str
    time: int | None = None
    account: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """Which objects to list: records from `since` up to, not including, `until` (epoch seconds).

    A listing may give more than the window (records are delivered late), never less. Empty sets
    of accounts and regions mean all.
    """

    since: int | None = None
    until: int | None = None
    accounts: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """How to reach a source. No secret is ever held here: credentials come from AWS's own chain.

    `exclude` are folders or s3:// prefixes never listed (the lake itself); `concurrency` counts
    requests in flight.
    """

    exclude: tuple[Path | str, ...] = ()
    endpoint_url: str | None = None
    profile: str | None = None
    region_name: str | None = None
    role_arn: str | None = None
    request_payer: bool = False
    concurrency: int = 32


@dataclass(slots=True)
class Payload:
    """The bytes of one object, to be consumed once and in order.

    `digest` ("sha256:" and hex) is set once the chunks are consumed to the end, for sources
    whose etag does not vouch for the content; it stays None for the others.
    """

    chunks: Iterator[bytes] = field(repr=False)
    digest: str | None = None


class Source(Protocol):
    """Where records come from. All methods may be called from several threads."""

    format: tuple[str, ...] | None
    """The columns of records without header, where the source knows them."""

    concurrency: int
    """How many objects are best read at the same time; 0 where fetching ahead gains nothing."""

    def list(self, window: Window) -> Iterator[SourceObject]:
        """The objects that may hold records of the window. Raises SourceError."""

    def read(self, obj: SourceObject) -> Payload:
        """The bytes of one listed object.

        Raises SourceError, also while they are consumed, when the object is gone or is no longer
        the one that was listed.
        """

    def done(self, objects: Iterable[SourceObject]) -> None:
        """Called after the commit that holds the objects (or their refusal)."""

    def close(self) -> None:
        """Lets go of connections. The source is not used afterwards."""
