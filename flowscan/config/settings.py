"""What can be set: one frozen dataclass per section of flowscan.toml, defaults included.

Invariant: the defaults here are the only ones; `flowscan init` and the reader derive from these
classes. Field metadata: `help` (for flowscan.toml), `kind` ("duration" in seconds, "path",
"time", "beside"), `choices`, `secret` (never shown; better given by the environment).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = [
    "DetectSettings",
    "EnrichSettings",
    "ExportSettings",
    "FeedSettings",
    "IngestSettings",
    "LakeSettings",
    "NotifySettings",
    "ReportSettings",
    "RunSettings",
    "Settings",
    "Suppression",
    "UpkeepSettings",
]

SEVERITIES = ("informational", "low", "medium", "high", "critical")
DAY = 86400


def _option(default: Any, text: str, **more: Any) -> Any:
    return field(default=default, metadata={"help": text, **more}, repr=not more.get("secret"))


@dataclass(frozen=True, slots=True)
class LakeSettings:
    """Where the lake is and how it is reached."""

    path: str = _option("flowscan-lake", "Folder or s3://bucket/prefix of the lake.", kind="path")
    endpoint_url: str = _option("", "S3 endpoint other than AWS's.")
    region: str = _option("", "AWS region of the lake's bucket.")
    profile: str = _option("", "AWS profile for the lake.")
    role_arn: str = _option("", "Role to assume for the lake.")


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """Which flow logs are read by `flowscan run`."""

    sources: tuple[str, ...] = _option(
        (),
        "Folders, globs, s3://bucket/prefix, cloudwatch://log-group, sqs://queue-url.",
        kind="path",
    )
    format: str = _option("", "Columns of text without header: '${version} ${account-id} …'.")
    accounts: tuple[str, ...] = _option((), "Only these accounts; empty: all.")
    regions: tuple[str, ...] = _option((), "Only these regions; empty: all.")
    overlap: int = _option(
        2 * DAY, "How far back every cycle lists again, for late objects.", kind="duration"
    )
    first: str = _option("all", "How far back the first cycle goes: '30d', or 'all'.")
    workers: int = _option(0, "Parser threads; 0: one per core.")
    concurrency: int = _option(32, "Objects fetched at the same time.")
    endpoint_url: str = _option("", "AWS endpoint other than the usual one.")
    region: str = _option("", "AWS region of the sources.")
    profile: str = _option("", "AWS profile for the sources.")
    role_arn: str = _option("", "Role to assume for reading the sources.")
    request_payer: bool = _option(default=False, text="Pay for the requests to the bucket.")


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """Threat feeds."""

    refresh: int = _option(DAY, "Fetch feeds again after this time; '0s': never.", kind="duration")


@dataclass(frozen=True, slots=True)
class EnrichSettings:
    """Who an address is."""

    mmdb: tuple[str, ...] = _option(
        (), "MMDB files with country, city or AS; earlier ones win.", kind="path"
    )
    rdap: str = _option(
        "https://rdap-bootstrap.arin.net/bootstrap", "RDAP service, asked with --whois only."
    )


@dataclass(frozen=True, slots=True)
class Suppression:
    """Findings that are expected: all conditions that are given must hold.

    `type` may end with `*`; `actor` and `resource` are addresses, prefixes or ids; `until` is
    epoch seconds, None for ever.
    """

    reason: str
    type: str = "*"
    actor: str = ""
    resource: str = ""
    port: int | None = None
    until: int | None = field(default=None, metadata={"kind": "time"})


@dataclass(frozen=True, slots=True)
class DetectSettings:
    """Detections, their parameters, and what is expected here."""

    only: tuple[str, ...] = _option((), "Only these detections; empty: all.")
    skip: tuple[str, ...] = _option((), "Not these detections.")
    detections: str = _option("", "Folder of your own detections.", kind="path")
    trusted: tuple[str, ...] = _option(
        (), "Addresses, prefixes or files of them, never accused.", kind="beside"
    )
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    suppress: tuple[Suppression, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """The report that `flowscan run` writes."""

    path: str = _option("", "File that every cycle replaces; empty: no report.", kind="path")
    format: str = _option("html", "Its format.", choices=("html", "json", "csv", "markdown"))
    since: str = _option("7d", "Period of the report.")


@dataclass(frozen=True, slots=True)
class ExportSettings:
    """Findings for other systems, written by `flowscan run`."""

    path: str = _option("", "File that every cycle replaces; empty: no export.", kind="path")
    format: str = _option("ocsf", "Its format, see `flowscan findings export --help`.")


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """Who is told of new findings, each once."""

    severity: str = _option("medium", "Lowest severity told.", choices=SEVERITIES)
    stdout: bool = _option(default=False, text="One JSON line per finding on standard output.")
    file: str = _option("", "File to which one JSON line per finding is added.", kind="path")
    sns_topic: str = _option("", "ARN of an SNS topic.")
    webhook: str = _option(
        "",
        "https URL that gets a POST (better: the environment variable FLOWSCAN_NOTIFY_WEBHOOK).",
        secret=True,
    )


@dataclass(frozen=True, slots=True)
class RunSettings:
    """The scheduled cycle."""

    stages: tuple[str, ...] = _option(
        ("ingest", "traffic", "feeds", "match", "detect", "report", "export", "notify", "upkeep"),
        "What a cycle does, in this order.",
    )
    hold: int = _option(
        900, "A cycle whose holder is silent for so long is taken for dead.", kind="duration"
    )
    heartbeat: str = _option("", "File that every cycle replaces by its summary.", kind="path")


@dataclass(frozen=True, slots=True)
class UpkeepSettings:
    """Housekeeping of the lake, done by `flowscan run` when due."""

    every: int = _option(DAY, "How often; '0s': never.", kind="duration")
    compact: bool = _option(default=True, text="Put the small files of past days together.")
    expire: int = _option(0, "Delete flows older than this; '0s': keep all.", kind="duration")


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings; `origin` is the file they come from, None for the defaults."""

    lake: LakeSettings = LakeSettings()
    ingest: IngestSettings = IngestSettings()
    feeds: FeedSettings = FeedSettings()
    enrich: EnrichSettings = EnrichSettings()
    detect: DetectSettings = DetectSettings()
    report: ReportSettings = ReportSettings()
    export: ExportSettings = ExportSettings()
    notify: NotifySettings = NotifySettings()
    run: RunSettings = RunSettings()
    upkeep: UpkeepSettings = UpkeepSettings()
    origin: Path | None = None
