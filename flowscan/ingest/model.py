"""What an ingest is told and what it tells back. Values only, no behaviour but addition."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from typing import Literal, Protocol

from flowscan.sources import SourceObject, Window

MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """How to ingest.

    `format` are the columns of text without a header (None: the source's own, else AWS's
    default). `row_group` is the number of rows collected before they are written; with the
    block that goes over it they still fit one Parquet row group. A batch is committed when it
    has read `batch_bytes` of input or `batch_objects` objects. `fetch_bytes` bounds what is
    downloaded ahead of the parser. `stop`, once set, ends the ingest early: what
    was read is committed, nothing more is begun.
    """

    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    window: Window = field(default_factory=Window)
    format: tuple[str, ...] | None = None
    kernel: Literal["auto", "native", "arrow"] = "auto"
    row_group: int = 960_000
    batch_bytes: int = 256 * MEGABYTE
    batch_objects: int = 10_000
    fetch_bytes: int = 128 * MEGABYTE
    stop: threading.Event | None = None


class Progress(Protocol):
    """Receives the advance of an ingest; the command line draws it."""

    def planned(self, objects: int, size: int) -> None:
        """Tell how many new objects and bytes there are to read (may be told again)."""

    def advanced(self, size: int, records: int) -> None:
        """One object was read: its stored size in bytes and its number of records."""


@dataclass(slots=True)
class IngestResult:
    """What an ingest did: counts over the objects that this call committed.

    `already` objects were in the lake before, `refused` ones are no flow logs (uri, reason) and
    are remembered, `failed` ones and listings could not be read now (uri, reason) and are tried
    again next time. `seconds` is wall time per stage: list, fetch, parse, write and commit, summed
    over the threads, and `total`.
    """

    version: int = 0
    sources: int = 0
    already: int = 0
    bytes: int = 0
    records: int = 0
    flows: int = 0
    nodata: int = 0
    skipdata: int = 0
    rejects: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def spend(self, stage: str, seconds: float) -> None:
        """Add wall time to a stage."""
        self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds

    def add(self, other: IngestResult) -> None:
        """Add what another worker did."""
        for name in ("sources", "already", "bytes", "records", "flows", "nodata", "skipdata"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.rejects += other.rejects
        self.version = max(self.version, other.version)
        self.refused += other.refused
        self.failed += other.failed
        for stage, seconds in other.seconds.items():
            self.spend(stage, seconds)


@dataclass(frozen=True, slots=True)
class Planned:
    """One object that a dry run would read."""

    object: SourceObject
    known: bool
