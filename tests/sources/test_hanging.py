"""A server that hangs is given up in bounded time; the objects that do come go in."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from estate import key, text
from fault_proxy import Fault, Proxy, Request
from s3_server import Server

from flowscan.errors import SourceError
from flowscan.ingest import IngestOptions, ingest
from flowscan.lake import Lake
from flowscan.sources import SourceOptions, Window, aws, open_source

pytestmark = pytest.mark.s3
SLOT = 1_785_542_400
PROGRAM = """
from datetime import timedelta
from flowscan.cli.main import run
from flowscan.sources import aws
aws.SILENCE, aws.RETRYING = timedelta(seconds=0.5), timedelta(seconds=1)
run()
"""


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "SILENCE", timedelta(seconds=0.5))
    monkeypatch.setattr(aws, "RETRYING", timedelta(seconds=1))


@pytest.mark.parametrize("hang", [Fault(delay=20), Fault(delay=20, stall=5)])
def test_one_object_hangs_the_others_go_in(
    aws: Server,
    bucket: str,
    proxy: Proxy,
    through: SourceOptions,
    impatient: None,
    tmp_path: Path,
    hang: Fault,
) -> None:
    for number in range(4):
        body = text(number, SLOT, 10).encode()
        aws.client().put_object(Bucket=bucket, Key=key(number, SLOT), Body=body)
    stuck = key(2, SLOT)

    def fault(request: Request) -> Fault | None:
        return hang if request.path.endswith(stuck) else None

    proxy.fault = fault
    lake = Lake.open(tmp_path / "lake", create=True)
    began = time.monotonic()
    result = ingest(lake, [open_source(f"s3://{bucket}", through)], IngestOptions())
    assert time.monotonic() - began < 15
    assert result.sources == 3
    ((uri, reason),) = result.failed
    assert uri.endswith(stuck)
    assert "\n" not in reason
    proxy.fault = lambda _: None
    again = ingest(lake, [open_source(f"s3://{bucket}", through)], IngestOptions())
    assert (again.sources, again.already) == (1, 3)


def test_a_listing_that_hangs_is_one_line_and_code_3(
    put: Callable[..., str], proxy: Proxy, tmp_path: Path
) -> None:
    bucket = put("AWSLogs/a.log")
    proxy.fault = lambda _: Fault(delay=20)
    command = ["ingest", f"s3://{bucket}", "--endpoint-url", proxy.endpoint, "--lake"]
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *command, str(tmp_path / "lake")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert time.monotonic() - began < 30
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    (told,) = (line for line in done.stderr.splitlines() if "error" in line.lower())
    assert bucket in told


def test_a_slow_download_that_goes_on_is_no_hang(
    put: Callable[..., str], proxy: Proxy, through: SourceOptions, impatient: None
) -> None:
    """Silence is what counts, not the whole time; so large objects may take long."""
    bucket = put("a.log", body=b"x" * 1000)
    seen = threading.Event()

    def once(request: Request) -> Fault | None:
        if request.path.endswith("a.log") and not seen.is_set():
            seen.set()
            return Fault(delay=0.3)
        return None

    proxy.fault = once
    source = open_source(f"s3://{bucket}", through)
    (obj,) = source.list(Window())
    assert b"".join(source.read(obj).chunks) == b"x" * 1000
    proxy.fault = lambda _: Fault(delay=20)
    with pytest.raises(SourceError):
        list(source.read(obj).chunks)
