"""An ordinary estate, hour by hour: who is there, and who calls whom in one hour.

Invariant: the same estate, seed and hour give the same connections, whichever hours are drawn
besides. Most traffic runs between a few thousand hosts of ours and is logged at both ends;
customers come to the load balancers with the rhythm of the day, strangers probe all day long.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from benchmarks.evaluate.background import RHYTHM, heavy, public
from benchmarks.evaluate.traffic import Traffic

HOUR, DAY = 3600, 86_400
PER_HOST = 6_600  # records a day and host at rate 1, measured
HOSTS = 1_350  # of an estate with PER_HOST × HOSTS records a day
SHARES = {"lb": 0.005, "web": 0.12, "app": 0.12, "db": 0.02, "cache": 0.02, "queue": 0.005,
          "dns": 0.003, "logs": 0.003, "monitor": 0.001, "backup": 0.001}  # fmt: skip
PROBED = (22, 23, 80, 81, 445, 1433, 2323, 3306, 3389, 5060, 5555, 5900, 6379, 8080, 8443, 9200)
INNER = (8080, 8443, 9000, 9092, 50051)


@dataclass(frozen=True)
class Estate:
    """`address` by number of a host, the first so many of each role; what is outside; the pace.

    `rate` is how busy a host is, `nearby` are the two hosts of each role that a host uses,
    `turnover` is the share of a day's strangers that were not there the day before.
    """

    seed: int
    rate: float
    turnover: float
    address: pl.Series
    roles: dict[str, np.ndarray]
    nearby: dict[str, np.ndarray]
    windows: np.ndarray
    phase: np.ndarray
    regulars: pl.Series
    services: pl.Series

    @property
    def size(self) -> int:
        return len(self.address)

    def interfaces(self, window: int) -> dict[str, str]:
        """Interface by address, of the hosts whose records cover `window` seconds."""
        return {
            address: f"eni-0{(n + 1) * 2_654_435_761 % (1 << 56):014x}00"
            for n, address in enumerate(self.address)
            if self.windows[n] == window
        }


def estate(flows: int, turnover: float = 0.02, seed: int = 16) -> Estate:
    """An estate of about so many flows a day: half of the growth is hosts, half is their rate."""
    rng = np.random.default_rng(seed)
    size = max(60, round(HOSTS * (flows / HOSTS / PER_HOST) ** 0.5))
    roles, first = {}, 0
    for name, share in SHARES.items():
        count = max(2, round(size * share))
        roles[name] = np.arange(first, first + count)
        first += count
    roles["work"] = np.arange(first, size)
    numbers = np.arange(size)
    return Estate(
        seed=seed,
        rate=flows / size / PER_HOST,
        turnover=turnover,
        address=pl.Series([f"10.{20 + n // 16000}.{n // 250 % 64}.{n % 250 + 4}" for n in numbers]),
        roles=roles,
        nearby={name: rng.choice(group, (size, 2)) for name, group in roles.items()},
        # Half of the hosts are of the newer generation, which writes a record a minute.
        windows=rng.choice([60, 600], size),
        phase=rng.random(size),
        regulars=pl.Series(public(rng, max(40, size))),
        services=pl.Series(public(rng, max(20, size // 5))),
    )


def passers(e: Estate, kind: int, count: int, begin: int) -> tuple[int, pl.Series]:
    """Public addresses of a day's strangers of a kind, and the number of the first of them."""
    first = int(begin // DAY * e.turnover * count)
    block, rest = divmod(first, count)
    two = [public(np.random.default_rng([e.seed, kind, b]), count) for b in (block, block + 1)]
    return first, pl.Series(np.concatenate(two)[rest : rest + count])


def scanners(e: Estate, begin: int) -> tuple[int, pl.Series]:
    """Those of a day: number of the first, addresses."""
    return passers(e, 2, max(24, 4 * e.size), begin)


class Hour:
    """Draws the connections that begin in one hour."""

    def __init__(self, e: Estate, begin: int) -> None:
        self.e, self.begin = e, begin
        self.rng = np.random.default_rng([e.seed, begin])
        self.traffic = Traffic(self.rng)
        self.share = RHYTHM[begin % DAY // HOUR]

    def count(self, per_day: float, *, steady: bool = False) -> int:
        """How many of so many a day begin now."""
        return int(self.rng.poisson(per_day * self.e.rate * (1 / 24 if steady else self.share)))

    def times(self, n: int) -> np.ndarray:
        return self.begin + self.rng.random(n) * HOUR

    def ticks(self, hosts: np.ndarray, period: float) -> tuple[np.ndarray, np.ndarray]:
        """Who does what recurs every `period` seconds at rate 1, and when in this hour."""
        period /= self.e.rate
        first = np.ceil(self.begin / period - self.e.phase[hosts])
        last = np.ceil((self.begin + HOUR) / period - self.e.phase[hosts])
        n = (last - first).astype(np.int64)
        who = np.repeat(np.arange(len(hosts)), n)
        step = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
        return hosts[who], (first[who] + step + self.e.phase[hosts][who]) * period

    def ports(self, hosts: np.ndarray) -> np.ndarray:
        """Ephemeral ports: a third of the hosts runs Windows."""
        windows = hosts % 3 == 0
        return np.where(
            windows,
            self.rng.integers(49_152, 65_536, len(hosts)),
            self.rng.integers(32_768, 61_000, len(hosts)),
        )

    def call(self, who: np.ndarray, whom: np.ndarray, port: object, at: np.ndarray, **values: object
             ) -> None:  # fmt: skip
        """Connections between hosts of ours."""
        values.setdefault("sport", self.ports(who))
        self.traffic.add(self.e.address[who], self.e.address[whom], port, at, **values)

    def use(self, role: str, who: np.ndarray) -> np.ndarray:
        """The server of that role that each host turns to: mostly its first."""
        return self.e.nearby[role][who, (self.rng.random(len(who)) < 0.1).astype(int)]


def sized(rng: np.random.Generator, n: int, out: float, back: float) -> dict[str, np.ndarray]:
    """Bytes and packets both ways around these means."""
    sent, got = heavy(rng, n, out), heavy(rng, n, back)
    return {"bytes_out": sent, "bytes_in": got, "packets_out": sent // 700 + 4,
            "packets_in": got // 1100 + 4}  # fmt: skip


def customers(h: Hour) -> None:
    """Customers at the load balancers: few come daily and often, most once."""
    e, rng = h.e, h.rng
    n = h.count(75 * e.size)
    first, others = passers(e, 1, 3 * e.size, h.begin)
    pool = pl.concat([e.regulars, others])
    client = np.minimum((rng.beta(0.4, 2.5, n) * len(pool)).astype(int), len(pool) - 1)
    lb = e.roles["lb"][(first + client) % len(e.roles["lb"])]
    h.traffic.add(pool[client], e.address[lb], 443, h.times(n), sport=rng.integers(1025, 65535, n),
                  duration=rng.exponential(25, n), **sized(rng, n, 2_500, 24_000))  # fmt: skip


def web(h: Hour) -> None:
    """Load balancer → web → application → database and cache."""
    e, rng = h.e, h.rng
    groups = [(e.roles["web"], "lb", 220.0), (e.roles["app"], "web", 150.0)]
    for (servers, role, each), port in zip(groups, (8080, 8443), strict=True):
        n = h.count(each * e.size)
        server = rng.choice(servers, n)
        h.call(h.use(role, server), server, port, h.times(n), duration=rng.exponential(60, n),
               **sized(rng, n, 9_000, 60_000))  # fmt: skip
    checked, at = h.ticks(e.roles["web"], 60)
    h.call(e.nearby["lb"][checked, 0], checked, 8080, at, duration=0.1, packets_out=5,
           packets_in=4, bytes_out=420, bytes_in=600)  # fmt: skip
    for role, port, each, hold in (("db", 5432, 3.0, 5400), ("cache", 6379, 3.0, 3600)):
        n = h.count(each * e.size)
        client = rng.choice(e.roles["app"], n)
        h.call(client, h.use(role, client), port, h.times(n), duration=rng.exponential(hold, n),
               **sized(rng, n, 900_000, 3_000_000))  # fmt: skip


def shared(h: Hour) -> None:
    """What every host does: names, time, being watched, sending its logs."""
    e, rng = h.e, h.rng
    every = np.arange(e.size)
    # Names and time of AWS's own servers are not logged: only the domain's members show.
    members = every[every % 3 == 0]
    n = h.count(200 * len(members))
    asking = rng.choice(members, n)
    h.call(asking, h.use("dns", asking), 53, h.times(n), protocol=17, duration=0.02,
           packets_out=1, packets_in=1, bytes_out=70, bytes_in=180)  # fmt: skip
    who, at = h.ticks(members, 2048)
    h.call(who, e.nearby["dns"][who, 0], 123, at, sport=123, protocol=17, duration=0.1,
           packets_out=1, packets_in=1, bytes_out=76, bytes_in=76)  # fmt: skip
    watched, at = h.ticks(every[every % 2 == 0], 300)
    h.call(e.nearby["monitor"][watched, 0], watched, 9100, at + 7, packets_out=6, packets_in=8,
           bytes_out=500, bytes_in=9000)  # fmt: skip
    n = h.count(4 * e.size, steady=True)
    who = rng.choice(every[every % 2 == 1], n)
    h.call(who, e.nearby["logs"][who, 0], 5044, h.times(n), duration=rng.exponential(4 * HOUR, n),
           packets_out=90, packets_in=60, bytes_out=90 * rng.integers(200, 1400, n),
           bytes_in=60 * 52)  # fmt: skip
    n = h.count(12, steady=True)
    who = rng.choice(e.roles["monitor"], n)
    h.call(who, rng.integers(0, e.size, n), 0, h.times(n), sport=0, protocol=1, duration=3.0,
           packets_out=4, packets_in=4, bytes_out=336, bytes_in=336)  # fmt: skip


def work(h: Hour) -> None:
    """Queues, calls between teams, services outside, a refused attempt, backups by night."""
    e, rng = h.e, h.rng
    n = h.count(1.2 * e.size, steady=True)
    who = rng.choice(e.roles["work"], n)
    h.call(who, h.use("queue", who), 5672, h.times(n), duration=rng.exponential(7200, n),
           **sized(rng, n, 120_000, 400_000))  # fmt: skip
    n = h.count(45 * e.size)
    who = rng.choice(e.roles["work"][::4], n)
    whom = (who * 31 + rng.integers(0, 3, n) * 977 + 1) % e.size
    h.call(who, whom, np.array(INNER)[whom % len(INNER)], h.times(n),
           duration=rng.exponential(20, n), **sized(rng, n, 4_000, 30_000))  # fmt: skip
    n = h.count(45 * e.size)
    who = rng.choice(e.roles["work"][::2], n)
    out = (who * 7 + rng.integers(0, 3, n) * rng.integers(0, 2, n)) % len(e.services)
    h.traffic.add(e.address[who], e.services[out], np.where(out % 12, 443, 80), h.times(n),
                  sport=h.ports(who), duration=rng.exponential(40, n),
                  **sized(rng, n, 4_000, 60_000))  # fmt: skip
    n = h.count(1.5 * e.size, steady=True)
    who = rng.choice(e.roles["work"][: max(3, e.size // 60)], n)
    h.call(who, (who + 13) % e.size, 8443, h.times(n), packets_out=3, packets_in=0, bytes_out=180,
           bytes_in=0, action="REJECT", established=False, duration=3.0)  # fmt: skip
    if h.begin % DAY // HOUR in range(1, 5):
        who = np.flatnonzero(np.arange(e.size) % 4 == h.begin % DAY // HOUR - 1)
        h.call(who, e.nearby["backup"][who, 0], 22, h.times(len(who)), duration=1200,
               packets_out=400_000, packets_in=90_000, bytes_out=560_000_000,
               bytes_in=5_000_000)  # fmt: skip


def strangers(h: Hour) -> None:
    """Scanners: most is refused, and what is accepted is not answered."""
    e, rng = h.e, h.rng
    first, pool = scanners(e, h.begin)
    n = h.count(190 * e.size, steady=True)
    number = first + rng.integers(0, len(pool), n)
    # Most scanners pass through once, within an hour; the others go on all day.
    passing = number - number % 24 + h.begin % DAY // HOUR
    number = np.where(number % 5, passing, number).clip(first, first + len(pool) - 1)
    exposed = np.concatenate([e.roles["lb"], e.roles["work"][: max(4, e.size // 100)]])
    whom = exposed[(number * 13 + rng.integers(0, 8, n)) % len(exposed)]
    port = np.array(PROBED)[(number + whom) % len(PROBED)]
    fixed = np.where(number % 2, 40_000 + number % 20_000, rng.integers(1025, 65535, n))
    h.traffic.add(pool[number - first], e.address[whom], port, h.times(n), sport=fixed,
                  packets_out=rng.integers(1, 3, n), packets_in=0, bytes_out=44, bytes_in=0,
                  action=np.where(number % 11, "REJECT", "ACCEPT"), established=False,
                  duration=0.0)  # fmt: skip


PARTS: tuple[Callable[[Hour], None], ...] = (customers, web, shared, work, strangers)


def connections(e: Estate, begin: int) -> pl.DataFrame:
    """The connections that begin in the hour from epoch second `begin`."""
    hour = Hour(e, begin)
    for part in PARTS:
        part(hour)
    return hour.traffic.connections()
