"""Key layouts in which AWS and its users deliver flow logs: what a key says, what a window needs.

Invariant: reading a key never fails and never guesses; what a name does not say is None, and an
object whose name says nothing is kept. Pruning keeps a margin, because a record can be delivered
hours after its end, in the next day's prefix.
Source of the layouts: VPC User Guide, "Flow log files"; Firehose and CloudWatch export prefixes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from flowscan.sources.model import Window

__all__ = ["KeyInfo", "day_prefixes", "is_odd", "parse_key", "segment_kind", "wanted"]

EARLY = 3600  # an aggregation window may begin before the file's slot
LATE = 86400  # delivery is best effort: records may come in the next day's prefix

ACCOUNT = re.compile(r"(?:aws-account-id=)?(\d{12})", re.ASCII)
REGION = re.compile(r"(?:aws-region=)?([a-z]{2,3}(?:-[a-z]{2,12}){1,3}-\d{1,2})", re.ASCII)
SERVICE = re.compile(r"(?:aws-service=)?([A-Za-z][A-Za-z0-9_-]{0,63})", re.ASCII)
ORGANISATION = re.compile(r"o-[a-z0-9]{10,32}", re.ASCII)
YEAR = re.compile(r"(?:year=)?((?:19|20)\d\d)", re.ASCII)
TWO = re.compile(r"(?:(?:month|day|hour)=)?(\d\d)", re.ASCII)
AWS_NAME = re.compile(
    r"(?P<account>\d{12})_(?P<service>[A-Za-z]+)_(?P<region>[a-z0-9-]+)_(?P<id>[^_]+)"
    r"_(?P<time>\d{8}T\d{4})Z_[^/]+",
    re.ASCII,
)
FIREHOSE_NAME = re.compile(r".*-(\d{4}(?:-\d\d){5})-[0-9a-f-]{36}.*", re.ASCII)
JUNK = frozenset({"aws-logs-write-test", "_SUCCESS", "ENABLE"})


class KeyInfo(NamedTuple):
    """What a key says about its records. `time` is the start of the file's slot, epoch seconds."""

    account: str | None = None
    region: str | None = None
    service: str | None = None
    day: date | None = None
    time: int | None = None


def parse_key(key: str) -> KeyInfo:
    """Reads a key of any layout.

    Default, hourly, Hive, Hive and hourly, organisation prefixes, Firehose, export tasks, or none
    of them. `key` is a key or a path below the folder that the user named, with `/`.
    """
    path, _, name = key.rpartition("/")
    account, region, service, day = _folders(path)
    time = None
    if match := AWS_NAME.fullmatch(name):
        account, region, service = match["account"], match["region"], match["service"]
        time = _time(match["time"])
    elif match := FIREHOSE_NAME.fullmatch(name):
        time = _time(match[1].replace("-", ""))
    if day is None and time is not None:
        day = datetime.fromtimestamp(time, UTC).date()
    return KeyInfo(account, region, service, day, time)


@lru_cache(maxsize=256)
def _folders(path: str) -> tuple[str | None, str | None, str | None, date | None]:
    """Account, region, service and day that a path says; neighbours share it."""
    folders = path.split("/")
    account = region = service = None
    day: date | None = None
    for i, part in enumerate(folders):
        if match := ACCOUNT.fullmatch(part):
            account = match[1]
            service = _service(folders[i - 1 : i + 2]) or service
        elif account and (match := REGION.fullmatch(part)):
            region = match[1]
        elif day is None and YEAR.fullmatch(part):
            day = _day(folders[i : i + 3])
    return account, region, service, day


def _service(around: list[str]) -> str | None:
    # Only in AWS's own tree is the folder after the account the service.
    if len(around) < 3 or segment_kind(around[0]) not in ("tree", "organisation"):
        return None
    match = SERVICE.fullmatch(around[2])
    return match[1] if match and not REGION.fullmatch(around[2]) else None


def _day(parts: list[str]) -> date | None:
    if len(parts) < 3:
        return None
    year, month, day = YEAR.fullmatch(parts[0]), TWO.fullmatch(parts[1]), TWO.fullmatch(parts[2])
    if not (year and month and day):
        return None
    try:
        return date(int(year[1]), int(month[1]), int(day[1]))
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _time(text: str) -> int | None:
    """Epoch second of `YYYYMMDD[T]HHMM[SS]`; strptime would take as long as the rest of a key."""
    digits = text.replace("T", "")
    parts = (int(digits[i : i + 2]) for i in range(4, len(digits), 2))
    try:
        return int(datetime(int(digits[:4]), *parts, tzinfo=UTC).timestamp())  # type: ignore[misc, arg-type]
    except ValueError:
        return None


def is_flow_service(service: str | None) -> bool:
    """Whether a service folder holds flow logs (of VPCs or transit gateways)."""
    return service is None or service.lower().endswith("flowlogs")


def wanted(key: str, info: KeyInfo, window: Window) -> bool:
    """Whether the object may hold flow-log records of the window."""
    name = key.rsplit("/", 1)[-1]
    if not name or name in JUNK or not is_flow_service(info.service):
        return False
    if window.accounts and info.account is not None and info.account not in window.accounts:
        return False
    if window.regions and info.region is not None and info.region not in window.regions:
        return False
    first, last = _span(info)
    if window.since is not None and last is not None and last + EARLY < window.since:
        return False
    return not (window.until is not None and first is not None and first - LATE >= window.until)


def _span(info: KeyInfo) -> tuple[int | None, int | None]:
    if info.time is not None:
        return info.time, info.time + 300
    if info.day is not None:
        start = _epoch(info.day)
        return start, start + 86400
    return None, None


def _epoch(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def day_prefixes(base: str, *, hive: bool, since: int, until: int) -> Iterator[str]:
    """The day folders below `base` that may hold records of the window, oldest first.

    `base` ends with `/`; the margins for late delivery are included.
    """
    day = datetime.fromtimestamp(max(since - EARLY, 0), UTC).date()
    last = datetime.fromtimestamp(max(until - 1 + LATE, 0), UTC).date()
    while day <= last:
        if hive:
            yield f"{base}year={day:%Y}/month={day:%m}/day={day:%d}/"
        else:
            yield f"{base}{day:%Y/%m/%d}/"
        day += timedelta(days=1)


def is_odd(key: str) -> bool:
    """Whether obstore would refuse the key, or mean another one by it."""
    return any(part in ("", ".", "..") for part in key.split("/")) or not key.isprintable()


def segment_kind(segment: str) -> str:
    """What one folder name is: tree, organisation, account, region, year, service or other."""
    if segment == "AWSLogs":
        return "tree"
    for kind, pattern in (
        ("organisation", ORGANISATION),
        ("account", ACCOUNT),
        ("region", REGION),
        ("year", YEAR),
    ):
        if pattern.fullmatch(segment):
            return kind
    if segment.startswith("aws-service=") or segment.lower().endswith("flowlogs"):
        return "service"
    return "other"
