"""Objects that somebody announced: by a queue's messages or a Lambda event.

Invariant: they have the identity that a listing of their bucket would give them, so that
announcing and listing can be mixed; `settled` has exactly those that are committed or refused.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

from flowscan.errors import SourceError, UsageError
from flowscan.sources.aws import Bucket
from flowscan.sources.keys import is_flow_service, parse_key
from flowscan.sources.model import Payload, SourceObject, SourceOptions, Window
from flowscan.sources.notices import BadNotice, Notice
from flowscan.sources.s3 import read_object, split_uri

__all__ = ["AnnouncedSource", "Buckets"]


class Buckets:
    """Buckets by name, opened when first needed; safe to share between threads."""

    def __init__(self, options: SourceOptions) -> None:
        """Opens none."""
        self._options = options
        self._open: dict[str, Bucket] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> Bucket:
        """The bucket. Raises SourceError without credentials."""
        with self._lock:
            if name not in self._open:
                self._open[name] = Bucket(name, self._options)
            return self._open[name]

    def object(self, notice: Notice) -> SourceObject | None:
        """The object of a notice; None if it is empty or another service's.

        Raises:
            BadNotice: what the notice does not tell cannot be asked for.
        """
        info = parse_key(notice.key)
        if not is_flow_service(info.service) or notice.size == 0:
            return None
        size, etag = notice.size, notice.etag
        if size is None or etag is None:
            size, etag = self._ask(notice)
        uri = f"s3://{notice.bucket}/{notice.key}"
        return SourceObject(uri, size, etag, info.time, info.account, info.region)

    def _ask(self, notice: Notice) -> tuple[int, str]:
        import obstore

        try:
            bucket = self.get(notice.bucket)
            meta = bucket.call(lambda store: obstore.head(store, notice.key), notice.key)
        except (SourceError, UsageError) as error:
            raise BadNotice(f"the object cannot be asked for: {error.what}") from None
        return meta["size"], (meta["e_tag"] or "").strip('"')

    def read(self, obj: SourceObject) -> Payload:
        """The bytes of the version that was announced."""
        return Payload(read_object(self.get(split_uri(obj.uri)[0]), obj))


class AnnouncedSource:
    """A source of given objects."""

    format: tuple[str, ...] | None = None

    def __init__(self, objects: Iterable[SourceObject], buckets: Buckets, width: int) -> None:
        """`width` is how many are best read at the same time."""
        self._objects = tuple(objects)
        self._buckets = buckets
        self.concurrency = width
        self.settled: set[tuple[str, str]] = set()

    def list(self, window: Window) -> Iterator[SourceObject]:
        """All of them: who announced an object wants it read."""
        yield from self._objects

    def read(self, obj: SourceObject) -> Payload:
        """The bytes of the version that was announced."""
        return self._buckets.read(obj)

    def done(self, objects: Iterable[SourceObject]) -> None:
        """Notes the identities."""
        self.settled.update((o.uri, o.etag) for o in objects)

    def close(self) -> None:
        """Nothing is held open."""
