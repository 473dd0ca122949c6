"""The estate: accounts, VPCs, gateways and hosts, the same for every seed but for random ids.

`app` (10.0/16, with pods in 100.64/16 and IPv6 from AWS's global space) is peered to `data`
(10.1/16); `legacy` (172.16/16) and `dev` (10.2/16, which nobody logs) hang on a transit gateway
with both. NAT gateways stand in each zone of `app`. A part of `data` is not logged.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from .model import End, Interface

PROD, SHARED = "111122223333", "444455556666"
REGION = "eu-west-1"
ZONES = ("euw1-az1", "euw1-az2", "euw1-az3")
PREFIX6 = {"app": "2a05:d018:4a1:c0", "data": "2a05:d018:77b:90"}


@dataclass
class Vpc:
    """One VPC: its id, where it is, whether it is logged and at which interval."""

    name: str
    account: str
    net: str  # first two octets
    logged: bool
    windows: tuple[int, ...]
    id: str = ""
    endpoint_zones: tuple[int, ...] = ()  # zones whose private subnets have the S3 gateway endpoint


@dataclass
class Estate:
    """Everything that stands still while traffic is played."""

    random: random.Random
    tgw: str = ""
    vpcs: dict[str, Vpc] = field(default_factory=dict)
    interfaces: list[Interface] = field(default_factory=list)
    groups: dict[str, list[End]] = field(default_factory=dict)
    nat: dict[str, End] = field(default_factory=dict)  # by zone
    tgw_enis: dict[tuple[str, str], Interface] = field(default_factory=dict)  # by VPC, zone
    attachments: dict[str, Interface] = field(default_factory=dict)
    peered: set[frozenset[str]] = field(default_factory=set)
    counters: dict[str, int] = field(default_factory=dict)

    def hexes(self, n: int) -> str:
        return f"{self.random.getrandbits(4 * n):0{n}x}"

    def vpc_of(self, end: End) -> Vpc:
        assert end.interface is not None
        return self.vpcs[end.interface.vpc]

    def interface(self, vpc: str, subnet: int, az: int, **more: object) -> Interface:
        """A new interface with the next address of the subnet."""
        where = self.vpcs[vpc]
        key = f"{where.net}.{subnet}"
        self.counters[key] = number = self.counters.get(key, 3) + 1
        made = Interface(
            id=f"eni-0{self.hexes(16)}",
            primary=f"{key}.{number}",
            account=where.account,
            vpc=vpc,
            subnet=f"subnet-{vpc}{subnet:04d}",
            az=ZONES[az],
            window=self.random.choice(where.windows),
            phase=self.random.randrange(600),
            logged=where.logged,
        )
        for name, value in more.items():
            setattr(made, name, value)
        self.interfaces.append(made)
        return made

    def hosts(
        self, group: str, vpc: str, subnets: tuple[int, ...], n: int, *, public: bool = False,
        managed: bool = False, os: str = "linux", logged: float = 1.0,
    ) -> None:  # fmt: skip
        """Adds `n` hosts to a group, spread over the subnets; subnet number modulo 3 is the zone."""
        for i in range(n):
            subnet = subnets[i % len(subnets)]
            made = self.interface(
                vpc,
                subnet,
                subnet % 3,
                instance="-" if managed else f"i-0{self.hexes(16)}",
                kind="managed" if managed else "instance",
            )
            if self.random.random() >= logged:
                made.logged = False
            self.groups.setdefault(group, []).append(End(made.primary, made, public=public, os=os))

    def six(self, group: str, of: str) -> None:
        """The IPv6 addresses of a group's hosts as a group of its own."""
        for host in self.groups[of]:
            assert host.interface is not None
            number = int(host.address.split(".")[3])
            subnet = int(host.address.split(".")[2])
            prefix = PREFIX6[host.interface.vpc]
            address = f"{prefix}{subnet:02x}::{number:x}"
            self.groups.setdefault(group, []).append(
                End(address, host.interface, public=host.public)
            )

    def addresses(self) -> set[str]:
        """All addresses that are ours."""
        ends = [e for group in self.groups.values() for e in group]
        return {e.address for e in ends} | {i.primary for i in self.interfaces if i.primary}


def build(seed: int) -> Estate:
    """The estate; the seed decides ids, windows and which interfaces are not logged."""
    made = Estate(random.Random(f"{seed}/estate"))
    made.tgw = f"tgw-0{made.hexes(16)}"
    for vpc in (
        Vpc("app", PROD, "10.0", True, (60,), endpoint_zones=(0, 1)),
        Vpc("data", PROD, "10.1", True, (60, 600)),
        Vpc("legacy", SHARED, "172.16", True, (600,)),
        Vpc("dev", SHARED, "10.2", False, (60,)),
    ):
        vpc.id = f"vpc-0{made.hexes(16)}"
        made.vpcs[vpc.name] = vpc
    made.peered.add(frozenset(("app", "data")))
    _gateways(made)
    _hosts(made)
    return made


def _gateways(made: Estate) -> None:
    for az, zone in enumerate(ZONES):
        eni = made.interface("app", az, az, kind="nat_gateway")
        made.nat[zone] = End(eni.primary, eni)
        for vpc in ("app", "data", "legacy", "dev"):
            # Their subnets are logged in one VPC only, as happens where logs are made by subnet.
            made.tgw_enis[vpc, zone] = made.interface(
                vpc, 240 + az, az, kind="transit_gateway", logged=vpc == "data"
            )
    for name, vpc in made.vpcs.items():
        made.attachments[name] = Interface(
            id=f"tgw-attach-0{made.hexes(16)}",
            primary="",
            account=vpc.account,
            vpc=name,
            subnet="",
            az="",
            kind="attachment",
            phase=made.random.randrange(60),
        )


def _hosts(made: Estate) -> None:
    public, private = (0, 1, 2), (15, 16, 17)
    made.hosts("alb", "app", public, 4, public=True, managed=True)
    made.hosts("nlb", "app", public, 3, public=True, managed=True)
    made.hosts("web", "app", public, 4, public=True)
    made.hosts("bastion", "app", public, 1, public=True)
    made.hosts("edge", "app", public, 6, public=True)  # voice, mail, odd services, clients
    made.hosts("app", "app", private, 30)
    made.hosts("windows", "app", private, 8, os="windows")
    made.hosts("lowport", "app", (0, 15, 16), 3, public=True)
    made.hosts("quiet", "app", private, 6, logged=0.0)
    made.hosts("vpce", "app", private, 3, managed=True)
    made.hosts("node", "app", (33, 34, 35), 6)
    for i, node in enumerate(made.groups["node"] * 4):
        made.groups.setdefault("pod", []).append(End(f"100.64.{i % 6}.{10 + i}", node.interface))
    made.hosts("db", "data", (9, 10, 11), 8, managed=True, logged=0.75)
    made.hosts("cache", "data", (9, 10, 11), 4, managed=True, logged=0.75)
    made.hosts("api", "data", (12, 13, 14), 8)
    made.hosts("nfs", "legacy", (3, 4), 2)
    made.hosts("dns", "legacy", (3, 4), 2)
    made.hosts("syslog", "legacy", (3, 4), 1)
    made.hosts("monitor", "legacy", (4,), 1)
    made.hosts("old", "legacy", (6, 7, 8), 12)
    made.hosts("dev", "dev", (6, 7), 8)
    made.hosts("scanner", "data", (12,), 1)
    # Second addresses of the same interfaces, which AWS shows as the first.
    for i, host in enumerate(made.groups["edge"][:3] + made.groups["web"][:2]):
        second = End(f"10.0.{i % 3}.{150 + i}", host.interface, public=True)
        made.groups.setdefault("second", []).append(second)
    made.six("web6", "web")
    made.six("app6", "app")
    made.six("api6", "api")
