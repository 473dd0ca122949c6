"""The ordinary day of an estate: what a detection must stay silent about.

Web servers behind a load balancer, databases, DNS, NTP, package mirrors, monitoring polls,
health checks, backups, CI jobs, and the noise that every public address gets from scanners.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.evaluate.traffic import Traffic

DAY = 86_400
POOL = ("162.159.200.1", "193.182.111.14", "91.189.94.4", "45.79.1.70")
WEB = ("151.101.1.69", "140.82.112.4", "104.16.23.34", "13.107.42.14", "199.232.38.132")
RHYTHM = np.array([1] * 7 + [3] * 12 + [2] * 5) / 53
"""Share of a day's traffic by its hours: an office-hours bulge."""


@dataclass(frozen=True)
class Estate:
    """Addresses of the hosts by role and the interfaces that record them."""

    hosts: dict[str, list[str]]
    interfaces: dict[str, str]

    @property
    def every(self) -> list[str]:
        return list(self.interfaces)


def estate(rng: np.random.Generator, size: int = 30) -> Estate:
    net = f"10.{rng.integers(0, 250)}"
    roles = {"lb": 2, "web": size // 3, "db": 3, "work": size // 2, "ci": 2, "mon": 1, "backup": 1}
    hosts: dict[str, list[str]] = {}
    for i, (role, n) in enumerate(roles.items()):
        hosts[role] = [f"{net}.{i}.{10 + k}" for k in range(n)]
    every = [h for group in hosts.values() for h in group]
    ids = rng.integers(1 << 56, 1 << 60, len(every))
    return Estate(hosts, {h: f"eni-0{int(i):015x}" for h, i in zip(every, ids, strict=True)})


def public(rng: np.random.Generator, n: int) -> np.ndarray:
    """Public addresses of clients on the internet."""
    a = rng.choice([5, 24, 31, 46, 62, 73, 81, 88, 93, 109, 178, 188, 212, 217], n)
    b, c, d = (rng.integers(1, 255, n) for _ in range(3))
    return np.array([f"{w}.{x}.{y}.{z}" for w, x, y, z in zip(a, b, c, d, strict=True)])


def spread(rng: np.random.Generator, n: int, day: float) -> np.ndarray:
    """Times over a day with its rhythm."""
    hour = rng.choice(24, n, p=RHYTHM)
    return day + hour * 3600 + rng.random(n) * 3600


def heavy(rng: np.random.Generator, n: int, mean: float) -> np.ndarray:
    return np.maximum(rng.lognormal(np.log(mean), 1.2, n), 60).astype(np.int64)


def web(t: Traffic, e: Estate, day: float, scale: float) -> None:
    rng = t.rng
    for lb in e.hosts["lb"]:
        n = int(3000 * scale)
        clients = rng.choice(public(rng, max(n // 8, 1)), n)
        size = heavy(rng, n, 20_000)
        t.add(clients, lb, 443, spread(rng, n, day), sport=rng.integers(1025, 65535, n),
              duration=rng.exponential(20, n), bytes_in=size, packets_in=size // 1200 + 5,
              packets_out=size // 2000 + 6, bytes_out=heavy(rng, n, 2500))  # fmt: skip
        for w in e.hosts["web"]:
            t.add(lb, w, 8080, day + np.arange(0, DAY, 30 / min(scale, 1)), packets_out=5,
                  packets_in=4, bytes_out=420, bytes_in=600)  # fmt: skip
            n = int(300 * scale)
            t.add(lb, w, 8080, spread(rng, n, day), duration=rng.exponential(30, n),
                  bytes_in=heavy(rng, n, 20_000), packets_in=30, packets_out=20)  # fmt: skip


def inside(t: Traffic, e: Estate, day: float, scale: float) -> None:
    rng = t.rng
    for w in e.hosts["web"]:
        for db in e.hosts["db"]:
            n = int(40 * scale)
            t.add(w, db, 5432, spread(rng, n, day), duration=rng.exponential(900, n),
                  packets_out=400, packets_in=500, bytes_out=heavy(rng, n, 60_000),
                  bytes_in=heavy(rng, n, 200_000))  # fmt: skip
    resolver = e.every[0].rsplit(".", 2)[0] + ".0.2"
    for host in e.every:
        n = int(200 * scale)
        t.add(host, resolver, 53, spread(rng, n, day), protocol=17, duration=0.02, packets_out=1,
              packets_in=1, bytes_out=70, bytes_in=180)  # fmt: skip
        t.add(e.hosts["mon"][0], host, 9100, day + 7 + np.arange(0, DAY, 60 / min(scale, 1)),
              packets_out=6, packets_in=8, bytes_out=500, bytes_in=9000)  # fmt: skip
        t.add(host, e.hosts["backup"][0], 22, day + 2 * 3600 + rng.random() * 7200,
              duration=1200, packets_out=400_000, packets_in=90_000, bytes_out=560_000_000,
              bytes_in=5_000_000)  # fmt: skip
    for admin in e.hosts["work"][:2]:
        n = 6
        t.add(admin, rng.choice(e.hosts["web"], n), 22, spread(rng, n, day), duration=600,
              packets_out=900, packets_in=1000, bytes_out=60_000, bytes_in=300_000)  # fmt: skip


def outside(t: Traffic, e: Estate, day: float, scale: float) -> None:
    rng = t.rng
    api, agent = public(rng, 1)[0], public(rng, 1)[0]
    for host in e.every:
        servers = rng.choice(POOL, 2, replace=False)
        for server in servers:
            every = float(rng.choice([64, 256, 1024]))
            when = day + np.arange(rng.random() * every, DAY, every)
            t.add(host, server, 123, when, sport=123, protocol=17, duration=0.1, packets_out=1,
                  packets_in=1, bytes_out=76, bytes_in=76)  # fmt: skip
        # The monitoring agent of all hosts: regular, but everybody does it.
        when = day + rng.random() * 60 + np.arange(0, DAY, 60 / min(scale, 1))
        t.add(host, agent, 443, when, packets_out=12, packets_in=10, bytes_out=4200, bytes_in=5100)
    for host in e.hosts["work"]:
        n = int(400 * scale)
        size = heavy(rng, n, 60_000)
        busy = rng.choice(np.concatenate([np.array(WEB), public(rng, 80)]), n)
        t.add(host, busy, rng.choice([443, 443, 443, 80], n), spread(rng, n, day),
              duration=rng.exponential(40, n), bytes_in=size, packets_in=size // 1200 + 4,
              packets_out=size // 2400 + 5, bytes_out=heavy(rng, n, 4000))  # fmt: skip
    for host in e.hosts["ci"]:
        n = int(500 * scale)
        size = heavy(rng, n, 4_000_000)
        starts = day + np.repeat(np.arange(0, DAY, 900), n // 96 + 1)[:n] + rng.random(n) * 200
        t.add(host, rng.choice(WEB, n), 443, starts, duration=rng.exponential(15, n),
              bytes_in=size, packets_in=size // 1300 + 5, packets_out=size // 2600 + 5,
              bytes_out=heavy(rng, n, 9000))  # fmt: skip
    # A nightly off-site backup to object storage, the same target and size every day.
    t.add(e.hosts["backup"][0], "52.216.8.19", 443, day + 4 * 3600 + rng.random() * 300,
          duration=3000, packets_out=4_000_000, packets_in=900_000, bytes_out=5_600_000_000,
          bytes_in=50_000_000)  # fmt: skip
    # One web server polls a partner's API with think time that depends on the work.
    n = int(600 * scale)
    t.add(e.hosts["web"][0], api, 443, spread(rng, n, day), duration=rng.exponential(3, n),
          bytes_in=heavy(rng, n, 9000), bytes_out=heavy(rng, n, 3000))  # fmt: skip


def noise(t: Traffic, e: Estate, day: float, scale: float) -> None:
    """Scanners of the internet: one or two refused packets per address and port."""
    rng = t.rng
    n = int(6000 * scale)
    t.add(rng.choice(public(rng, max(n // 4, 1)), n), rng.choice(e.hosts["lb"], n),
          rng.choice([22, 23, 80, 445, 1433, 3389, 5060, 6379, 8080, 8443, 2323, 5555], n),
          day + rng.random(n) * DAY, packets_out=rng.integers(1, 3, n), packets_in=0,
          bytes_out=44, bytes_in=0, action="REJECT", established=False,
          sport=rng.integers(1025, 65535, n), duration=0.0)  # fmt: skip


def add_day(t: Traffic, e: Estate, day: float, scale: float = 1.0) -> None:
    """One ordinary day, starting at epoch second `day`."""
    for part in (web, inside, outside, noise):
        part(t, e, day, scale)


def awkward(t: Traffic, e: Estate, day: float) -> None:
    """Legitimate traffic in the shape of an attack: what costs a detection its precision."""
    rng = t.rng
    monitor, mail, poller = e.hosts["mon"][0], e.hosts["web"][-1], e.hosts["web"][1]
    for site in public(rng, 30):  # an uptime monitor
        t.add(monitor, site, 443, day + rng.random() * 60 + np.arange(0, DAY, 60.0),
              packets_out=9, packets_in=11, bytes_out=1100, bytes_in=7000)  # fmt: skip
    n = 80  # a mail server that sends and receives
    t.add(mail, public(rng, n), 25, spread(rng, n, day), packets_out=20, packets_in=15,
          bytes_out=30_000, bytes_in=1500, duration=3.0)  # fmt: skip
    t.add(public(rng, 40), mail, 25, spread(rng, 40, day), packets_out=20, packets_in=15,
          bytes_out=30_000, bytes_in=1500, duration=3.0)  # fmt: skip
    # One host asks one interface of a partner every five minutes, like clockwork.
    t.add(poller, public(rng, 1)[0], 443, day + 11 + np.arange(0, DAY, 300.0), packets_out=9,
          packets_in=9, bytes_out=1300, bytes_in=5200)  # fmt: skip
    # A partner looks for files over SFTP every ten minutes.
    n = 144
    t.add(public(rng, 1)[0], e.hosts["lb"][0], 22, day + 7 + np.arange(0, DAY, 600.0)[:n],
          duration=2.0, packets_out=38, packets_in=36, bytes_out=5200, bytes_in=6100)  # fmt: skip
    # A person uploads a film.
    t.add(e.hosts["work"][2], public(rng, 1)[0], 443, day + 15 * 3600, duration=900.0,
          packets_out=600_000, packets_in=150_000, bytes_out=800_000_000,
          bytes_in=9_000_000)  # fmt: skip
