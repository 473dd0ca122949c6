"""The commit: what one writer added to and removed from the lake, as numbered JSON.

Invariant: commit N exists once, is never rewritten, and N-1 exists; it is valid (every path one
of its table, every count a number that adds up) or `LakeCorrupt` names it. Reading the ledger
never writes. Commits of all formats are read; every file of flows has a lineage, which
in the ledger is left out where it is the commit's own version.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from flowscan.errors import LakeCorrupt, LakeError
from flowscan.lake import layout, lineage
from flowscan.lake.lineage import Versions
from flowscan.lake.store import Store
from flowscan.schema import SOURCE_ID

RUN = 64
"""Commits asked of the store at once."""

MARK_CHARS = 200
"""Greatest length of a file's mark."""


class SourceRecord(NamedTuple):
    """One source object that is in the lake: its identity and how its records are accounted.

    `records == flows + nodata + skipdata + rejects`. `source_id` is the number that its rows have
    (see numbers.py); None in commits of format 1, whose rows have none.
    """

    uri: str
    etag: str
    size: int
    digest: str | None
    shape: str
    records: int
    flows: int
    nodata: int
    skipdata: int
    rejects: int
    source_id: int | None = None


class Refusal(NamedTuple):
    """One source object that was refused as a whole, and why."""

    uri: str
    etag: str
    size: int
    reason: str


class FileEntry(NamedTuple):
    """One Parquet file of the lake.

    `min_start` and `max_start` bound the time of its rows, in epoch seconds; None where it has
    none. `lineage` are the versions of the commits that brought the flows it holds or, in a
    derived table, that it was made from; `mark` names what else it was made from.
    """

    table: str
    path: str
    rows: int
    bytes: int
    min_start: int | None
    max_start: int | None
    columns: tuple[str, ...]
    lineage: Versions = ()
    mark: str = ""

    @property
    def attributed(self) -> bool:
        """Whether its rows know the source objects that they were read from."""
        return SOURCE_ID in self.columns


@dataclass(frozen=True, slots=True)
class Commit:
    """One entry of the ledger."""

    version: int
    batch: str
    writer: str
    at: int
    sources: tuple[SourceRecord, ...] = ()
    adds: tuple[FileEntry, ...] = ()
    removes: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()
    note: str = ""
    format: int = layout.FORMAT


def encode_entries(entries: Iterable[FileEntry], version: int) -> dict[str, Any]:
    """File entries as JSON values: `adds`, and the `columns` lists that they share.

    A file of flows that holds those of commit `version` does not say so.
    """
    shared: dict[tuple[str, ...], int] = {}
    adds = []
    for entry in entries:
        item = entry._asdict()
        item["columns"] = shared.setdefault(entry.columns, len(shared))
        item["lineage"] = lineage.to_text(entry.lineage)
        if entry.lineage == _own(entry.table, version):
            del item["lineage"]
        if not entry.mark:
            del item["mark"]
        adds.append(item)
    return {"columns": [list(columns) for columns in shared], "adds": adds}


def decode_entries(body: Any, version: int) -> list[FileEntry]:
    """File entries of a JSON body, each checked (`ValueError`, `TypeError`, `LakeCorrupt`)."""
    columns = [tuple(_texts(item)) for item in body["columns"]]
    return [_entry(item, columns, version) for item in body["adds"]]


def _own(table: str, version: int) -> Versions:
    """The lineage of a file that the ledger says nothing about."""
    return (version,) if table == layout.FLOWS else ()


def attributed(entries: Iterable[FileEntry], version: int) -> tuple[FileEntry, ...]:
    """The entries of commit `version`; a file of flows without lineage holds the commit's own."""
    return tuple(
        entry if entry.lineage else entry._replace(lineage=_own(entry.table, version))
        for entry in entries
    )


def encode(commit: Commit) -> bytes:
    """Serialise a commit; column lists that files share are written once."""
    body = {
        "format": commit.format,
        "version": commit.version,
        "batch": commit.batch,
        "writer": commit.writer,
        "at": commit.at,
        "note": commit.note,
        "sources": [source._asdict() for source in commit.sources],
        **encode_entries(commit.adds, commit.version),
        "removes": list(commit.removes),
        "refused": [refusal._asdict() for refusal in commit.refused],
    }
    return json.dumps(body, separators=(",", ":"), ensure_ascii=True).encode()


def check_format(body: Any, where: str) -> None:
    """Refuse what a newer flowscan wrote.

    Raises:
        LakeError: the format number is greater than ours.
    """
    number = body.get("format") if isinstance(body, dict) else None
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise LakeCorrupt("has no format number", where=where)
    if number > layout.FORMAT:
        raise LakeError(
            f"written in lake format {number}, this flowscan knows up to {layout.FORMAT}",
            where=where,
            hint="upgrade flowscan",
        )


def decode(data: bytes, version: int) -> Commit:
    """Read and check a commit.

    Raises:
        LakeCorrupt: it is damaged or says what no commit can say.
        LakeError: a newer flowscan wrote it.
    """
    where = layout.commit_key(version)
    try:
        body = json.loads(data)
        check_format(body, where)
        commit = Commit(
            version=_count(body["version"]),
            batch=layout.check_batch(body["batch"]),
            writer=_text(body["writer"]),
            at=_count(body["at"]),
            sources=tuple(_source(item) for item in body["sources"]),
            adds=tuple(decode_entries(body, version)),
            removes=tuple(_live(item) for item in body["removes"]),
            refused=tuple(_refusal(item) for item in body["refused"]),
            note=_text(body.get("note", "")),
            format=body["format"],
        )
        check_sources(commit.sources)
    except (
        LakeCorrupt,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        RecursionError,
    ) as error:
        raise LakeCorrupt(
            f"the ledger entry is damaged: {type(error).__name__}: {error}",
            where=where,
            hint="restore it from a backup; every commit is needed",
        ) from error
    if commit.version != version:
        raise LakeCorrupt(f"the ledger entry says it is version {commit.version}", where=where)
    return commit


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 63:
        raise ValueError(f"not a count: {value!r:.80}")
    return value


def _maybe(value: Any) -> int | None:
    return None if value is None else _count(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"not a text: {value!r:.80}")
    return value


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise TypeError(f"not a list: {value!r:.80}")
    return [_text(item) for item in value]


def _live(value: Any) -> str:
    layout.table_of(_text(value))
    return str(value)


def _source(item: Any) -> SourceRecord:
    digest = item["digest"]
    return SourceRecord(
        uri=_text(item["uri"]),
        etag=_text(item["etag"]),
        size=_count(item["size"]),
        digest=None if digest is None else _text(digest),
        shape=_text(item["shape"]),
        records=_count(item["records"]),
        flows=_count(item["flows"]),
        nodata=_count(item["nodata"]),
        skipdata=_count(item["skipdata"]),
        rejects=_count(item["rejects"]),
        source_id=_maybe(item.get("source_id")),
    )


def check_source(source: SourceRecord) -> None:
    """Hold that every record is accounted for (`ValueError` otherwise)."""
    parts = source.flows + source.nodata + source.skipdata + source.rejects
    if source.records != parts:
        raise ValueError(f"{source.uri}: {source.records} records, {parts} accounted for")


def check_sources(sources: Sequence[SourceRecord]) -> None:
    """Hold that the sources of a commit add up and have numbers of their own (`ValueError`)."""
    for source in sources:
        check_source(source)
    numbers = [source.source_id for source in sources if source.source_id is not None]
    if len(set(numbers)) < len(numbers):
        raise ValueError("two sources of a commit have one number")


def _refusal(item: Any) -> Refusal:
    return Refusal(
        _text(item["uri"]), _text(item["etag"]), _count(item["size"]), _text(item["reason"])
    )


def _entry(item: Any, columns: Sequence[tuple[str, ...]], version: int) -> FileEntry:
    table = _text(item["table"])
    text = item.get("lineage")
    return FileEntry(
        table=table,
        path=layout.check_live(table, item["path"]),
        rows=_count(item["rows"]),
        bytes=_count(item["bytes"]),
        min_start=_maybe(item["min_start"]),
        max_start=_maybe(item["max_start"]),
        columns=columns[_count(item["columns"])],
        lineage=_own(table, version) if text is None else lineage.from_text(_text(text), version),
        mark=check_mark(_text(item.get("mark", ""))),
    )


def check_mark(mark: str) -> str:
    """Return a mark that is short enough (`ValueError` otherwise)."""
    if len(mark) > MARK_CHARS:
        raise ValueError(f"a mark has at most {MARK_CHARS} characters")
    return mark


def read_commits(store: Store, after: int) -> Iterator[Commit]:
    """Read the commits that follow version `after`, in order, to the newest.

    Commits are gap-free, so reading stops at the first absent number and needs no listing.
    """
    version = after + 1
    run = 2
    while True:
        found = store.read_run(layout.commit_key(v) for v in range(version, version + run))
        for data in found:
            yield decode(data, version)
            version += 1
        if len(found) < run:
            return
        run = min(run * 2, RUN)


def committed_sources(store: Store, version: int) -> Iterator[tuple[Commit, SourceRecord]]:
    """Every source of the commits up to a version with its commit, oldest first."""
    for commit in commits_until(store, version):
        yield from ((commit, source) for source in commit.sources)


def commits_until(store: Store, version: int) -> Iterator[Commit]:
    """Commits of a ledger from the first to that of `version`."""
    for commit in read_commits(store, 0):
        if commit.version > version:
            return
        yield commit


def key_hash(uri: str, identity: str) -> int:
    """128-bit hash of a source's identity; wide enough that nobody can make two collide."""
    text = f"{uri}\0{identity}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=16).digest(), "big")


def source_hashes(source: SourceRecord) -> tuple[int, ...]:
    """Hashes under which a committed source is known: by its etag and by its content."""
    by_etag = key_hash(source.uri, source.etag)
    if source.digest is None or source.digest == source.etag:
        return (by_etag,)
    return by_etag, key_hash(source.uri, source.digest)
