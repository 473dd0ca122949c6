"""Feeds in a lake: add, update, enable, disable, remove.

The `feeds` table holds their settings and history, `indicators` the rows of every enabled feed.
Invariant: a feed's last good version stays until a better one is read whole: a download or a file
that fails changes nothing but the note about the failure.
"""

from __future__ import annotations

import hashlib
import re
import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from flowscan.errors import FeedError
from flowscan.feeds import safety
from flowscan.feeds.fetch import Limits, fetch
from flowscan.feeds.load import MAX_BYTES, Loaded, join_spans, load
from flowscan.feeds.model import Counts, Feed, Problem
from flowscan.schema import small_schema

if TYPE_CHECKING:
    from flowscan.lake import Lake

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_COUNTS = tuple(field.name for field in fields(Counts))
_BLOB = "feeds"

Outcome = Literal["updated", "unchanged", "held", "failed"]


@dataclass(frozen=True, slots=True)
class Update:
    """What an update did: the feed as it is now, and the first entries that are no indicators."""

    feed: Feed
    outcome: Outcome
    message: str = ""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class _Content:
    """Bytes of a location by part (a folder has several); None means unchanged."""

    parts: tuple[tuple[str, bytes], ...] | None
    etag: str | None = None
    last_modified: str | None = None


class FeedStore:
    """The feeds of one lake."""

    def __init__(
        self,
        lake: Lake,
        *,
        now: Callable[[], float] = time.time,
        limits: Limits | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """Use a lake; `now` is the clock, `limits` and `context` are those of downloads."""
        self._lake = lake
        self._now = now
        self._limits = limits or Limits(max_bytes=MAX_BYTES)
        self._context = context

    def all(self) -> list[Feed]:
        """All feeds, by name."""
        rows = self._lake.read("feeds").to_pylist()
        return sorted((_from_row(row) for row in rows), key=lambda feed: feed.name)

    def get(self, name: str) -> Feed:
        """The feed of a name.

        Raises:
            FeedError: there is none.
        """
        feeds = {feed.name: feed for feed in self.all()}
        if name in feeds:
            return feeds[name]
        near = get_close_matches(name, feeds, 1)
        hint = f"did you mean {near[0]}?" if near else "flowscan feeds list shows them"
        raise FeedError(f"no feed {name!r}", hint=hint)

    def add(self, feed: Feed) -> Update:
        """Add a feed and load it; if it cannot be loaded, it is not added.

        Raises:
            FeedError: the name is taken or not valid, or the feed cannot be loaded.
        """
        if not _NAME.fullmatch(feed.name):
            raise FeedError(
                f"{feed.name!r} is no name for a feed", hint="use a-z, 0-9, dots and hyphens"
            )
        if any(known.name == feed.name for known in self.all()):
            raise FeedError(
                f"there is a feed {feed.name!r} already", hint="feeds update loads it again"
            )
        now = int(self._now())
        feed = replace(feed, added=now, enabled=True)
        return self._take(feed, self._content(feed), now, force=True)

    def update(self, names: Iterable[str] = (), *, force: bool = False) -> list[Update]:
        """Load feeds again (all enabled ones if none is named); failures are reported, not raised.

        `force` takes over a version that shrank or grew absurdly.
        """
        wanted = [self.get(name) for name in names] or [f for f in self.all() if f.enabled]
        return [self._update(feed, force=force) for feed in wanted]

    def remove(self, name: str) -> None:
        """Forget a feed and its indicators."""
        feed = self.get(name)
        self._replace_rows("indicators", "feed", feed.name, None)
        self._replace_rows("feeds", "name", feed.name, None)

    def disable(self, name: str) -> Feed:
        """Take a feed's indicators out, keeping the feed."""
        feed = replace(self.get(name), enabled=False)
        self._replace_rows("indicators", "feed", feed.name, None)
        self._save(feed)
        return feed

    def enable(self, name: str) -> Update:
        """Put a feed's indicators back, from the last good version.

        Raises:
            FeedError: that version is not kept and cannot be read again.
        """
        feed = replace(self.get(name), enabled=True)
        kept = self._lake.get_blob(_BLOB, feed.name)
        if kept is not None and feed.digest == _digest([("", kept)]):
            content = _Content((("", kept),), feed.etag, feed.last_modified)
        else:
            content = self._content(replace(feed, etag=None, last_modified=None))
        return self._take(feed, content, feed.updated or int(self._now()), force=True)

    # -- one feed -------------------------------------------------------------------------

    def _update(self, feed: Feed, *, force: bool) -> Update:
        now = int(self._now())
        try:
            return self._take(feed, self._content(feed), now, force=force)
        except (FeedError, OSError) as error:
            failed = replace(feed, checked=now, state="failed", problem=str(error)[:500])
            self._save(failed)
            return Update(failed, "failed", str(error))

    def _content(self, feed: Feed) -> _Content:
        if "://" in feed.location:
            known = feed.digest is not None
            got = fetch(
                feed.location,
                etag=feed.etag if known else None,
                last_modified=feed.last_modified if known else None,
                limits=self._limits,
                context=self._context,
            )
            parts = None if got.data is None else (("", got.data),)
            return _Content(parts, got.etag, got.last_modified)
        return _Content(tuple(_read_path(Path(feed.location))))

    def _take(self, feed: Feed, content: _Content, now: int, *, force: bool) -> Update:
        kept = content.parts
        if kept is None and feed.lifetime is not None:
            blob = self._lake.get_blob(_BLOB, feed.name)  # its expiry moves on
            kept = (("", blob),) if blob is not None else None
        if kept is None:
            same = replace(feed, checked=now, updated=now, state="ok", problem=None)
            self._save(same)
            return Update(same, "unchanged")
        digest = _digest(kept)
        loaded = _load_parts(feed, kept, now)
        held = (
            None
            if force or not feed.enabled
            else safety.held_back(feed.counts.indicators, loaded.counts.indicators)
        )
        if held:
            feed = replace(feed, checked=now, state="held", problem=held)
            self._save(feed)
            return Update(feed, "held", held, loaded.problems)
        outcome: Outcome = "unchanged" if digest == feed.digest else "updated"
        feed = replace(
            feed,
            checked=now,
            updated=now,
            digest=digest,
            etag=content.etag,
            last_modified=content.last_modified,
            read_as=loaded.format,
            state="ok",
            problem=None,
            counts=loaded.counts,
            intervals=loaded.intervals,
        )
        if len(kept) == 1 and not kept[0][0]:
            self._lake.put_blob(_BLOB, feed.name, kept[0][1])
        rows = loaded.table if feed.enabled else None
        self._replace_rows("indicators", "feed", feed.name, rows)
        self._save(feed)
        return Update(feed, outcome, "", loaded.problems)

    def _save(self, feed: Feed) -> None:
        import pyarrow as pa

        row = pa.Table.from_pylist([_to_row(feed)], schema=small_schema("feeds"))
        self._replace_rows("feeds", "name", feed.name, row)

    def _replace_rows(self, table: str, column: str, name: str, rows: Any) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        def merge(old: Any) -> Any:
            others = old.filter(pc.not_equal(old[column], name))
            return others if rows is None else pa.concat_tables([others, rows])

        self._lake.replace(table, merge)


def _read_path(path: Path) -> Iterable[tuple[str, bytes]]:
    """Parts of a file or folder; a folder's hidden files and links that lead out are left."""
    if path.is_file():
        yield "", _read_file(path)
        return
    if not path.is_dir():
        raise FeedError("no such file or folder", where=str(path))
    root = path.resolve()
    names = sorted(p for p in path.rglob("*") if p.is_file())
    chosen = [
        p
        for p in names
        if not any(part.startswith(".") for part in p.relative_to(path).parts)
        and p.resolve().is_relative_to(root)
    ]
    if not chosen:
        raise FeedError("the folder holds no files", where=str(path))
    for file in chosen:
        yield str(file.relative_to(path)), _read_file(file)


def _read_file(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise FeedError(f"larger than {MAX_BYTES >> 20} MB", where=str(path))
        return path.read_bytes()
    except OSError as error:
        raise FeedError(f"cannot be read: {error.strerror}", where=str(path)) from error


def _digest(parts: Iterable[tuple[str, bytes]]) -> str:
    """SHA-256 of the content; of a folder, that of the names and digests of its files."""
    every = [(name, hashlib.sha256(data).hexdigest()) for name, data in parts]
    if len(every) == 1 and not every[0][0]:
        return every[0][1]
    return hashlib.sha256(repr(every).encode()).hexdigest()


def _load_parts(feed: Feed, parts: Iterable[tuple[str, bytes]], now: int) -> Loaded:
    """Load all parts as one; a part of a folder that is no list is a problem, not an end."""
    loaded: list[Loaded] = []
    problems: list[Problem] = []
    for name, data in parts:
        try:
            one = load(data, feed, now=now)
        except FeedError as error:
            if not name:
                where = f"{feed.location}: {error.where}" if error.where else feed.location
                raise FeedError(error.what, where=where, hint=error.hint) from error
            problems.append(Problem(0, str(error), name))
            continue
        loaded.append(one)
        prefix = f"{name}: " if name else ""
        problems += [Problem(p.line, prefix + p.reason, p.text) for p in one.problems]
    if not loaded:
        raise FeedError("no file in the folder is a list", where=feed.location)
    if len(loaded) == 1:
        return replace(loaded[0], problems=tuple(problems[:50]))
    import pyarrow as pa

    counts = Counts(*(sum(getattr(one.counts, n) for one in loaded) for n in _COUNTS))
    table = pa.concat_tables([one.table for one in loaded])
    formats = "+".join(sorted({one.format for one in loaded}))
    spans = join_spans(one.spans for one in loaded)
    return Loaded(table, counts, formats, tuple(problems[:50]), spans)


def _to_row(feed: Feed) -> dict[str, Any]:
    row = {f.name: getattr(feed, f.name) for f in fields(Feed) if f.name != "counts"}
    return row | {name: getattr(feed.counts, name) for name in _COUNTS}


def _from_row(row: dict[str, Any]) -> Feed:
    counts = Counts(**{name: row.pop(name) or 0 for name in _COUNTS})
    return Feed(**row, counts=counts)
