from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from aws_server import Aws

from flowscan.batch import run_cycle
from flowscan.config import Settings
from flowscan.lake import Lake
from flowscan.schema import small_schema

HOSTILE = '</script>\x1b[31m"; DROP TABLE\n\u202e'


def finding(number: int, severity: float, status: str = "active") -> dict[str, Any]:
    row = dict.fromkeys(small_schema("findings").names)
    return row | {
        "id": f"{number:032x}",
        "type": "Recon:EC2/Portscan",
        "title": HOSTILE,
        "severity": severity,
        "status": status,
        "resource": "eni-0abc",
        "count": 3,
        "first_seen": 1_700_000_000,
        "last_seen": 1_700_000_100,
        "actors_total": 1,
    }


class Hook:
    def __init__(self) -> None:
        self.status = 200
        self.bodies: list[Any] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if hook.status == 200:
                    hook.bodies.append(json.loads(body))
                self.send_response(hook.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?key=canary-secret"


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake.open(tmp_path / "lake", create=True)


def put(lake: Lake, *rows: dict[str, Any]) -> None:
    table = pa.Table.from_pylist(list(rows), schema=small_schema("findings"))
    lake.replace("findings", lambda _old: table)


def settings(lake: Lake, **notify: Any) -> Settings:
    made = Settings()
    return replace(
        made,
        lake=replace(made.lake, path=lake.store.where),
        notify=replace(made.notify, **notify),
        run=replace(made.run, stages=("notify",)),
    )


def test_each_finding_once_and_again_when_worse(lake: Lake, tmp_path: Path, hook: Hook) -> None:
    out: list[str] = []
    path = tmp_path / "news.jsonl"
    chosen = settings(lake, stdout=True, file=str(path), webhook=hook.url)
    put(lake, finding(1, 5.0), finding(2, 8.0), finding(3, 3.9), finding(4, 9.0, "suppressed"))
    assert run_cycle(chosen, tell=out.append).status == "ok"
    assert [json.loads(line)["id"][-1] for line in out] == ["2", "1"]
    assert json.loads(out[0])["severity_label"] == "high"
    assert json.loads(out[0])["first_seen"] == "2023-11-14T22:13:20Z"
    assert out == path.read_text().splitlines()
    assert [f["id"][-1] for f in hook.bodies[0]["findings"]] == ["2", "1"]
    assert all(line.isascii() and line.isprintable() for line in out)
    assert path.stat().st_mode & 0o077 == 0

    assert run_cycle(chosen, tell=out.append).stages["notify"].status == "nothing"
    put(lake, finding(1, 7.0), finding(2, 8.0))
    run_cycle(chosen, tell=out.append)
    assert [json.loads(line)["id"][-1] for line in out] == ["2", "1", "1"]


def test_told_only_when_every_channel_took_it(lake: Lake, hook: Hook) -> None:
    put(lake, finding(1, 5.0))
    chosen = settings(lake, webhook=hook.url)
    hook.status = 500
    summary = run_cycle(chosen)
    assert (summary.status, summary.exit_code) == ("failed", 3)
    assert "answered 500" in summary.stages["notify"].message
    assert "canary-secret" not in summary.to_json()
    hook.status = 200
    assert run_cycle(chosen).status == "ok"
    assert len(hook.bodies) == 1


def test_webhook_refused(lake: Lake) -> None:
    put(lake, finding(1, 5.0))
    for url in ("http://example.com/", "file:///etc/passwd"):
        assert "https" in run_cycle(settings(lake, webhook=url)).stages["notify"].message
    summary = run_cycle(settings(lake, webhook="http://127.0.0.1:1/canary-secret"))
    assert "no answer" in summary.stages["notify"].message
    assert "canary-secret" not in summary.to_json()


def test_sns(lake: Lake, moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    topic = moto.client("sns").create_topic(Name="findings")["TopicArn"]
    sqs = moto.client("sqs")
    url = sqs.create_queue(QueueName="findings")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    moto.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    put(lake, finding(1, 5.0))
    chosen = settings(lake, sns_topic=topic)
    chosen = replace(chosen, ingest=replace(chosen.ingest, endpoint_url=moto.endpoint))
    assert run_cycle(chosen).status == "ok"
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    body = json.loads(json.loads(message["Body"])["Message"])
    assert body["findings"][0]["title"] == HOSTILE
    put(lake, finding(2, 5.0))
    lost = replace(chosen, notify=replace(chosen.notify, sns_topic=f"{topic}-absent"))
    assert "NotFound" in run_cycle(lost).stages["notify"].message
