"""Objects of an S3 bucket: listed by window, read as the version that was listed.

Invariant: a read gives the bytes of the listed etag (If-Match) or an error, never another
version's; a small object is held whole, a large one streams, so memory is bounded by what the
caller asks for at the same time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from flowscan.errors import SourceError, UsageError
from flowscan.sources.aws import Bucket, explain
from flowscan.sources.keys import is_odd
from flowscan.sources.model import Payload, SourceObject, SourceOptions, Window
from flowscan.sources.s3_listing import list_bucket

__all__ = ["S3Source", "read_object", "split_uri"]

WHOLE = 64 << 20
CHUNK = 8 << 20


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key`. Raises UsageError."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not bucket or not uri.startswith("s3://"):
        raise UsageError("not of the form s3://bucket/prefix", where=uri)
    return bucket, key


class S3Source:
    """`s3://bucket[/prefix]`: a folder of a bucket, or one object."""

    format: tuple[str, ...] | None = None

    def __init__(self, uri: str, options: SourceOptions) -> None:
        """Raises UsageError for a bad URI, SourceError without credentials."""
        name, self._prefix = split_uri(uri)
        self._options = options
        self.concurrency = options.concurrency
        self._bucket = Bucket(name, options)

    def list(self, window: Window) -> Iterator[SourceObject]:
        """Objects of the window, see `s3_listing.list_bucket`."""
        exclude = [str(e) for e in self._options.exclude if str(e).startswith("s3://")]
        return list_bucket(self._bucket, self._prefix, window, exclude)

    def read(self, obj: SourceObject) -> Payload:
        """The bytes of the object as listed; SourceError when it was replaced or removed."""
        return Payload(read_object(self._bucket, obj))

    def done(self, objects: Iterable[SourceObject]) -> None:
        """Objects stay where they are."""

    def close(self) -> None:
        """Connections are closed with the store."""


def read_object(bucket: Bucket, obj: SourceObject) -> Iterator[bytes]:
    """Chunks of an object: one up to 64 MB, several above. Raises SourceError."""
    key = split_uri(obj.uri)[1]
    match = None if obj.etag.startswith("t") else f'"{obj.etag}"'
    if is_odd(key):
        yield _read_slowly(bucket, key, match)
    elif obj.size <= WHOLE:
        yield _read_whole(bucket, key, match, obj.size)
    else:
        yield from _stream(bucket, key, match)


def _get(store: Any, key: str, match: str | None) -> Any:
    import obstore
    from obstore.exceptions import PreconditionError

    where = key
    try:
        return obstore.get(store, key, options={"if_match": match} if match else None)
    except PreconditionError:
        raise SourceError("replaced since it was listed", where=where) from None
    except FileNotFoundError:
        raise SourceError("removed since it was listed", where=where) from None


def _read_whole(bucket: Bucket, key: str, match: str | None, size: int) -> bytes:
    data = bucket.call(lambda store: bytes(_get(store, key, match).bytes()), key)
    if len(data) != size:
        raise SourceError(f"gave {len(data)} of {size} bytes", where=f"s3://{bucket.name}/{key}")
    return data


def _stream(bucket: Bucket, key: str, match: str | None) -> Iterator[bytes]:
    from obstore.exceptions import BaseError

    result = bucket.call(lambda store: _get(store, key, match), key)
    try:
        for chunk in result.stream(min_chunk_size=CHUNK):
            yield bytes(chunk)
    except (BaseError, OSError) as error:
        raise explain(error, f"s3://{bucket.name}/{key}") from None


def _read_slowly(bucket: Bucket, key: str, match: str | None) -> bytes:
    import botocore.exceptions

    request = {"IfMatch": match} if match else {}
    try:
        answer = bucket.client.get_object(Bucket=bucket.name, Key=key, **request)
        return bytes(answer["Body"].read())
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        raise explain(error, f"s3://{bucket.name}/{key}") from None
