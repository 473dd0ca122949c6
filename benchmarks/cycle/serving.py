"""`flowscan serve`: what its first page and another period take, from the process's own figures."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.cycle.lakes import DAY, Made
from benchmarks.measure import Spent


def pages(made: Made) -> tuple[Spent, Spent]:
    """The first page, the start of the program included, and then the day before the last."""
    command = [sys.executable, "-m", "benchmarks.cycle.at", str(made.idle), "serve", "--port", "0"]
    server = subprocess.Popen(
        [*command, "--lake", str(made.path())], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout
        url = server.stdout.readline().split()[-1]
        first = _get(server.pid, url, 0.0)
        since, until = (
            f"{datetime.fromtimestamp(t, UTC):%Y-%m-%dT%H:%MZ}"
            for t in (max(made.begin, made.end - 2 * DAY), made.end - DAY // 2)
        )
        return first, _get(server.pid, f"{url}?since={since}&until={until}", _cpu(server.pid))
    finally:
        server.terminate()
        server.wait()


def _get(pid: int, url: str, before: float) -> Spent:
    began = time.perf_counter()
    with urllib.request.urlopen(url, timeout=600) as answer:
        page = answer.read()
    assert b"</html>" in page[-200:]
    status = Path(f"/proc/{pid}/status").read_text()
    peak = int(status.split("VmHWM:")[1].split()[0]) * 1024
    return Spent(time.perf_counter() - began, _cpu(pid) - before, peak, b"")


def _cpu(pid: int) -> float:
    """User and system seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
