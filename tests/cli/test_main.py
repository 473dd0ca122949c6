"""The program as a whole: which verbs it builds, and what it sets before libraries load."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from flowscan.cli.main import VERBS, program
from flowscan.config import keep_freed_memory

FIRST = """
import os, sys

WATCHED = {"pyarrow": "MIMALLOC_PURGE_DELAY", "numpy": "OPENBLAS_NUM_THREADS"}

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in WATCHED:
            print(name, "with", os.environ.get(WATCHED[name]), file=sys.stderr)

sys.meta_path.insert(0, Watch())
from flowscan.cli.main import run
run()
"""


def verbs(*arguments: str) -> list[str]:
    return list(get_command(program(arguments)).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("verb", VERBS)
def test_only_the_verb_asked_for_is_built(verb: str) -> None:
    assert verbs(verb, "--help") == [verb]


@pytest.mark.parametrize("arguments", [[], ["--help"], ["--version"], ["ingst"], ["-h", "x"]])
def test_all_verbs_are_built_where_none_is_named(arguments: list[str]) -> None:
    assert sorted(verbs(*arguments)) == sorted(VERBS)


def test_an_unknown_verb_is_a_usage_error() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flowscan", "ingst"], check=False, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "ingst" in done.stderr
    assert done.stdout == ""


def test_an_option_before_the_verb_does_not_hide_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flowscan", "--debug", "lake", "status", "--help"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert "Usage: flowscan lake status" in done.stdout


def test_an_ingest_sets_up_libraries_before_they_load(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text(
        "2 123456789012 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 1 1700000000 1700000060 ACCEPT OK\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", FIRST, "ingest", str(log), "--lake", str(tmp_path / "lake")],
        check=True,
        capture_output=True,
        text=True,
    )
    assert "pyarrow with -1" in done.stderr
    assert "numpy with 1" in done.stderr


def test_the_users_own_choice_of_memory_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIMALLOC_PURGE_DELAY", "10")
    keep_freed_memory()
    assert os.environ["MIMALLOC_PURGE_DELAY"] == "10"
