from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from flowscan.config import default_lake, load, parse_duration, parse_time, redact
from flowscan.errors import ConfigError, UsageError

NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", NOW),
        ("24h", datetime(2026, 7, 31, 12, tzinfo=UTC)),
        ("7d", datetime(2026, 7, 25, 12, tzinfo=UTC)),
        ("999999999d", datetime(1970, 1, 1, tzinfo=UTC)),
        ("2026-08-01", datetime(2026, 8, 1, tzinfo=UTC)),
        ("2026-08-01T12:30", datetime(2026, 8, 1, 12, 30, tzinfo=UTC)),
        ("2026-08-01T12:30:00Z", datetime(2026, 8, 1, 12, 30, tzinfo=UTC)),
        ("2026-08-01T14:30:00+02:00", datetime(2026, 8, 1, 12, 30, tzinfo=UTC)),
    ],
)
def test_times(text: str, expected: datetime) -> None:
    assert parse_time(text, NOW) == int(expected.timestamp())


@pytest.mark.parametrize("text", ["", "tomorrow", "7", "7y", "٣d", "2026-13-01", "99999999999d"])
def test_no_times(text: str) -> None:
    with pytest.raises(UsageError):
        parse_time(text, NOW)


def test_duration() -> None:
    assert parse_duration("10m") == 600
    assert parse_duration("2w") == 14 * 86400


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def wrong(text: str) -> str:
    Path("flowscan.toml").write_text(text)
    with pytest.raises(ConfigError) as raised:
        load()
    assert raised.value.exit_code == 2
    return str(raised.value)


def test_defaults_and_file(tmp_path: Path) -> None:
    assert default_lake() == "flowscan-lake"
    (tmp_path / "flowscan.toml").write_text(
        """
        [lake]
        path = "lake"
        [ingest]
        sources = ["logs", "s3://bucket/x"]
        overlap = "3d"
        [detect.parameters.port-scan]
        ports = 10
        [[detect.suppress]]
        type = "Recon:*"
        actor = "10.0.0.0/8"
        reason = "our scanner"
        until = 2027-01-01
        """
    )
    settings = load()
    assert settings.lake.path == str(tmp_path / "lake")
    assert settings.ingest.sources == (str(tmp_path / "logs"), "s3://bucket/x")
    assert settings.ingest.overlap == 3 * 86400
    assert settings.detect.parameters == {"port-scan": {"ports": 10}}
    assert settings.detect.suppress[0].until == 1798761600
    assert default_lake() == str(tmp_path / "lake")


def test_mistakes_are_told() -> None:
    assert "did you mean 'sources'" in wrong('[ingest]\nsource = ["x"]')
    assert "did you mean 'ingest'" in wrong("[ingst]\n")
    assert "list of texts" in wrong('[ingest]\nsources = "x"')
    assert "whole number" in wrong("[ingest]\nworkers = true")
    assert "true or false" in wrong('[notify]\nstdout = "yes"')
    assert "duration" in wrong("[ingest]\noverlap = 5")
    assert "10m" in wrong('[ingest]\noverlap = "soon"')
    assert "one of" in wrong('[notify]\nseverity = "loud"')
    assert "no valid TOML" in wrong("[lake")
    assert "reason" in wrong('[[detect.suppress]]\ntype = "x"')
    assert "reason" in wrong('[[detect.suppress]]\nreason = " "')
    assert "number or a text" in wrong("[detect.parameters.x]\ny = [1]")
    with pytest.raises(ConfigError, match="flowscan init"):
        load("absent.toml")


def test_environment_goes_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("flowscan.toml").write_text('[lake]\npath = "lake"')
    monkeypatch.setenv("FLOWSCAN_LAKE", "s3://b/lake")
    monkeypatch.setenv("FLOWSCAN_INGEST_SOURCES", "s3://a, s3://b")
    monkeypatch.setenv("FLOWSCAN_INGEST_WORKERS", "3")
    monkeypatch.setenv("FLOWSCAN_NOTIFY_STDOUT", "true")
    monkeypatch.setenv("FLOWSCAN_RUN_HOLD", "5m")
    monkeypatch.setenv("FLOWSCAN_CORPUS", "ignored: no section")
    settings = load()
    assert settings.lake.path == "s3://b/lake"
    assert settings.ingest.sources == ("s3://a", "s3://b")
    assert settings.ingest.workers == 3
    assert settings.notify.stdout
    assert settings.run.hold == 300
    monkeypatch.setenv("FLOWSCAN_INGEST_WORKER", "3")
    with pytest.raises(ConfigError, match="did you mean 'workers'"):
        load()


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWSCAN_NOTIFY_WEBHOOK", "https://hooks.example/canary")
    settings = load()
    assert settings.notify.webhook.endswith("canary")
    assert "canary" not in repr(settings)


CANARIES = (
    "key AKIAIOSFODNN7EXAMPLE and ASIAIOSFODNN7EXAMPLE.",
    "https://b.s3.amazonaws.com/k?X-Amz-Credential=AKIA%2F&X-Amz-Signature=canary1&X-Amz-Security-Token=canary2",
    "aws_secret_access_key = canary3",
    '"SecretAccessKey": "canary4", "SessionToken": "canary5"',
    "Authorization: AWS4-HMAC-SHA256 Credential=canary6",
    "http://user:canary7@host/",
)


@pytest.mark.parametrize("text", CANARIES)
def test_redact(text: str) -> None:
    shown = redact(text)
    assert "canary" not in shown
    assert "IOSFODNN" not in shown
    assert redact("srcaddr 10.0.0.1 s3://bucket/key?x=1") == "srcaddr 10.0.0.1 s3://bucket/key?x=1"
