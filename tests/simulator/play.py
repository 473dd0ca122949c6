"""The stage: kinds of traffic add talks to a world, which become records and truth.

Invariant: the same seed, scale and options give the same records; every kind draws from a random
generator of its own, so a new kind changes nothing of the others.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from . import estate as estates
from .model import Burst, End, Hop, Talk
from .paths import port_of, route
from .records import Record, record

BEGIN = 1785769200  # 2026-08-03 15:00:00 UTC
HOURS = 24
END = BEGIN + HOURS * 3600


@dataclass
class World:
    """What kinds of traffic are given: the estate, a clock, random numbers, and `talk` to add."""

    estate: estates.Estate
    seed: int
    scale: float
    rng: random.Random = field(default_factory=random.Random)
    kind: str = ""
    hostile: bool = False
    talks: list[Talk] = field(default_factory=list)

    def __getitem__(self, group: str) -> list[End]:
        return self.estate.groups[group]

    def many(self, at_scale_one: int, least: int = 2) -> range:
        """How many times to do a thing at this scale."""
        return range(max(least, round(at_scale_one * self.scale)))

    @property
    def ports(self) -> int:
        """How many ports a port scanner tries."""
        return 200 if self.scale >= 0.1 else 60

    def services(self) -> list[tuple[End, int]]:
        """TCP services of ours that the internet reaches; those of the web first."""
        edge = self["edge"]
        named = [(host, port) for host in self["web"] for port in (80, 443)]
        named += [(edge[3], 25), (edge[1], 8888), (edge[3], 2222), (edge[4], 50051)]
        return [*named, (self["bastion"][0], 22), (edge[5], 22)]

    def when(self, spare: float = 60) -> float:
        """A moment of the day, `spare` seconds or more before its end."""
        return BEGIN + 1 + self.rng.random() * (END - BEGIN - spare - 2)

    def stranger(self, six: bool = False) -> End:
        """A public address that is nobody's of ours and in no special range."""
        r = self.rng
        if six:
            return End(
                f"2a0{r.randrange(1, 9)}:{r.randrange(1, 65536):x}::{r.randrange(1, 65536):x}"
            )
        first = r.choice((45, 61, 77, 80, 82, 91, 103, 118, 141, 162, 178, 185, 194, 212, 218, 222))
        return End(f"{first}.{r.randrange(1, 255)}.{r.randrange(256)}.{r.randrange(1, 255)}")

    def talk(
        self,
        client: End,
        server: End,
        server_port: int,
        bursts: list[Burst],
        *,
        port: int | None = None,
        protocol: int = 6,
        payload: tuple[int, int] = (0, 0),
        outcome: str = "open",
        hops: list[Hop] | None = None,
        scored: bool = True,
    ) -> None:
        """One connection. Without `port` the client's system chooses one."""
        self.talks.append(
            Talk(
                self.kind,
                client,
                port_of(client, self.rng) if port is None else port,
                server,
                server_port,
                protocol,
                route(self.estate, client, server, self.rng) if hops is None else hops,
                bursts,
                self.hostile,
                payload,
                outcome,
                scored,
            )
        )


Kind = Callable[[World], None]


@dataclass
class Simulation:
    """The played day."""

    seed: int
    estate: estates.Estate
    talks: list[Talk]  # those that left a record
    records: list[Record]
    tgw: bool


def simulate(
    seed: int = 7, scale: float = 0.02, *, tgw: bool = False, kinds: tuple[str, ...] = ()
) -> Simulation:
    """Plays a day; about 700,000 records at scale 1. `kinds` limits what is played."""
    from .catalogue import HOSTILE, ORDINARY

    made = estates.build(seed)
    world = World(made, seed, scale)
    for hostile, catalogue in ((False, ORDINARY), (True, HOSTILE)):
        for name, play in catalogue.items():
            if kinds and name not in kinds:
                continue
            world.kind, world.hostile = name, hostile
            world.rng = random.Random(f"{seed}/{name}")
            play(world)
    records: list[Record] = []
    talks: list[Talk] = []
    rng = random.Random(f"{seed}/records")
    for talk in world.talks:
        talk.number = len(talks)
        found = record(talk, BEGIN, END, rng, tgw=tgw)
        if found:
            talks.append(talk)
            records += found
    return Simulation(seed, made, talks, records, tgw)
