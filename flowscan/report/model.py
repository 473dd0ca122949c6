"""What a report says: plain frozen values, no rendering and no queries.

Invariant: everything a renderer shows is here, so all formats tell the same; every list is
bounded, and where rows were left out a count says how many. Times are epoch seconds, UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Period:
    """A window of time: `since` inclusive, `until` exclusive."""

    since: int
    until: int

    @property
    def seconds(self) -> int:
        """Length of the window."""
        return self.until - self.since

    @property
    def before(self) -> Period:
        """The window of the same length that ends where this one begins."""
        return Period(self.since - self.seconds, self.since)


@dataclass(frozen=True, slots=True)
class Totals:
    """Key figures of a period. Bytes and packets are those of accepted flows."""

    flows: int = 0
    accepted: int = 0
    rejected: int = 0
    packets: int = 0
    bytes: int = 0
    interfaces: int = 0


@dataclass(frozen=True, slots=True)
class Overview:
    """The period in figures; `previous` is None where the lake does not reach back so far."""

    period: Period
    totals: Totals
    previous: Totals | None
    local_addresses: int
    public_addresses: int
    bytes_in: int
    bytes_out: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """One step of the timeline."""

    start: int
    accepted: int
    rejected: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """Flows over time in equal steps, without gaps; `step` in seconds."""

    step: int
    buckets: tuple[Bucket, ...]


@dataclass(frozen=True, slots=True)
class HeatCell:
    """Mean flows per hour at an hour of the week; `weekday` 0 is Monday, `hours` observed."""

    weekday: int
    hour: int
    hours: int
    flows: int
    rejected: int


@dataclass(frozen=True, slots=True)
class RejectedPort:
    """One refused port: who knocked, at how many of ours."""

    protocol: int
    port: int
    service: str
    flows: int
    packets: int
    sources: int
    targets: int
    first_seen: int
    last_seen: int
    top_sources: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class RejectedSource:
    """One source of refused flows."""

    address: str
    flows: int
    ports: int
    targets: int
    accepted: int
    country: str = ""


@dataclass(frozen=True, slots=True)
class Talker:
    """A pair of addresses: bytes from `source` to `destination`, and what these are known as."""

    source: str
    destination: str
    source_label: str
    destination_label: str
    flows: int
    packets: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Exposure:
    """A port of ours that the internet reached."""

    address: str
    interface: str
    protocol: int
    port: int
    service: str
    sensitive: bool
    sources: int
    flows: int
    bytes: int
    first_seen: int
    last_seen: int


@dataclass(frozen=True, slots=True)
class Link:
    """A cell of the talk matrix: what one group sent to another."""

    source: str
    destination: str
    flows: int
    bytes: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Country:
    """Traffic with one country, by the MMDB data of the user."""

    name: str
    addresses: int
    flows: int
    rejected: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Match:
    """A listed address that was met, and whether it got through."""

    address: str
    feed: str
    category: str
    indicator: str
    confidence: int | None
    accepted: int
    refused: int
    bytes: int
    direction: str
    local: tuple[str, ...]
    ports: tuple[int, ...]
    first_seen: int
    last_seen: int


@dataclass(frozen=True, slots=True)
class Actor:
    """One party of a finding, with its own numbers and what is known of it."""

    address: str
    flows: int
    bytes: int
    first_seen: int
    last_seen: int
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Rows that a finding rests on."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding as a reader meets it; `host` is the address that an interface goes by."""

    id: str
    detection: str
    type: str
    title: str
    what: str
    severity: float
    label: str
    confidence: str
    resource: str
    host: str
    role: str
    status: str
    status_reason: str | None
    account: str | None
    count: int
    bytes: int
    first_seen: int
    last_seen: int
    actors: tuple[Actor, ...]
    actors_total: int
    facts: tuple[tuple[str, str], ...]
    evidence: Evidence | None
    sql: str


@dataclass(frozen=True, slots=True)
class DetectionView:
    """What a reader should know of a detection: once per detection, not per finding."""

    id: str
    title: str
    description: str
    todo: str
    false_positives: str
    reduced: str
    attack: tuple[str, ...]
    references: tuple[str, ...]
    sql: str


@dataclass(frozen=True, slots=True)
class InterfaceCoverage:
    """What is known of one interface; `silent_hours` have neither flows nor a word about it."""

    interface: str
    label: str
    flows: int
    bytes: int
    hours: int
    silent_hours: int
    nodata: int
    skipdata: int
    first_seen: int | None
    last_seen: int | None


@dataclass(frozen=True, slots=True)
class Quality:
    """How much of what AWS wrote is in the lake."""

    records: int
    flows: int
    nodata: int
    skipdata: int
    rejects: int
    sources: int
    refused_sources: int
    reasons: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Left:
    """How many rows each bounded list left out."""

    interfaces: int = 0
    exposure: int = 0
    matches: int = 0
    findings: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """One report; `findings` holds the most severe, `left` counts the rest.

    `known` reaches from the first to the last flow of the lake; None when there is none.
    """

    lake: str
    made: int
    version: str
    verdict: str
    detail: str
    tally: str
    verdict_level: str
    overview: Overview
    timeline: Timeline
    heat: tuple[HeatCell, ...]
    rejected_ports: tuple[RejectedPort, ...]
    rejected_sources: tuple[RejectedSource, ...]
    talkers: tuple[Talker, ...]
    exposure: tuple[Exposure, ...]
    groups: tuple[str, ...]
    links: tuple[Link, ...]
    countries: tuple[Country, ...]
    feeds: int
    matches: tuple[Match, ...]
    detected: bool
    detected_at: int | None
    findings: tuple[FindingView, ...]
    severities: Mapping[str, int]
    detections: Mapping[str, DetectionView]
    coverage: tuple[InterfaceCoverage, ...]
    quality: Quality
    left: Left
    known: Period | None = None

    @property
    def is_empty(self) -> bool:
        """No flow in the period."""
        return self.overview.totals.flows == 0
