"""Tells people and programs of new findings.

Invariant: a finding is told once, and again only when its severity has grown; it counts as told
when every channel took it. What is told is JSON; text of attackers stays inside JSON strings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from flowscan.batch.model import Context, StageResult
from flowscan.batch.output import add_lines
from flowscan.batch.reading import source_options
from flowscan.config import redact
from flowscan.errors import ConfigError, FlowscanError
from flowscan.findings import severity_label
from flowscan.text import utc

__all__ = ["notify_stage"]

FLOORS = {"informational": 0.0, "low": 1.0, "medium": 4.0, "high": 7.0, "critical": 9.0}
COLUMNS = (
    "id", "type", "title", "severity", "account_id", "region", "resource", "count",
    "first_seen", "last_seen", "actors_total", "status",
)  # fmt: skip
AT_ONCE = 100  # findings per message
SNS_BYTES = 250_000  # SNS takes 256 KB
TIMEOUT = 20


def notify_stage(context: Context) -> StageResult:
    """Tells every channel of the findings that are new or worse."""
    settings = context.settings.notify
    channels = [c for c in ("stdout", "file", "sns_topic", "webhook") if getattr(settings, c)]
    if not channels:
        return StageResult("nothing", message="nobody to tell: see [notify]")
    news = _news(context)
    if not news:
        return StageResult("nothing", {"findings": 0})
    failures = []
    for channel in channels:
        try:
            _SEND[channel](context, news)
        except FlowscanError as error:
            failures.append(redact(f"{channel}: {error.what}"))
    if failures:
        return StageResult("failed", {"findings": len(news)}, "; ".join(failures))
    for finding in news:
        context.memory.told[finding["id"]] = finding["severity"]
    return StageResult("done", {"findings": len(news), "channels": channels})


def _news(context: Context) -> list[dict[str, Any]]:
    floor = FLOORS[context.settings.notify.severity]
    rows = context.lake.read("findings", COLUMNS).to_pylist()
    told = context.memory.told
    there = {row["id"] for row in rows}
    for gone in told.keys() - there:
        del told[gone]
    return [
        row
        for row in sorted(rows, key=lambda r: (-r["severity"], r["first_seen"], r["id"]))
        if row["status"] == "active"
        and row["severity"] >= floor
        and row["severity"] > told.get(row["id"], -1.0)
    ]


def _message(finding: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **finding,
        "severity_label": severity_label(finding["severity"]),
        "first_seen": utc(finding["first_seen"]),
        "last_seen": utc(finding["last_seen"]),
    }


def _lines(news: Sequence[Mapping[str, Any]]) -> list[str]:
    return [json.dumps(_message(f), ensure_ascii=True, separators=(",", ":")) for f in news]


def _stdout(context: Context, news: Sequence[Mapping[str, Any]]) -> None:
    for line in _lines(news):
        context.tell(line)


def _file(context: Context, news: Sequence[Mapping[str, Any]]) -> None:
    add_lines(context.settings.notify.file, _lines(news))


def _parcels(context: Context, news: Sequence[Mapping[str, Any]]) -> list[str]:
    made = []
    for start in range(0, len(news), AT_ONCE):
        body = {
            "source": "flowscan",
            "lake": context.settings.lake.path,
            "findings": [_message(f) for f in news[start : start + AT_ONCE]],
        }
        made.append(json.dumps(body, ensure_ascii=True))
    return made


def _sns(context: Context, news: Sequence[Mapping[str, Any]]) -> None:
    import botocore.exceptions

    from flowscan.sources.aws import client, explain

    topic = context.settings.notify.sns_topic
    sns = client("sns", source_options(context.settings))
    count = len(news)
    subject = f"flowscan: {count} new finding{'s' if count != 1 else ''}"
    for text in _parcels(context, news):
        if len(text) > SNS_BYTES:
            raise FlowscanError("the findings are too long for a message")
        try:
            sns.publish(TopicArn=topic, Subject=subject, Message=text)
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            raise explain(error, topic) from None


def _webhook(context: Context, news: Sequence[Mapping[str, Any]]) -> None:
    url = urlsplit(context.settings.notify.webhook)
    local = url.hostname in ("127.0.0.1", "localhost", "::1")
    if url.scheme != "https" and not (url.scheme == "http" and local):
        raise ConfigError("the webhook must be an https URL")
    for text in _parcels(context, news):
        _post(url, text.encode())


def _post(url: Any, body: bytes) -> None:
    import http.client

    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.hostname, url.port, timeout=TIMEOUT)
    target = f"{url.path or '/'}{'?' + url.query if url.query else ''}"
    try:
        headers = {"Content-Type": "application/json", "User-Agent": "flowscan"}
        connection.request("POST", target, body, headers)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise FlowscanError(f"{type(error).__name__}: no answer from {url.hostname}") from None
    finally:
        connection.close()
    if not 200 <= status < 300:
        raise FlowscanError(f"{url.hostname} answered {status}")


_SEND = {"stdout": _stdout, "file": _file, "sns_topic": _sns, "webhook": _webhook}
