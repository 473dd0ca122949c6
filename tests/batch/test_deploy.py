from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"
TEMPLATE = DEPLOY / "cloudformation/flowscan.yaml"


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_systemd_units() -> None:
    units = [str(p) for p in sorted((DEPLOY / "systemd").iterdir())]
    done = run("systemd-analyze", "verify", *units)
    assert (done.returncode, done.stderr) == (0, "")
    exposure = run("systemd-analyze", "security", "--offline=yes", "--threshold=35", units[0])
    assert exposure.returncode == 0, exposure.stdout


def options(command: list[str]) -> None:
    """The program takes the options that a deployment gives it."""
    helped = run(sys.executable, "-m", "flowscan", command[0], "--help").stdout
    for word in command[1:]:
        if word.startswith("--"):
            assert word in helped


def test_cron_line() -> None:
    lines = [
        line
        for line in (DEPLOY / "cron/flowscan").read_text().splitlines()
        if line and not line.startswith("#") and "=" not in line.split()[0]
    ]
    (line,) = lines
    minute, hour, day, month, weekday, user, command = line.split(None, 6)
    assert [minute, hour, day, month, weekday, user] == ["*/10", "*", "*", "*", "*", "flowscan"]
    assert "%" not in command  # cron would make a newline of it
    assert run("/bin/sh", "-n", "-c", command).returncode == 0
    options(shlex.split(command.split(">>")[0])[1:])


def instructions(path: Path) -> list[tuple[str, str]]:
    text = re.sub(r"\\\n", " ", path.read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]


KNOWN = {
    "FROM", "RUN", "COPY", "ENV", "USER", "WORKDIR", "VOLUME", "HEALTHCHECK", "STOPSIGNAL",
    "ENTRYPOINT", "CMD",
}  # fmt: skip


@pytest.mark.parametrize("name", ["docker", "lambda"])
def test_dockerfiles(name: str) -> None:
    parts = instructions(DEPLOY / name / "Dockerfile")
    assert {word for word, _ in parts} <= KNOWN
    root = DEPLOY.parent
    stages = set()
    for word, rest in parts:
        if word == "FROM":
            image = rest.split()[0]
            assert re.fullmatch(r"[a-z0-9./-]+:[0-9][\w.-]*", image), "a version, never latest"
            stages |= set(re.findall(r" AS (\w+)", rest))
        if word == "COPY" and "--from=" in rest:
            assert re.search(r"--from=(\w+)", rest)[1] in stages  # type: ignore[index]
        elif word == "COPY":
            assert (root / rest.split()[0]).exists()
        if word in ("ENTRYPOINT", "CMD") and rest.startswith("["):
            assert json.loads(rest)
    if name == "docker":
        assert ("USER", "10001") in parts
        entry, command = (json.loads(rest) for word, rest in parts if word in ("ENTRYPOINT", "CMD"))
        assert entry == ["flowscan"]
        options(command)


def test_template_is_valid() -> None:
    pytest.importorskip("cfnlint")
    done = run(str(Path(sys.executable).with_name("cfn-lint")), str(TEMPLATE))
    assert (done.returncode, done.stdout) == (0, "")


def statements(node: Any) -> list[dict[str, Any]]:
    found = []
    if isinstance(node, dict):
        if "Effect" in node:
            found.append(node)
        for value in node.values():
            found += statements(value)
    elif isinstance(node, list):
        for value in node:
            found += statements(value)
    return found


def test_template_grants_the_least() -> None:
    cfnlint = pytest.importorskip("cfnlint.decode")
    template, problems = cfnlint.decode(str(TEMPLATE))
    assert not problems
    granted = [s for s in statements(template) if s["Effect"] == "Allow"]
    assert len(granted) >= 9
    for statement in granted:
        actions = statement["Action"]
        for action in [actions] if isinstance(actions, str) else actions:
            assert "*" not in action
        if "Principal" not in statement:
            assert statement["Resource"] != "*"
        if "s3:ListBucket" in actions:
            assert "Condition" in statement
    deleting = [s for s in granted if "s3:DeleteObject" in s["Action"]]
    assert [s["Sid"] for s in deleting] == ["KeepLake"]


def test_template_sets_what_settings_know(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every FLOWSCAN_ variable of the template is a setting; a typo would be a ConfigError."""
    from flowscan.config import load

    monkeypatch.chdir(tmp_path)
    names = re.findall(r"(FLOWSCAN_[A-Z_]+): (\S*)", TEMPLATE.read_text())
    names += re.findall(r"(FLOWSCAN_[A-Z_]+)=(\S*)", (DEPLOY / "docker/Dockerfile").read_text())
    assert len(names) >= 6
    for name, value in names:
        monkeypatch.setenv(name, value if name.endswith("FIRST") else "s3://b/x")
    load()
