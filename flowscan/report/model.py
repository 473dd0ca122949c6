"""What a report says: plain frozen values, no rendering and no queries.

Invariant: everything a renderer shows is here, so all formats tell the same; every list is
bounded, and where rows were left out a count says how many. Times are epoch seconds, UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flowscan.report.listed import Match, Matched


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
    """Key figures of a period.

    `flows`, `accepted` and `rejected` count records. Packets and bytes count each packet once,
    however many interfaces recorded it; those that were refused stand apart.
    """

    flows: int = 0
    accepted: int = 0
    rejected: int = 0
    packets: int = 0
    bytes: int = 0
    refused_packets: int = 0
    refused_bytes: int = 0
    interfaces: int = 0


@dataclass(frozen=True, slots=True)
class Undecided:
    """Connections of which nobody can tell who called, and the accepted bytes of them."""

    connections: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Overview:
    """The period in figures; `previous` is None where the lake does not reach back so far.

    `bytes_in` and `bytes_out` crossed the edge between ours and the internet; what went through a
    gateway endpoint did not. `asked` is the period that was asked for, where it is not of whole
    hours and `period` therefore is wider.
    """

    period: Period
    totals: Totals
    previous: Totals | None
    local_addresses: int
    public_addresses: int
    bytes_in: int
    bytes_out: int
    undecided: Undecided = Undecided()
    asked: Period | None = None


@dataclass(frozen=True, slots=True)
class Bucket:
    """One step of the timeline: records accepted and rejected, accepted bytes."""

    start: int
    accepted: int
    rejected: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """Records over time in equal steps, without gaps; `step` in seconds."""

    step: int
    buckets: tuple[Bucket, ...]


@dataclass(frozen=True, slots=True)
class HeatCell:
    """Mean records per hour at an hour of the week; `weekday` 0 is Monday, `hours` observed."""

    weekday: int
    hour: int
    hours: int
    flows: int
    rejected: int


@dataclass(frozen=True, slots=True)
class RejectedPort:
    """One refused port: who called, how many it was; `flows` are refused records.

    The port is that of the server, whichever direction was refused.
    """

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
    """Who called and was refused; `flows` are refused records of its calls, `accepted` others."""

    address: str
    flows: int
    ports: int
    targets: int
    accepted: int
    country: str = ""


@dataclass(frozen=True, slots=True)
class Talker:
    """A pair of addresses: bytes from `source` to `destination`, and what these are known as.

    `connections` and `flows`, their accepted records, are those between the two, whoever called.
    """

    source: str
    destination: str
    source_label: str
    destination_label: str
    connections: int
    flows: int
    packets: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Exposure:
    """A port of ours that answered the internet: its sources, connections and bytes received."""

    address: str
    interface: str
    protocol: int
    port: int
    service: str
    sensitive: bool
    sources: int
    connections: int
    bytes: int
    first_seen: int
    last_seen: int


@dataclass(frozen=True, slots=True)
class Link:
    """A cell of the talk matrix: accepted bytes that one group sent to another.

    `flows` and `rejected` are the records of the calls of `source` at `destination`.
    """

    source: str
    destination: str
    flows: int
    bytes: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Country:
    """Traffic with one country, by the MMDB data of the user; `flows` are records."""

    name: str
    addresses: int
    flows: int
    rejected: int
    bytes: int


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
    """What is known of one interface; `silent_hours` have neither records nor a word about it.

    `flows` are the records it made; `bytes` those that are told under it, each packet once. Those
    that a NAT gateway passes on are told under its clients: `nat` marks its interface, `processed`
    are the bytes that it got from clients and for them, as edges know them: of the whole UTC days
    of the period, None where it has none.
    """

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
    nat: bool = False
    processed: int | None = None


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

    `known` reaches from the first to the last flow of the lake; None when there is none. `probed`
    counts connections from public addresses to ours that were refused, silent or reset.
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
    probed: int
    groups: tuple[str, ...]
    links: tuple[Link, ...]
    countries: tuple[Country, ...]
    feeds: int
    matched: Matched
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
        """No record in the period."""
        return self.overview.totals.flows == 0
