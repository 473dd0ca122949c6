"""Where credentials come from: every link of AWS's chain that can be had without AWS."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from aws_server import Aws

from flowscan.errors import SourceError
from flowscan.sources import SourceOptions, Window, open_source

BUCKET = "credentials-logs"


@pytest.fixture
def aws(moto: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Aws:
    client = moto.client("s3")
    client.create_bucket(Bucket=BUCKET)
    client.put_object(Bucket=BUCKET, Key="a.log", Body=b"hello")
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto.endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return moto


def works(options: SourceOptions | None = None) -> bool:
    source = open_source(f"s3://{BUCKET}", options)
    (obj,) = source.list(Window())
    return b"".join(source.read(obj).chunks) == b"hello"


def test_profile_and_role_of_a_profile(aws: Aws, tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text("[base]\naws_access_key_id=x\naws_secret_access_key=y\n")
    (tmp_path / "config").write_text(
        "[profile reader]\nrole_arn=arn:aws:iam::123456789012:role/reader\nsource_profile=base\n"
    )
    assert works(SourceOptions(profile="base"))
    assert works(SourceOptions(profile="reader"))
    assert works(SourceOptions(profile="base", role_arn="arn:aws:iam::123456789012:role/x"))
    with pytest.raises(SourceError, match="no AWS credentials"):
        works()


def test_credential_process(aws: Aws, tmp_path: Path) -> None:
    answer = {"Version": 1, "AccessKeyId": "x", "SecretAccessKey": "y", "SessionToken": "z",
              "Expiration": "2099-01-01T00:00:00Z"}  # fmt: skip
    script = tmp_path / "process.py"
    script.write_text(f"print({json.dumps(json.dumps(answer))})")
    (tmp_path / "config").write_text(
        f"[profile p]\ncredential_process = {sys.executable} {script}\n"
    )
    assert works(SourceOptions(profile="p"))


def test_web_identity(aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("token")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/web")
    assert works()


def test_instance_metadata(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", aws.endpoint)
    assert works()


def test_role_that_cannot_be_assumed(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(SourceError, match="AWS credentials"):
        works(SourceOptions(role_arn="arn:aws:iam::123456789012:role/x"))
    assert works(SourceOptions(request_payer=True))


@contextmanager
def sso_portal(asked: list[tuple[str, str | None]]) -> Iterator[str]:
    """What AWS's access portal answers to GetRoleCredentials: keys for the right token."""

    class Portal(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            token = self.headers.get("x-amz-sso_bearer_token")
            asked.append((self.path, token))
            keys = {"accessKeyId": "x", "secretAccessKey": "y", "sessionToken": "z",
                    "expiration": 4_070_908_800_000}  # fmt: skip
            good = token == "sso-canary-token"
            body = json.dumps({"roleCredentials": keys} if good else {"message": "no"}).encode()
            self.send_response(200 if good else 401)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Portal)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_sso_profile(aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After `aws sso login`: the cached token buys keys; an old token is told, not shown."""
    (tmp_path / "config").write_text(
        "[profile people]\nsso_session = corp\nsso_account_id = 123456789012\n"
        "sso_role_name = reader\n[sso-session corp]\nsso_region = us-east-1\n"
        "sso_start_url = https://example.awsapps.com/start\n"
    )
    cache = tmp_path / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path))

    def ingest(lifetime: timedelta) -> subprocess.CompletedProcess[str]:
        token = {"accessToken": "sso-canary-token", "region": "us-east-1",
                 "startUrl": "https://example.awsapps.com/start",
                 "expiresAt": (datetime.now(UTC) + lifetime).strftime("%Y-%m-%dT%H:%M:%SZ")}  # fmt: skip
        name = sha1(b"corp", usedforsecurity=False).hexdigest()
        (cache / f"{name}.json").write_text(json.dumps(token))
        command = [sys.executable, "-m", "flowscan", "ingest", f"s3://{BUCKET}", "--dry-run"]
        command += ["--profile", "people", "--lake", str(tmp_path / "lake")]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    asked: list[tuple[str, str | None]] = []
    with sso_portal(asked) as portal:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SSO", portal)
        done = ingest(timedelta(hours=8))
        assert done.returncode == 0, done.stderr
        assert "a.log" in done.stdout
        path, token = asked[0]
        assert path.startswith("/federation/credentials?")
        assert "role_name=reader" in path
        assert token == "sso-canary-token"
        asked.clear()
        late = ingest(timedelta(hours=-1))
    assert late.returncode == 3, late.stderr
    assert not asked
    assert "Traceback" not in late.stderr
    assert "aws sso login" in late.stderr
    assert "sso-canary-token" not in late.stdout + late.stderr
