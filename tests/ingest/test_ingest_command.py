"""`flowscan ingest` and `flowscan rejects` as programs: stdout, stderr, exit codes, pipes."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

HEADER = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes "
    "start end action log-status\n"
)
GOOD = (
    "2 123456789012 eni-0a 192.0.2.1 10.0.0.5 40000 443 6 3 300 1785542400 1785542430 ACCEPT OK\n"
)
BAD = GOOD.replace("443", "99999")


def flowscan(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "flowscan", *arguments],
        input=stdin,
        check=False,
        capture_output=True,
        timeout=60,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_strict_and_rejects(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text(HEADER + GOOD + BAD + GOOD)
    lake = str(tmp_path / "lake")
    code, out, _ = flowscan("ingest", str(log), "--lake", lake, "--strict")
    assert code == 3
    assert "2 flows" in out
    assert "1 rejects" in out
    code, out, _ = flowscan("rejects", "--lake", lake, "--format", "json")
    assert code == 0
    (row,) = json.loads(out)
    assert (row["line"], row["reason"], row["text"]) == (3, "bad dstport", BAD.strip())
    code, out, _ = flowscan("rejects", "--lake", lake, "--format", "csv")
    assert next(csv.DictReader(io.StringIO(out)))["reason"] == "bad dstport"
    code, out, _ = flowscan("rejects", "--lake", lake, "--summary")
    assert "bad dstport" in out


def test_standard_input_is_known_by_its_content(tmp_path: Path) -> None:
    lake = str(tmp_path / "lake")
    text = (HEADER + GOOD).encode()
    code, out, _ = flowscan("ingest", "-", "--lake", lake, stdin=text)
    assert code == 0
    assert "1 flows" in out
    code, out, _ = flowscan("ingest", "-", "--lake", lake, stdin=text)
    assert code == 0
    assert "in the lake already" in out


def test_format_as_aws_writes_it(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("443 10.0.0.5 192.0.2.1 1785542400 1785542430 ACCEPT\n")
    lake = str(tmp_path / "lake")
    wanted = "${dstport} ${dstaddr} ${srcaddr} ${start} ${end} ${action}"
    code, out, err = flowscan("ingest", str(log), "--lake", lake, "--format", wanted)
    assert (code, err) == (0, "")
    assert "1 flows" in out


def test_dry_run_lists_on_stdout(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(HEADER + GOOD)
    code, out, err = flowscan(
        "ingest", str(tmp_path), "--lake", str(tmp_path / "lake"), "--dry-run"
    )
    assert code == 0
    assert out.split("\t")[1].strip().endswith("a.log")
    assert "would read 1 objects" in err
    assert not (tmp_path / "lake").exists()


def test_refused_object_alone_is_trouble(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    code, _, err = flowscan("ingest", str(tmp_path / "a.png"), "--lake", str(tmp_path / "lake"))
    assert code == 3
    assert err.startswith("refused: ")
    assert err.count("\n") == 1


def test_usage_and_missing_input(tmp_path: Path) -> None:
    lake = str(tmp_path / "lake")
    assert flowscan("ingest", "ftp://x", "--lake", lake)[0] == 2
    code, _, err = flowscan("ingest", str(tmp_path / "nothing-here"), "--lake", lake)
    assert code == 3
    assert "Traceback" not in err
    assert flowscan("ingest", str(tmp_path), "--lake", lake, "--format", "${nonsense")[0] == 2
    code, _, err = flowscan("rejects", "--lake", str(tmp_path / "no-lake"))
    assert code == 3
    assert err.count("\n") == 1
    _, _, err = flowscan("rejects", "--lake", str(tmp_path / "no-lake"), "--debug")
    assert "Traceback" in err


def test_empty_folder_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    code, out, _ = flowscan("ingest", str(tmp_path / "empty"), "--lake", str(tmp_path / "lake"))
    assert code == 0
    assert "nothing to read" in out
    code, out, _ = flowscan("rejects", "--lake", str(tmp_path / "lake"))
    assert code == 0
    assert "no rejects" in out


def test_hostile_text_reaches_the_terminal_disarmed(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text(HEADER + GOOD + GOOD.replace("eni-0a", "eni-\x1b[31m\u202e"))
    lake = str(tmp_path / "lake")
    flowscan("ingest", str(log), "--lake", lake)
    for form in ("table", "csv", "markdown", "json"):
        _, out, _ = flowscan("rejects", "--lake", lake, "--format", form)
        assert "\x1b" not in out
        assert "\u202e" not in out


def test_help_loads_nothing_heavy() -> None:
    """`flowscan --help` takes 0.2 s because of what it does not import."""
    code = (
        "import sys; sys.argv = ['flowscan', '--help']\n"
        "import os; os._exit = lambda code: None\n"
        "from flowscan.cli.main import run; run()\n"
        "heavy = {'pyarrow', 'polars', 'duckdb', 'boto3', 'obstore', 'sqlglot', 'numpy'}\n"
        "print('heavy:', sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "ingest" in done.stdout
    assert "heavy: []" in done.stdout


@pytest.mark.usefixtures("listening")
def test_ctrl_c_ends_an_ingest_and_keeps_what_was_read(tmp_path: Path) -> None:
    logs, lake = tmp_path / "logs", tmp_path / "lake"
    logs.mkdir()
    files = 8_000
    for number in range(files):
        (logs / f"{number}.log").write_text(GOOD)
    command = [sys.executable, "-m", "flowscan", "ingest", str(logs), "--lake", str(lake)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    batches = lake / "_flowscan" / "staging"
    while not any(p.is_dir() for p in batches.glob("*")) and running.poll() is None:
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    out, error = running.communicate(timeout=60)
    assert (running.returncode, out) == (130, "")
    assert error == "stopped: what was read is in the lake; the same command goes on\n"
    code, out, _ = flowscan("lake", "verify", "--lake", str(lake))
    assert (code, out) == (0, "the lake is sound\n")
    code, out, _ = flowscan("ingest", str(logs), "--lake", str(lake))
    assert code == 0
    code, out, _ = flowscan(
        "query", "SELECT count(*) AS n FROM flows", "--lake", str(lake), "--format", "csv"
    )
    assert out.split() == ["n", str(files)]
