"""`detect`: evaluate detections over whole UTC days and merge what they raise into the lake.

plan (which detection, which days) → chunks of days → shared tables → every detection → findings.
Invariant: a detection's rows of a day depend on the flows of that day and of its look-back only,
and replace what was known of that day; so detecting hourly and once over all agree.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from flowscan import queries
from flowscan.detect import candidates, rows, store, tables
from flowscan.detect.functions import FUNCTIONS
from flowscan.detect.history import Days, Progress
from flowscan.detect.spec import Detection, catalogue
from flowscan.detect.suppress import Rule
from flowscan.detect.trusted import Trusted
from flowscan.engine import Opener, Workspace
from flowscan.errors import QueryError
from flowscan.findings import DAY, Finding
from flowscan.lake import Lake, Snapshot
from flowscan.match import FeedIndex
from flowscan.traffic import derive, made, reading
from flowscan.traffic.rows import CHUNK_ROWS, MEMORY

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """What to evaluate and how; times are epoch seconds, rounded out to whole UTC days.

    `opener` gives the engine to run on, DuckDB on this machine if None; `chunk_rows` bounds the
    flows that it is given at once, but for a single day. `memory_limit` is DuckDB's, such as
    `2GB`; by default it follows the chunk.
    """

    since: int | None = None
    until: int | None = None
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    folder: Path | None = None
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    trusted: tuple[str, ...] = ()
    mmdb: tuple[str, ...] = ()
    suppress: Sequence[Rule] = ()
    again: bool = False
    memory_limit: str | None = None
    threads: int | None = None
    opener: Opener | None = None
    chunk_rows: int = CHUNK_ROWS


@dataclass(frozen=True, slots=True)
class DetectResult:
    """What a run did.

    `findings` are those that are new or changed; `ran`, `reduced` and `skipped` name every
    detection, the last two with the reason; `left_out` counts findings beyond the bound;
    `seconds` per detection, shared tables under the name `shared`.
    """

    findings: list[Finding]
    ran: tuple[str, ...]
    reduced: Mapping[str, str]
    skipped: Mapping[str, str]
    days: tuple[int, ...]
    left_out: Mapping[str, int]
    seconds: Mapping[str, float]


def detect(lake: Lake, options: Options = Options(), *, now: int) -> DetectResult:
    """Evaluate what is due and merge it into the lake's findings.

    A day is due for a detection when its flows, those of the look-back, the detection, its
    parameters or the feeds are not those of the last run.

    Raises:
        QueryError: a detection is invalid, or a name or parameter is unknown.
        EngineError: a detection failed while running.
        LakeError: something is due, and the lake cannot be written; told before any work.
    """
    return _Run(lake, options, now).all()


def standings(
    columns: set[str], detections: Iterable[Detection], *, has_feeds: bool, has_geo: bool
) -> tuple[list[Detection], dict[str, str], dict[str, str]]:
    """Which detections run on a lake with these columns; reduced and skipped ones with reasons."""
    runs, reduced, skipped = [], {}, {}
    for detection in detections:
        standing, why = detection.standing(columns)
        if standing == "cannot":
            skipped[detection.id] = why
        elif detection.feeds and not has_feeds:
            skipped[detection.id] = "the lake has no threat feeds: flowscan feeds add"
        elif detection.geo and not has_geo:
            skipped[detection.id] = "no MMDB file is set: enrich.mmdb in flowscan.toml"
        else:
            runs.append(detection)
            if standing == "reduced":
                reduced[detection.id] = why
    return runs, reduced, skipped


class _Run:
    def __init__(self, lake: Lake, options: Options, now: int) -> None:
        self.lake, self.options, self.now = lake, options, now
        self.snapshot: Snapshot = lake.snapshot()
        self.days = Days(self.snapshot)
        self.progress = Progress(lake)
        self.columns = set(self.snapshot.columns("flows"))
        indicators = lake.read("indicators")
        self.index = FeedIndex(indicators, now=now) if indicators.num_rows else None
        self.feeds = f"{[f.path for f in self.snapshot.files('indicators')]}"
        every = catalogue(options.folder, options.only, options.skip)
        unknown = set(options.parameters) - {d.id for d in every}
        if unknown and (unknown := unknown - {d.id for d in catalogue(options.folder)}):
            raise QueryError(f"parameters of unknown detections: {', '.join(sorted(unknown))}")
        has_feeds = self.index is not None and len(self.index) > 0
        self.runs, self.reduced, self.skipped = standings(
            self.columns, every, has_feeds=has_feeds, has_geo=bool(options.mmdb)
        )
        self.trusted = Trusted.read(self.options.trusted)
        self.seconds: dict[str, float] = {}
        self.left_out: dict[str, int] = {}
        self._fixed_of = {d.id: self._fixed(d) for d in self.runs}
        self._read_from = {d.id: d.read_from() for d in self.runs}

    def all(self) -> DetectResult:
        due = self._due()
        if due:
            self.lake.prove_writable()
        keys: dict[str, dict[int, str]] = {d.id: {} for d in self.runs}
        found: list[Finding] = []
        evaluated: dict[str, set[int]] = {d.id: set() for d in self.runs}
        for chunk in self._chunks(sorted(due)):
            found += self._chunk(chunk, due, evaluated)
            for day in chunk:
                for detection in due[day]:
                    keys[detection.id][day] = self._key(detection, day)
        merged = _join(found)
        news = store.merge(self.lake, merged, evaluated, self.options.suppress, self.now)
        self.progress.save(self.lake, keys, self.now)
        news.sort(key=lambda f: (-f.severity, -f.last_seen, f.id))
        return DetectResult(
            findings=news,
            ran=tuple(d.id for d in self.runs),
            reduced=self.reduced,
            skipped=self.skipped,
            days=tuple(sorted(due)),
            left_out=self.left_out,
            seconds=self.seconds,
        )

    # -- plan ------------------------------------------------------------------------------

    def _fixed(self, detection: Detection) -> str:
        """What a day's key has whatever the day."""
        params = self.options.parameters.get(detection.id, {})
        parts = [
            detection.query.sql, json.dumps(dict(params), sort_keys=True, default=str),
            self.feeds if detection.feeds else "",
            *(self.options.mmdb if detection.geo else ()), self.trusted.digest,
            str(detection.severity), derive.version(),
        ]  # fmt: skip
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()

    def _key(self, detection: Detection, day: int) -> str:
        parts = [self._fixed_of[detection.id], self.days.digest(day)]
        parts += [self.days.digest(d) for d in self.days.window(day, detection.lookback)]
        if "coverage" in self._read_from[detection.id]:
            newest = max(self.days, default=day)
            recent = day >= newest - 2 * DAY
            parts += self.days.coverage(day) if recent else []
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]

    def _due(self) -> dict[int, list[Detection]]:
        since = self.options.since - self.options.since % DAY if self.options.since else 0
        until = self.options.until or (1 << 62)
        due: dict[int, list[Detection]] = {}
        for day in self.days:
            if not since <= day < until:
                continue
            names = [
                d
                for d in self.runs
                if self.options.again or self.progress.due(d.id, day, self._key(d, day))
            ]
            if names:
                due[day] = names
        return due

    def _chunks(self, due: list[int]) -> Iterable[list[int]]:
        chunk: list[int] = []
        size = 0
        for day in due:
            if chunk and size + self.days.rows[day] > self.options.chunk_rows:
                yield chunk
                chunk, size = [], 0
            chunk.append(day)
            size += self.days.rows[day]
        if chunk:
            yield chunk

    # -- one chunk of days -----------------------------------------------------------------

    def _chunk(
        self,
        chunk: list[int],
        due: Mapping[int, list[Detection]],
        evaluated: dict[str, set[int]],
    ) -> list[Finding]:
        chosen = {d.id: d for day in chunk for d in due[day]}
        lookback = max((d.lookback for d in chosen.values()), default=0)
        since, until = min(chunk), max(chunk) + DAY
        with self._engine(chunk, since, until, since - lookback * DAY) as engine:
            self._shared(engine, chosen.values())
            return self._evaluate(engine, chunk, chosen, due, evaluated)

    @contextlib.contextmanager
    def _engine(
        self, chunk: Sequence[int], since: int, until: int, before: int
    ) -> Iterator[Workspace]:
        """A workspace with the tables of traffic, contacts and volumes from `before` on."""
        if self.options.opener is not None:
            with made(self.lake, self.options.opener, before, until) as workspace:
                yield workspace
            return
        ordinary = sum(self.days.rows[day] for day in chunk) <= self.options.chunk_rows
        with reading(
            self.lake,
            since,
            until,
            before=before,
            memory_limit=self.options.memory_limit or (MEMORY if ordinary else None),
            threads=self.options.threads,
        ) as engine:
            yield engine

    def _shared(self, engine: Workspace, chosen: Iterable[Detection]) -> None:
        began = time.perf_counter()
        read = set().union(*(self._read_from[d.id] for d in chosen))
        shared = read & {"places", "matches", "geo"}
        addresses = tables.strangers(engine) if shared else None
        if "places" in shared:
            tables.make_places(
                engine, addresses, aws_services="pkt_dst_aws_service" in self.columns
            )
        if "matches" in shared:
            tables.make_matches(engine, addresses, self.index)
        if "geo" in shared:
            tables.make_geo(engine, addresses, self.options.mmdb)
        self._spent("shared", began)

    def _spent(self, name: str, began: float) -> None:
        self.seconds[name] = self.seconds.get(name, 0) + time.perf_counter() - began

    def _evaluate(
        self,
        engine: Workspace,
        chunk: list[int],
        chosen: Mapping[str, Detection],
        due: Mapping[int, list[Detection]],
        evaluated: dict[str, set[int]],
    ) -> list[Finding]:
        hosts = rows.Hosts(lambda: engine.execute("SELECT * FROM hosts"))
        possible = self._possible(engine, chunk, chosen)
        found = []
        for name, detection in chosen.items():
            days = {day for day in chunk if detection in due[day]}
            evaluated[name] |= days
            days &= possible.get(name, days)
            if not days:
                continue
            began = time.perf_counter()
            table = self._rows(engine, detection, min(days), max(days) + DAY)
            mine = rows.chosen(table, days, self.trusted)
            confidence = detection.confidence(self.columns)
            made, left = rows.findings(detection, mine, hosts, confidence, self.now)
            found += made
            self._spent(name, began)
            if left:
                self.left_out[name] = self.left_out.get(name, 0) + left
        return found

    def _possible(
        self, engine: Workspace, chunk: list[int], chosen: Mapping[str, Detection]
    ) -> dict[str, set[int]]:
        """The days on which detections can have rows, where that is known."""
        given = self.options.parameters
        conditions = {
            name: candidates.condition(d.when, d.query, given.get(name, {}))
            for name, d in chosen.items()
            if d.when
        }
        began = time.perf_counter()
        found = candidates.possible(engine, conditions, min(chunk), max(chunk) + DAY)
        self._spent("shared", began)
        return found

    def _rows(self, engine: Workspace, detection: Detection, since: int, until: int) -> Any:
        given = {"since": since, "until": until, **self.options.parameters.get(detection.id, {})}
        known = {n: v for n, v in given.items() if n in detection.query.params or n not in _WINDOW}
        select = queries.inline(detection.query, known)
        # The shipped files keep to what both dialects share, which tests on Trino hold; reading
        # each with a full parser would cost more than running it.
        if not detection.query.path.is_relative_to(queries.queries_dir()):
            select = engine.translate(select)
        if detection.function is None:
            return engine.execute(rows.bounded(select))
        values = queries.values_of(detection.query, known)
        return FUNCTIONS[detection.function](engine.execute(select), values)


_WINDOW: Final = ("since", "until")


def _join(found: list[Finding]) -> list[Finding]:
    """Findings of several chunks: one per id, with the days of all."""
    joined: dict[str, Finding] = {}
    for finding in found:
        known = joined.get(finding.id)
        if known is None:
            joined[finding.id] = finding
            continue
        days = tuple(sorted((*known.days, *finding.days), key=lambda d: d.day))
        latest = max((known, finding), key=lambda f: f.days[-1].day)
        joined[finding.id] = replace(latest, days=days)
    return list(joined.values())
