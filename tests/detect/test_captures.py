"""Captures of one host and nothing else, as public sets of labelled traffic are once converted.

One interface, the default format, no estate around it: attacks have to be found at medium or
above on that host, and days of ordinary devices must raise nothing there.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from detect_kit import BEGIN, DAY, NOW, Traffic, records, write

from flowscan.detect import Options, detect, store
from flowscan.findings import Finding

HOME, PUBLIC, OTHER = "192.168.1.50", "77.23.45.6", "91.240.118.9"
Plan = Callable[["Capture"], None]


class Capture:
    """Traffic of one host; sizes are drawn between bounds, times from a seed."""

    def __init__(self, host: str) -> None:
        self.rng = np.random.default_rng(3)
        self.host = host
        self.traffic = Traffic(self.rng)

    def call(self, other: object, port: object, at: object, *, inbound: bool = False,
             packets: tuple[int, int] = (9, 14), out: tuple[int, int] = (900, 1400),
             back: tuple[int, int] = (1500, 3500), **more: Any) -> None:  # fmt: skip
        """Calls at these seconds of the first day, from or to the host."""
        when = BEGIN + np.atleast_1d(np.asarray(at, dtype=float))
        n = len(when)
        sent = self.rng.integers(*packets, n)
        # Every packet has headers.
        values = {"packets_out": sent, "packets_in": self.rng.integers(*packets, n),
                      "bytes_out": np.maximum(self.rng.integers(*out, n), 40 * sent + 30),
                      "bytes_in": self.rng.integers(*back, n), "duration": 1.0} | more  # fmt: skip
        ends = (other, self.host) if inbound else (self.host, other)
        self.traffic.add(*ends, port, when, **values)

    def every(self, seconds: float, jitter: float, count: int) -> Any:
        return 500 + np.cumsum(seconds * (1 + jitter * self.rng.uniform(-1, 1, count)))

    def spread(self, count: int, hours: float) -> Any:
        return 1000 + np.sort(self.rng.random(count)) * hours * 3600

    def strangers(self, count: int) -> Any:
        octets = self.rng.integers((11, 1, 1, 1), (120, 255, 255, 255), (count, 4))
        return np.array([".".join(map(str, o)) for o in octets.tolist()])

    def findings(self, folder: Path) -> list[Finding]:
        flows = records(self.traffic.connections(), {self.host: "eni-0a1b2c3d"})
        lake = write(folder / "lake", flows, v2=True)
        detect(lake, Options(), now=NOW)
        return store.load(lake)


UDP: dict[str, Any] = {"protocol": 17, "packets": (1, 2), "duration": 0.1}
CLOSED: dict[str, Any] = {"packets": (1, 2), "packets_in": 1, "bytes_out": 60, "bytes_in": 40,
                              "duration": 0.0, "established": False}  # fmt: skip
SILENT: dict[str, Any] = {**CLOSED, "packets_in": 0, "bytes_in": 0}


def base(c: Capture) -> None:
    """The little that every host does: it tells which of two public addresses is ours."""
    c.call("9.9.9.9", 53, c.spread(60, 20), out=(60, 90), back=(100, 400), **UDP)
    c.call("129.6.15.28", 123, np.arange(80) * 1024, sport=123, out=(76, 77), back=(76, 77), **UDP)


def web(c: Capture, count: int = 300) -> None:
    sites = c.strangers(40)
    sent = c.rng.lognormal(7.5, 0.8, count).astype(int) + 500
    got = c.rng.lognormal(9.5, 1.5, count).astype(int) + 800
    c.call(c.rng.choice(sites, count), 443, c.spread(count, 12), packets_out=sent // 300 + 4,
           packets_in=got // 1200 + 4, bytes_out=sent, bytes_in=got,
           duration=c.rng.exponential(30, count))  # fmt: skip


def guesses(port: int, count: int, every: float, out: tuple[int, int]) -> Plan:
    def plan(c: Capture) -> None:
        packets = (6, 9) if out[1] < 1000 else (11, 20)
        c.call("45.9.20.11", port, c.every(every, 0.5, count), inbound=True, packets=packets,
               out=out, back=out, duration=2.0)  # fmt: skip

    return plan


def beacon(seconds: float, jitter: float, days: float, port: int, **more: Any) -> Plan:
    return lambda c: c.call(
        OTHER, port, c.every(seconds, jitter, int(days * DAY / seconds)), **more
    )


def shell(port: int, hours: float) -> Plan:
    n = int(hours * 500)
    return lambda c: c.call(OTHER, port, 20_000, duration=hours * 3600, packets_out=n,
                            packets_in=n, bytes_out=n * 150, bytes_in=n * 90)  # fmt: skip


def reconnecting(c: Capture) -> None:
    c.call(OTHER, 7707, 8000 + np.arange(25) * 1300.0, duration=1285.0, packets_out=300,
           packets_in=300, bytes_out=36_000, bytes_in=27_000)  # fmt: skip


def ports_in(count: int, hours: float) -> Plan:
    return lambda c: c.call("185.220.100.5", np.arange(1, count + 1), c.spread(count, hours),
                            inbound=True, **CLOSED)  # fmt: skip


def ports_out(count: int, hours: float, how: dict[str, Any]) -> Plan:
    return lambda c: c.call(OTHER, np.arange(1, count + 1), c.spread(count, hours), **how)


def sweep(port: int, count: int, hours: float) -> Plan:
    return lambda c: c.call(c.strangers(count), port, c.spread(count, hours), **SILENT)


def upload(port: int, size: int) -> Plan:
    def plan(c: Capture) -> None:
        c.call(OTHER, port, 30_000, duration=900.0, packets_out=size // 1400,
               packets_in=size // 3000, bytes_out=size, bytes_in=size // 50)  # fmt: skip
        web(c, 60)

    return plan


GUESSED = {"login-brute-force", "ssh-brute-force"}
ATTACKS: dict[str, tuple[Plan, set[str]]] = {
    "guesses on 2222": (guesses(2222, 300, 6, (1300, 2400)), GUESSED),
    "guesses on 40022": (guesses(40022, 300, 6, (1300, 2400)), GUESSED),
    "slow guesses on 22": (guesses(22, 60, 600, (1300, 2400)), GUESSED),
    "FTP guesses on 2121": (guesses(2121, 120, 5, (400, 500)), GUESSED),
    "database guesses on 14330": (guesses(14330, 200, 3, (620, 780)), GUESSED),
    "hourly beacon, half of it jitter": (beacon(3600, 0.5, 2, 8443), {"beacon"}),
    "beacon of 5 min, jitter 0.4": (beacon(300, 0.4, 1, 443), {"beacon"}),
    "beacon of 15 min, jitter 0.5": (beacon(900, 0.5, 1, 80), {"beacon"}),
    "beacon over UDP": (beacon(60, 0.3, 1, 5151, out=(90, 160), back=(80, 200), **UDP), {"beacon"}),
    "shell for an hour": (shell(5552, 1.2), {"long-connection"}),
    "shell for eight hours on a web port": (shell(8080, 8), {"long-connection"}),
    "shell that reconnects": (reconnecting, {"long-connection", "beacon"}),
    "ports in, over six hours": (ports_in(300, 6), {"inbound-scan"}),
    "ports in, three an hour": (ports_in(60, 20), {"inbound-scan"}),
    "ports out, over eight hours": (ports_out(200, 8, CLOSED), {"portscan"}),
    "ports out, no answer": (ports_out(1000, 0.2, SILENT), {"portscan"}),
    "telnet sweep": (sweep(23, 2000, 0.5), {"port-sweep"}),
    "slow sweep": (sweep(8080, 300, 12), {"port-sweep"}),
    "300 MB over SSH": (upload(22, 300_000_000), {"exfiltration"}),
    "15 MB in questions": (
        lambda c: c.call(OTHER, 53, np.arange(60_000) * 0.5 + 20_000, out=(250, 251),
                         back=(180, 181), **UDP),
        {"exfiltration"},
    ),
}  # fmt: skip


def workstation(c: Capture) -> None:
    web(c, 2000)
    c.call("151.101.66.132", 443, c.every(300, 0.02, 288), packets=(11, 15), out=(800, 860),
           back=(5200, 5400))  # fmt: skip
    c.call("212.227.17.162", 993, np.arange(288) * 300.0, packets=(14, 15), out=(1400, 1401),
           back=(5200, 5201))  # fmt: skip
    c.call("142.250.27.188", 5228, 400, duration=80_000.0, packets_out=500, packets_in=500,
           bytes_out=40_000, bytes_in=50_000)  # fmt: skip
    c.call("140.82.121.4", 22, c.spread(40, 8), packets=(20, 60), out=(3500, 9000),
           back=(4000, 300_000))  # fmt: skip
    c.call("2.16.62.10", 80, np.arange(288) * 300.0, packets=(5, 6), out=(420, 421),
           back=(620, 621), duration=0.2)  # fmt: skip


def device(c: Capture) -> None:
    """A lamp: time servers, the resolver, its maker's cloud, and shouting in the house."""
    for i, server in enumerate(("17.253.0.12", "129.250.35.1", "162.159.200.1", "185.13.148.7")):
        at = np.cumsum(np.repeat([64.0, 128.0, 256.0, 512.0, 1024.0], [20, 20, 40, 40, 50])) + i * 3
        c.call(server, 123, at, sport=123, out=(76, 77), back=(76, 77), **UDP)
    c.call("84.200.69.80", 53, c.spread(3000, 23), out=(60, 90), back=(100, 400), **UDP)
    c.call("34.117.13.189", 443, c.every(600, 0.05, 140), out=(700, 760), back=(4200, 4400))
    c.call("52.29.10.4", 8883, 100, duration=86_000.0, packets_out=2900, packets_in=2900,
           bytes_out=250_000, bytes_in=200_000)  # fmt: skip
    for group, port in (("239.255.255.250", 1900), ("224.0.0.251", 5353)):
        c.call(group, port, np.arange(700) * 120.0, sport=port, packets_in=0, bytes_in=0,
               out=(200, 700), **UDP)  # fmt: skip


def server(c: Capture) -> None:
    """A web server on the open internet: visitors, monitors, background noise, its log sink."""
    got = c.rng.lognormal(9.5, 1.5, 3000).astype(int) + 800
    c.call(c.strangers(3000), 443, c.spread(3000, 23), inbound=True, bytes_in=got,
           packets_in=got // 1200 + 4)  # fmt: skip
    for i in range(3):
        c.call(f"178.255.15{i}.10", 443, np.arange(1400) * 60.0 + i * 12, inbound=True,
               packets=(8, 9), out=(900, 901), back=(5200, 5201))  # fmt: skip
    noise = c.rng.choice([22, 23, 80, 445, 1433, 3389, 5060, 5900, 6379, 8080], 4000)
    c.call(c.strangers(4000), noise, c.spread(4000, 23), inbound=True, **CLOSED)
    c.call("34.120.9.9", 6514, 100, duration=86_000.0, packets_out=40_000, packets_in=20_000,
           bytes_out=30_000_000, bytes_in=1_000_000)  # fmt: skip
    c.call("82.14.3.9", 22, np.arange(4) * 7000 + 30_000, inbound=True, duration=1500.0,
           packets_out=2500, packets_in=2800, bytes_out=190_000, bytes_in=700_000)  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_is_found(tmp_path: Path, name: str) -> None:
    plan, wanted = ATTACKS[name]
    capture = Capture(HOME)
    base(capture)
    plan(capture)
    loud = {f.detection for f in capture.findings(tmp_path) if f.severity >= 4}
    assert loud & wanted, loud


@pytest.mark.parametrize("host", [HOME, PUBLIC])
@pytest.mark.parametrize("plan", [workstation, device, server])
def test_ordinary_host_raises_nothing(tmp_path: Path, plan: Plan, host: str) -> None:
    capture = Capture(host)
    base(capture)
    plan(capture)
    loud = [f.description for f in capture.findings(tmp_path) if f.severity >= 4]
    assert loud == []
