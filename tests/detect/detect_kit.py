"""Calls written short → flow-log records → a lake; shared by the tests of detections."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.evaluate.lake import append, write  # noqa: E402
from benchmarks.evaluate.traffic import Traffic, records  # noqa: E402

__all__ = ["BEGIN", "DAY", "NOW", "Calls", "append", "flow", "records", "write"]

DAY = 86_400
BEGIN = 1_767_225_600  # 2026-01-01
NOW = BEGIN + 4000 * DAY

V2 = ("version", "account_id", "interface_id", "srcaddr", "dstaddr", "srcport", "dstport",
      "protocol", "packets", "bytes", "start", "end", "action", "log_status")  # fmt: skip


class Calls:
    """Collects calls of hosts of ours (10.x) and others; every host of ours also asks DNS."""

    def __init__(self, seed: int = 1) -> None:
        self.rng = np.random.default_rng(seed)
        self.traffic = Traffic(self.rng)
        self.hosts: set[tuple[str, float]] = set()

    def add(self, base: float, *, client: str, server: str, port: int, count: int = 1,
            at: float = 3600, every: float = 1.0, jitter: float = 0.0, day: int = 0,
            vary: str = "", sport: int | None = None, **values: object) -> None:  # fmt: skip
        """`count` calls; `vary` names what counts up with them: port, server or client."""
        base += day * DAY
        gaps = every * (1 + jitter * self.rng.uniform(-1, 1, count))
        when = base + at + np.concatenate([[0.0], np.cumsum(gaps)[:-1]])
        clients = [_next(client, i) if vary == "client" else client for i in range(count)]
        servers = [_next(server, i) if vary == "server" else server for i in range(count)]
        ports = np.arange(port, port + count) if vary == "port" else np.full(count, port)
        if values.get("protocol", 6) not in (6, 17):
            ports, sport = np.zeros(count, int), 0
        if values.pop("closed", False):
            values = {"packets_out": 1, "packets_in": 1, "bytes_out": 44, "bytes_in": 40,
                      "duration": 0.0, "established": False, **values}  # fmt: skip
        if values.pop("silent", False):
            values = {"packets_out": 1, "packets_in": 0, "bytes_out": 44, "bytes_in": 0,
                      "duration": 0.0, "established": False, **values}  # fmt: skip
        ports_from = np.full(count, sport) if sport is not None else None
        self.traffic.add(np.array(clients), np.array(servers), ports, when, sport=ports_from,
                         **values)  # fmt: skip
        self.hosts |= {(h, base) for h in (*clients, *servers) if h.startswith("10.")}

    def flows(self, window: int = 60) -> pl.DataFrame:
        for host, base in sorted(self.hosts):
            ours = host.rsplit(".", 2)[0]
            for resolver in (f"{ours}.255.2", f"{ours}.255.3"):
                self.traffic.add(host, resolver, 53, base + np.arange(3) * 7000.0 + 100,
                                 protocol=17, packets_out=1, packets_in=1, bytes_out=70,
                                 bytes_in=150, duration=0.0)  # fmt: skip
        interfaces = {h: f"eni-{h.replace('.', '-')}" for h, _ in self.hosts}
        return records(self.traffic.connections(), interfaces, window=window)


def _next(address: str, i: int) -> str:
    *head, c, d = map(int, address.split("."))
    value = c * 256 + d + i
    return ".".join(map(str, (*head, value // 256, value % 256)))


def flow(start: int, src: str, sport: int, dst: str, dport: int, *, eni: str = "eni-1",
         protocol: int = 6, packets: int = 5, size: int = 500, end: int | None = None,
         **more: object) -> dict[str, object]:  # fmt: skip
    """One record as a dictionary, for tests of sessions."""
    return {
        "version": 2, "account_id": "123456789012", "interface_id": eni, "srcaddr": src,
        "dstaddr": dst, "srcport": sport, "dstport": dport, "protocol": protocol,
        "packets": packets, "bytes": size, "start": start, "end": start if end is None else end,
        "action": "ACCEPT", "log_status": "OK", **more,
    }  # fmt: skip
