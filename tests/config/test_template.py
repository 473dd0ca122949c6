from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from flowscan.config import Settings, load
from flowscan.config.template import template
from flowscan.queries import load as load_query
from flowscan.queries import values_of


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_as_it_is_it_gives_the_defaults() -> None:
    Path("flowscan.toml").write_text(template())
    assert replace(load(), origin=None) == Settings()


def test_every_line_may_be_uncommented() -> None:
    """What stands behind `# key = value` is what the reader takes, with the same outcome."""
    lines = template().splitlines()
    keys = [i for i, line in enumerate(lines) if line.startswith("# ") and " = " in line]
    for i in keys:
        lines[i] = lines[i].removeprefix("# ")
    text = "\n".join(lines).replace("# [detect.", "[detect.").replace("# [[detect.", "[[detect.")
    tomllib.loads(text)
    Path("flowscan.toml").write_text(text)
    settings = load()
    assert settings.ingest == Settings().ingest
    assert settings.run == Settings().run
    assert settings.detect.parameters == {"portscan": {"min_ports": 20}}
    values_of(load_query("portscan"), settings.detect.parameters["portscan"])  # it has them
    assert settings.detect.suppress[0].reason == "our vulnerability scanner"
    assert settings.lake.path == str(Path.cwd() / "flowscan-lake")


def test_filled_in() -> None:
    sources = ("s3://b/x", 'odd "name"\\')
    Path("flowscan.toml").write_text(template(sources=sources, lake="s3://b/lake"))
    settings = load()
    assert settings.ingest.sources == ("s3://b/x", str(Path.cwd() / 'odd "name"\\'))
    assert settings.lake.path == "s3://b/lake"
