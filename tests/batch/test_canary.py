"""No credential in any output: every command with canary keys, at debug level, forced to fail."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_proxy import Fault, Proxy, fault_proxy
from s3_server import Server

pytestmark = pytest.mark.s3

KEY, SECRET, TOKEN = (
    "AKIACANARY1234567890",
    "canary/secret+key/abcdefghijklmnop",
    "canarySessionToken==",
)
CANARIES = (KEY, SECRET, TOKEN, "canary-hook", "canary%2F", "canary/")


@pytest.fixture(scope="module")
def proxy(s3: Server) -> Iterator[Proxy]:
    with fault_proxy(s3.endpoint) as made:
        yield made


def environment(proxy: Proxy, folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_SESSION_TOKEN": TOKEN,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": proxy.endpoint,
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "FLOWSCAN_NOTIFY_WEBHOOK": "https://127.0.0.1:1/canary-hook",
    }


COMMANDS = [
    ["ingest", "s3://bucket/x"],
    ["ingest", "s3://bucket/x", "--role-arn", "arn:aws:iam::123456789012:role/x"],
    ["ingest", "cloudwatch://group", "--since", "1h"],
    ["ingest", "sqs://{endpoint}/123456789012/queue"],
    ["ingest", "{log}", "--lake", "s3://bucket/lake"],
    ["report", "--lake", "s3://bucket/lake"],
    ["match", "--lake", "s3://bucket/lake"],
    ["lookup", "198.51.100.7", "--lake", "s3://bucket/lake"],
    ["rejects", "--lake", "s3://bucket/lake"],
    ["lake", "status", "--lake", "s3://bucket/lake"],
    ["feeds", "list", "--lake", "s3://bucket/lake"],
    ["run", "--lake", "s3://bucket/lake"],
    ["run", "--lake", "lake"],
]
REFUSED = Fault(
    403, "SignatureDoesNotMatch</Code><AWSAccessKeyId>" + KEY + "</AWSAccessKeyId><Code>x"
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_forced_failure_tells_no_secret(proxy: Proxy, tmp_path: Path, command: list[str]) -> None:
    proxy.fault = lambda _: REFUSED
    log = tmp_path / "x.log"
    log.write_text("2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 40 1700000000 1700000001 ACCEPT OK\n")
    (tmp_path / "flowscan.toml").write_text('[ingest]\nsources = ["s3://bucket/x"]\n')
    words = [w.format(endpoint=proxy.endpoint, log=log) for w in command]
    done = subprocess.run(
        [sys.executable, "-m", "flowscan", *words, "--debug"],
        env=environment(proxy, tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode not in (0, 2), done.stdout + done.stderr
    told = done.stdout + done.stderr
    assert "SignatureDoesNotMatch" in told or "AssumeRole" in told or "403" in told
    written = [done.stdout, done.stderr]
    written += [p.read_bytes().decode("latin-1") for p in tmp_path.rglob("*") if p.is_file()]
    for text in written:
        for canary in CANARIES:
            assert canary not in text, f"{canary} told by {words}"
