"""Lists a bucket: the folders that a window needs first, then their objects, several at once.

Invariant: an object is left out only when its key or a folder above it says that it belongs to
another account, region, service or time, or that it is part of a lake. Hostile keys (`a//b`,
`a/../b`) hide nothing: where obstore refuses a page, boto3 lists on from there.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from flowscan.errors import SourceError
from flowscan.sources.ahead import in_order
from flowscan.sources.aws import Bucket, explain
from flowscan.sources.keys import (
    day_prefixes,
    is_flow_service,
    is_odd,
    parse_key,
    segment_kind,
    wanted,
)
from flowscan.sources.model import SourceObject, Window

__all__ = ["list_bucket"]

THREADS = 8
PAGE = 1000
DAYS = 92  # a longer window lists whole years and prunes by key
LAKE_MARK = "_flowscan"
UNKNOWN_DEPTH, UNKNOWN_WIDTH = 3, 16  # how far own prefixes above AWSLogs are searched


@dataclass(frozen=True, slots=True)
class _Folder:
    """A prefix (ending with `/`, or empty) and what is known of it; `flat` lists it whole."""

    prefix: str
    kind: str = "other"
    in_tree: bool = False
    unknown: int = 0
    flat: bool = False


def list_bucket(
    bucket: Bucket, prefix: str, window: Window, exclude: Sequence[str]
) -> Iterator[SourceObject]:
    """The objects below a folder of the bucket (or the one object of that key).

    Order: folder after folder, by key within each. Raises SourceError.
    """
    listing = _Listing(bucket, window, tuple(exclude))
    base = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
    with ThreadPoolExecutor(THREADS, thread_name_prefix="list") as pool:
        folders = [_Folder(base, segment_kind(base[:-1].rsplit("/", 1)[-1]), "AWSLogs/" in base)]
        flat: list[_Folder] = []
        found = False
        while folders:
            following: list[_Folder] = []
            for children, objects in pool.map(listing.expand, folders):
                found = found or bool(children or objects)
                yield from objects
                following += [c for c in children if not c.flat]
                flat += [c for c in children if c.flat]
            folders = following
        if not found and prefix.strip("/"):
            yield from listing.single(prefix)
        for page in in_order(pool, [listing.pages(folder) for folder in flat]):
            yield from page


class _Listing:
    def __init__(self, bucket: Bucket, window: Window, exclude: tuple[str, ...]) -> None:
        self._bucket = bucket
        self._window = window
        self._exclude = exclude

    def expand(self, folder: _Folder) -> tuple[list[_Folder], list[SourceObject]]:
        """One level: the folders to look into or to list, and the objects right here."""
        names, objects = self._level(folder.prefix)
        if LAKE_MARK in names or self._excluded(folder.prefix):
            return [], []
        children = []
        for kind, group in groupby(sorted(names, key=segment_kind), key=segment_kind):
            children += self._children(folder, kind, sorted(group))
        return children, [o for o in map(self._object, objects) if o]

    def _children(self, folder: _Folder, kind: str, names: list[str]) -> list[_Folder]:
        window = self._window
        if kind == "year":
            return self._days(folder, names)
        if kind == "account" and window.accounts:
            names = [n for n in names if n[-12:] in window.accounts]
        if kind == "region" and window.regions:
            names = [n for n in names if n.removeprefix("aws-region=") in window.regions]
        if kind in ("other", "service") and folder.in_tree and folder.kind == "account":
            kind = "service"
            names = [n for n in names if is_flow_service(n.removeprefix("aws-service="))]
        tree = folder.in_tree or kind == "tree"
        made = [_Folder(f"{folder.prefix}{n}/", kind, tree, folder.unknown) for n in names]
        if kind != "other":
            return made
        flat = folder.unknown >= UNKNOWN_DEPTH or len(names) > UNKNOWN_WIDTH
        return [replace(m, unknown=m.unknown + 1, flat=flat) for m in made]

    def _days(self, folder: _Folder, years: list[str]) -> list[_Folder]:
        since = self._window.since
        until = self._window.until or int(time.time()) + 86400
        if since is None or until - since > DAYS * 86400:
            return [_Folder(f"{folder.prefix}{year}/", flat=True) for year in years]
        made = []
        for hive in (False, True):
            there = tuple(f"{folder.prefix}{y}/" for y in years if y.startswith("year=") == hive)
            days = day_prefixes(folder.prefix, hive=hive, since=since, until=until)
            made += [_Folder(day, flat=True) for day in days if there and day.startswith(there)]
        return made

    def _level(self, prefix: str) -> tuple[list[str], list[dict[str, Any]]]:
        import obstore

        def work(store: Any) -> Any:
            return obstore.list_with_delimiter(store, prefix.rstrip("/") or None)

        if is_odd(prefix[:-1]) and prefix:
            return self._level_slowly(prefix)
        try:
            found = self._bucket.call(work, prefix)
        except SourceError as error:
            if "invalid path" not in error.what.lower():
                raise
            return self._level_slowly(prefix)
        names = [path.rsplit("/", 1)[-1] for path in found["common_prefixes"]]
        return names, list(found["objects"])

    def _level_slowly(self, prefix: str) -> tuple[list[str], list[dict[str, Any]]]:
        names: list[str] = []
        objects: list[dict[str, Any]] = []
        for page in self._boto_pages(Prefix=prefix, Delimiter="/"):
            names += [p["Prefix"][len(prefix) : -1] for p in page.get("CommonPrefixes", ())]
            objects += map(_as_meta, page.get("Contents", ()))
        return names, objects

    def pages(self, folder: _Folder) -> Iterator[list[SourceObject]]:
        """Everything below a folder, page by page."""
        if not self._excluded(folder.prefix):
            for page in self._flat(folder.prefix):
                yield [o for o in map(self._object, page) if o]

    def _flat(self, prefix: str) -> Iterator[list[dict[str, Any]]]:
        last: str | None = None
        try:
            if not is_odd(prefix[:-1]):
                for page in self._quick_pages(prefix):
                    last = page[-1]["path"]
                    yield page
                return
        except SourceError as error:
            if "invalid path" not in error.what.lower():
                raise
        for answer in self._boto_pages(Prefix=prefix, StartAfter=last or ""):
            yield [_as_meta(entry) for entry in answer.get("Contents", ())]

    def _quick_pages(self, prefix: str) -> Iterator[list[dict[str, Any]]]:
        import obstore

        last: str | None = None
        stream: Iterator[Any] | None = None

        def work(store: Any) -> Any:
            nonlocal stream
            if stream is None:
                listed = obstore.list(store, prefix.rstrip("/"), offset=last, chunk_size=PAGE)
                stream = iter(listed)
            try:
                return next(stream, None)
            except BaseException:
                stream = None  # begin again behind the last key that was given
                raise

        while page := self._bucket.call(work, prefix):
            last = page[-1]["path"]
            yield list(page)

    def _boto_pages(self, **request: Any) -> Iterator[dict[str, Any]]:
        import botocore.exceptions

        pages = self._bucket.client.get_paginator("list_objects_v2")
        try:
            yield from pages.paginate(Bucket=self._bucket.name, **request)
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            raise explain(error, f"s3://{self._bucket.name}/{request['Prefix']}") from None

    def single(self, key: str) -> Iterator[SourceObject]:
        """The object whose key the user named, if it exists."""
        import obstore

        def work(store: Any) -> Any:
            try:
                return obstore.head(store, key)
            except FileNotFoundError:
                return None

        if meta := self._bucket.call(work, key):
            found = self._object(meta)
            if found:
                yield found

    def _excluded(self, key: str) -> bool:
        uri = f"s3://{self._bucket.name}/{key}"
        return any(uri.startswith(f"{e.rstrip('/')}/") for e in self._exclude)

    def _object(self, meta: dict[str, Any]) -> SourceObject | None:
        key = meta["path"]
        # An empty object is the marker of a folder: no flow log is empty, not even a gzip of one.
        if not meta["size"] or self._excluded(key) or f"/{LAKE_MARK}/" in f"/{key}":
            return None
        info = parse_key(key)
        if not wanted(key, info, self._window):
            return None
        etag = (meta["e_tag"] or "").strip('"')
        if not etag:  # some servers give none: size and time then stand for the content
            etag = f"t{meta['size']:x}-{int(meta['last_modified'].timestamp() * 1000):x}"
        uri = f"s3://{self._bucket.name}/{key}"
        return SourceObject(uri, meta["size"], etag, info.time, info.account, info.region)


def _as_meta(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "path": entry["Key"],
        "size": entry["Size"],
        "e_tag": entry.get("ETag"),
        "last_modified": entry["LastModified"],
    }
