"""Nouns of the simulated network: interfaces, ends, hops and connections.

Invariant: addresses here are true ones (what the packet carries). Only an interface knows that AWS
shows its own side as its primary private IPv4 address (`Interface.shown`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

OUT, BACK = 0, 1  # from the client, from the server
# Refused at the receiver's or at the sender's interface; lost after the sender's.
PASSED, REFUSED_THERE, REFUSED_HERE, LOST = 0, 1, 2, 3

# time, OUT or BACK, packets, bytes (IP headers included), TCP flags, fate
Burst = tuple[float, int, int, int, int, int]


@dataclass(eq=False, slots=True)
class Interface:
    """A network interface, or one attachment of a transit gateway."""

    id: str
    primary: str
    account: str
    vpc: str
    subnet: str
    az: str
    instance: str = "-"
    kind: str = "instance"
    window: int = 60
    phase: int = 0
    logged: bool = True

    def shown(self, address: str) -> str:
        """What srcaddr or dstaddr say of this interface's own side."""
        return address if ":" in address else self.primary


@dataclass(eq=False, slots=True)
class End:
    """One end of a connection: an address of ours behind an interface, or somebody's outside."""

    address: str
    interface: Interface | None = None
    public: bool = False  # ours with an Elastic IP: reached from, and calls, the internet directly
    service: str = "-"  # AWS's code for published ranges
    os: str = "linux"

    @property
    def ours(self) -> bool:
        return self.interface is not None


@dataclass(eq=False, slots=True)
class Hop:
    """An interface that a connection crosses: which way, and as whom the client appears there."""

    interface: Interface
    out: str | None  # flow-direction of the client's packets; None: they do not come by here
    back: str | None
    name: str = "end"
    path_out: str = "-"  # traffic-path, egress only
    path_back: str = "-"
    client: tuple[str, int] | None = None  # the client's address and port behind a NAT gateway
    pair: str = ""  # of an attachment: the VPC of the other one


@dataclass(eq=False, slots=True)
class Talk:
    """One connection as it really was."""

    kind: str
    client: End
    client_port: int
    server: End
    server_port: int
    protocol: int
    hops: list[Hop]
    bursts: list[Burst]
    hostile: bool = False
    payload: tuple[int, int] = (0, 0)
    outcome: str = ""  # open (payload came back), empty, closed, refused, silent, error
    scored: bool = True
    # Filled while records are made:
    number: int = -1
    visible: bool = False
    same_second: bool = True
    sums: list[list[int]] = field(default_factory=lambda: [[0, 0, 0, 0], [0, 0, 0, 0]])
    first: float = 0.0
    last: float = 0.0
