"""Where credentials come from: every link of AWS's chain that can be had without AWS."""

from __future__ import annotations

import json
import sys
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
