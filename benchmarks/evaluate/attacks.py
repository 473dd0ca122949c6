"""Attacks planted into an estate, with varied parameters; each says what must be found.

A plant names the detections of which one must raise a finding on the resource with the actor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.evaluate.background import Estate, public
from benchmarks.evaluate.traffic import Traffic

DAY = 86_400


@dataclass(frozen=True)
class Plant:
    kind: str
    detections: tuple[str, ...]
    resource: str
    actor: str | None
    note: str


def _host(t: Traffic, e: Estate, roles: tuple[str, ...] = ("work", "web", "ci")) -> str:
    return str(t.rng.choice([h for r in roles for h in e.hosts[r]]))


def beacon(t: Traffic, e: Estate, day: float) -> Plant:
    rng = t.rng
    host, c2 = _host(t, e), public(rng, 1)[0]
    interval = float(rng.choice([30, 60, 120, 300, 600, 900]))
    jitter = float(rng.choice([0, 0.05, 0.1, 0.2, 0.3]))
    hours = float(rng.choice([6, 12, 24]))
    begin = day + rng.random() * (24 - hours) * 3600
    n = int(hours * 3600 / interval)
    when = begin + np.cumsum(interval * (1 + jitter * rng.uniform(-1, 1, n)))
    port = int(rng.choice([443, 80, 8080, 4444, 8443, 53001]))
    size = rng.integers(300, 4000)
    t.add(host, c2, port, when, duration=rng.uniform(0, 2, n), packets_out=rng.integers(6, 9, n),
          packets_in=rng.integers(5, 8, n), bytes_out=size + rng.integers(0, 40, n),
          bytes_in=rng.integers(300, 900, n))  # fmt: skip
    return Plant("beacon", ("beacon",), host, c2, f"{interval:.0f} s ±{jitter:.0%}, {hours:.0f} h")


def remote_shell(t: Traffic, e: Estate, day: float) -> Plant:
    rng = t.rng
    host, c2 = _host(t, e), public(rng, 1)[0]
    length = float(rng.uniform(1.2, 10)) * 3600
    port = int(rng.choice([1177, 1604, 4444, 5552, 6667, 54984]))
    t.add(host, c2, port, day + rng.random() * (DAY - length), duration=length,
          packets_out=int(length / 15), packets_in=int(length / 15), bytes_out=int(length * 8),
          bytes_in=int(length * 5))  # fmt: skip
    return Plant("remote shell", ("long-connection",), host, c2, f"{length / 3600:.1f} h :{port}")


def vertical(t: Traffic, e: Estate, day: float) -> Plant:
    rng = t.rng
    inside = bool(rng.random() < 0.5)
    source = _host(t, e) if inside else str(public(rng, 1)[0])
    target = str(rng.choice([h for h in e.every if h != source]))
    n = int(rng.choice([30, 100, 500, 1024]))
    ports = rng.choice(np.arange(1, 10000), n, replace=False)
    start = day + rng.random() * 80_000 + np.sort(rng.random(n)) * rng.choice([20, 600, 4000])
    same = rng.random() < 0.5
    sport = np.full(n, rng.integers(32768, 60000)) if same else None
    t.add(source, target, ports, start, sport=sport, duration=0.0, packets_out=1, packets_in=1,
          bytes_out=44, bytes_in=40, established=False)  # fmt: skip
    detection = "portscan" if inside else "inbound-scan"
    where, who = (source, target) if inside else (target, source)
    return Plant("vertical scan", (detection,), where, who, f"{n} ports, closed")


def sweep(t: Traffic, e: Estate, day: float) -> Plant:
    rng = t.rng
    host = _host(t, e)
    n = int(rng.choice([40, 200, 1000]))
    port = int(rng.choice([22, 23, 445, 3389, 8080, 2323]))
    if rng.random() < 0.5:
        targets = public(rng, n)
    else:
        base = host.rsplit(".", 2)[0]
        targets = np.array([f"{base}.{100 + i // 250}.{i % 250 + 1}" for i in range(n)])
    up = rng.random(n) < 0.15
    t.add(host, targets, port, day + rng.random() * 70_000 + np.sort(rng.random(n)) * 900,
          duration=np.where(up, 1.0, 0.0), packets_out=np.where(up, 4, 2),
          packets_in=np.where(up, 3, 0), bytes_out=np.where(up, 220, 88),
          bytes_in=np.where(up, 170, 0), established=up)  # fmt: skip
    return Plant("sweep", ("port-sweep",), host, None, f"{n} hosts :{port}")


def guessing(t: Traffic, e: Estate, day: float) -> Plant:
    rng = t.rng
    source, target = public(rng, 1)[0], _host(t, e, ("web", "lb", "work"))
    port = int(rng.choice([22, 22, 2222, 3389, 21, 20022, 2200]))
    n = int(rng.choice([40, 150, 800]))
    pause = float(rng.choice([2, 30, 100]))
    when = day + 600 + np.cumsum(rng.uniform(0.5, 1.5, n) * min(pause, 80_000 / n))
    out = rng.integers(12, 18, n)
    t.add(source, target, port, when, duration=rng.uniform(1.5, 5, n), packets_out=out,
          packets_in=out - 2, bytes_out=rng.integers(1700, 2400, n),
          bytes_in=rng.integers(2200, 3000, n))  # fmt: skip
    name = {22: "ssh-brute-force", 3389: "rdp-brute-force"}.get(port, "login-brute-force")
    return Plant("password guessing", (name,), target, source, f"{n} on {port}, {pause:.0f} s")


def exfiltration(t: Traffic, e: Estate, day: float) -> Plant:
    rng = t.rng
    host, drop = _host(t, e, ("work", "web", "db")), public(rng, 1)[0]
    size = int(rng.choice([300_000_000, 1_500_000_000, 8_000_000_000]))
    parts = int(rng.choice([1, 10, 60]))
    t.add(host, drop, int(rng.choice([443, 22, 8443])),
          day + rng.random() * 60_000 + np.arange(parts) * 120.0, duration=100.0,
          packets_out=size // parts // 1400, packets_in=size // parts // 8000,
          bytes_out=size // parts, bytes_in=size // parts // 150)  # fmt: skip
    return Plant("exfiltration", ("exfiltration",), host, drop, f"{size / 1e6:.0f} MB in {parts}")


def flood(t: Traffic, e: Estate, day: float) -> Plant:
    rng = t.rng
    host, victim = _host(t, e), public(rng, 1)[0]
    start = day + rng.random() * 80_000
    if rng.random() < 0.5:
        n = 3000
        t.add(host, victim, 80, start + rng.random(n) * 20, sport=rng.integers(1024, 65535, n),
              packets_out=4, packets_in=0, bytes_out=160, bytes_in=0, duration=0.0,
              established=False)  # fmt: skip
        return Plant("flood", ("dos-tcp",), host, victim, "SYN flood")
    t.add(host, victim, 5376, start, protocol=17, duration=60.0, packets_out=60_000, packets_in=0,
          bytes_out=60_000 * 512, bytes_in=0)  # fmt: skip
    return Plant("flood", ("dos-udp",), host, victim, "UDP flood")


def spam(t: Traffic, e: Estate, day: float) -> Plant:
    rng = t.rng
    host, n = _host(t, e), int(rng.choice([30, 200]))
    t.add(host, public(rng, n), 25, day + rng.random(n) * 40_000, duration=3.0, packets_out=14,
          packets_in=12, bytes_out=3000, bytes_in=900)  # fmt: skip
    return Plant("spam", ("spambot",), host, None, f"{n} servers")


def knocking(t: Traffic, e: Estate, day: float) -> Plant:
    rng = t.rng
    host, c2 = _host(t, e), public(rng, 1)[0]
    n = int(rng.choice([120, 600]))
    t.add(host, c2, int(rng.choice([6667, 9999, 4444])), day + np.sort(rng.random(n)) * 60_000,
          packets_out=3, packets_in=0, bytes_out=180, bytes_in=0, duration=3.0,
          established=False)  # fmt: skip
    return Plant("dead controller", ("rejected-egress", "beacon"), host, c2, f"{n} tries")


ATTACKS: tuple[Callable[[Traffic, Estate, float], Plant], ...] = (
    beacon, remote_shell, vertical, sweep, guessing, exfiltration, flood, spam, knocking,
)  # fmt: skip
