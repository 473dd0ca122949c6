"""Ordinary traffic between our own machines. Every public function is a kind."""

from __future__ import annotations

from . import talk as t
from .model import LOST
from .play import BEGIN, END, World


def load_balancer_to_target(w: World) -> None:
    """Kept-alive connections of load-balancer nodes, and their health checks."""
    for _ in w.many(80):
        begin = w.when(12000)
        sends = [(w.rng.uniform(2, 40), 900, 12000) for _ in range(w.rng.randrange(40, 200))]
        _tcp(w, "alb", "app", 8080, begin, sends, port=w.rng.randrange(1024, 65536))
    for _ in w.many(9000):
        _tcp(w, "alb", "app", 8080, w.when(), [(0, 130, 180)], port=w.rng.randrange(1024, 65536))
    for _ in w.many(1500):
        sends = [(0, 400, 400), (20, 500, 500)]
        _tcp(w, "nlb", "app", 5671, w.when(), sends, port=w.rng.randrange(1024, 65536))


def database_pools(w: World) -> None:
    """Long-lived connections to databases that talk every few seconds; some began before the log."""
    for i in w.many(110):
        begin = w.when(16000) if i % 8 else BEGIN - w.rng.randrange(10, 5000)
        sends = [(w.rng.uniform(1, 50), 350, 2500) for _ in range(w.rng.randrange(200, 600))]
        port = w.rng.choice((5432, 3306, 1433, 27017))
        _tcp(w, w.rng.choice(("app", "windows")), "db", port, begin, sends, close="open")


def cache_calls(w: World) -> None:
    for _ in w.many(11000):
        _tcp(w, "app", "cache", 6379, w.when(), [(0, 60, 900)] * w.rng.randrange(1, 6))


def peered_calls(w: World) -> None:
    for _ in w.many(10000):
        port = w.rng.choice((8443, 443, 9092, 8500))
        _tcp(w, "app", "api", port, w.when(), [(0, 700, 3000), (0.5, 500, 900)])


def high_service_ports(w: World) -> None:
    """Services whose port lies in the ephemeral range: gRPC, node ports, Windows RPC."""
    for _ in w.many(6000):
        port = w.rng.choice((50051, 31080, 49664, 61616, 32400))
        begin = w.when()
        _tcp(w, "app", "api", port, begin, [(0.1, 300, 900)] * w.rng.randrange(1, 5))


def transit_calls(w: World) -> None:
    for _ in w.many(6000):
        client, server = w.rng.choice(
            (("app", "old"), ("old", "api"), ("dev", "api"), ("old", "app"), ("dev", "quiet"))
        )
        _tcp(w, client, server, w.rng.choice((8080, 445, 1521)), w.when(), [(0, 500, 2500)])


def resolver(w: World) -> None:
    """DNS to our own resolvers over the transit gateway and beside them; a few over TCP."""
    for i in w.many(17000):
        client = w.rng.choice(w[w.rng.choice(("app", "api", "old", "windows", "quiet"))])
        server = w.rng.choice(w["dns"])
        if i % 40 == 0:
            sends = [(0, 60, 3000)]
            w.talk(client, server, 53, t.tcp(w.when(), sends, rtt=0.001), payload=(60, 3000))
            continue
        rounds = [(0.0, w.rng.randrange(30, 60), w.rng.randrange(60, 400))] * w.rng.choice(
            (1, 1, 2)
        )
        w.talk(
            client, server, 53, t.udp(w.when(), rounds, rtt=0.0012), protocol=17,
            port=w.rng.randrange(1024, 65536), payload=_payload(rounds),
        )  # fmt: skip


def time_inside(w: World) -> None:
    """NTP with source port 123, as ntpd does, and from an ephemeral port, as chrony does."""
    for client in [*w["old"], *w["api"]]:
        port = w.rng.choice((123, None))
        server = w.rng.choice(w["dns"])
        for _ in w.many(40):
            w.talk(
                client, server, 123, t.udp(w.when(), [(0, 48, 48)], rtt=0.001),
                port=port, protocol=17, payload=(48, 48),
            )  # fmt: skip


def syslog(w: World) -> None:
    """One way, from one port for days."""
    for client in [*w["old"], *w["app"]]:
        rounds = [(w.rng.expovariate(1 / 900), w.rng.randrange(90, 1200), 0) for _ in range(60)]
        begin = BEGIN + w.rng.random() * 20000
        for _ in w.many(1, 1):
            w.talk(
                client, w["syslog"][0], 514, t.udp(begin, rounds, rtt=0.001), protocol=17,
                payload=_payload(rounds), outcome="silent",
            )  # fmt: skip


def metrics(w: World) -> None:
    for _ in w.many(1500):
        rounds = [(w.rng.uniform(0, 9), 200, 0) for _ in range(w.rng.randrange(1, 20))]
        w.talk(
            w.rng.choice(w["app"]), w.rng.choice(w["api"]), 8125,
            t.udp(w.when(200), rounds, rtt=0.001), protocol=17,
            payload=_payload(rounds), outcome="silent",
        )  # fmt: skip


def monitor_pings(w: World) -> None:
    """One host pings many, some of which are down now and then."""
    for host in [*w["old"], *w["app"], *w["api"], *w["db"]]:
        for _ in w.many(12):
            lost = w.rng.choice((0, 0, 0, 0, 3))
            bursts = t.ping(w.when(), 3, rtt=0.001, lost=lost)
            w.talk(w["monitor"][0], host, 0, bursts, port=0, protocol=1)


def pings_between(w: World) -> None:
    """Two hosts ping each other now and then, in both directions."""
    for _ in w.many(60):
        a, b = w.rng.sample(w["app"], 2)
        begin = w.when(4000)
        w.talk(a, b, 0, t.ping(begin, 4, rtt=0.0005), port=0, protocol=1)
        c, d = w.rng.choice(w["app6"]), w.rng.choice(w["api6"])
        w.talk(c, d, 0, t.ping(w.when(), 3, rtt=0.0005, size=104), port=0, protocol=58)
        if w.rng.random() < 0.3:
            w.talk(b, a, 0, t.ping(begin + 1800, 4, rtt=0.0005), port=0, protocol=1)


def network_files(w: World) -> None:
    """NFS from reserved client ports, for hours."""
    for i, client in enumerate(w["old"] + w["app"][:6]):
        sends = [(w.rng.expovariate(1 / 60), 4000, 30000) for _ in range(200 if i % 2 else 60)]
        begin = BEGIN + w.rng.random() * 30000
        server = w["nfs"][i % 2]
        port = 1023 - i if i % 3 else w.rng.randrange(640, 1000)
        payload = (sum(s[1] for s in sends), sum(s[2] for s in sends))
        bursts = t.tcp(begin, sends, rtt=0.0006, close="open")
        w.talk(client, server, 2049, bursts, port=port, payload=payload)
    for _ in w.many(300):
        client, server = w.rng.choice(w["old"]), w.rng.choice(w["nfs"])
        bursts = t.tcp(w.when(), [(0, 60, 30)], rtt=0.0006)
        port = w.rng.randrange(640, 1024)
        w.talk(
            client, server, w.rng.choice((111, 2049, 20048)), bursts, port=port, payload=(60, 30)
        )


def pods(w: World) -> None:
    """Between pods of different nodes, and from pods to databases."""
    for _ in w.many(9000):
        client = w.rng.choice(w["pod"])
        server = w.rng.choice([p for p in w["pod"] if p.interface is not client.interface])
        sends = [(0.0, 400, 2000)] * w.rng.randrange(1, 4)
        bursts = t.tcp(w.when(), sends, rtt=0.0007, mss=8948)
        w.talk(client, server, w.rng.choice((8080, 9090)), bursts, payload=(400, 2000))
    for _ in w.many(1500):
        bursts = t.tcp(w.when(), [(0, 300, 4000)], rtt=0.0007)
        w.talk(w.rng.choice(w["pod"]), w.rng.choice(w["db"]), 5432, bursts, payload=(300, 4000))


def six_inside(w: World) -> None:
    """IPv6 between our VPCs, with AWS's global addresses."""
    for _ in w.many(4000):
        bursts = t.tcp(w.when(), [(0, 600, 9000)], rtt=0.0009, six=True, mss=1428)
        w.talk(w.rng.choice(w["app6"]), w.rng.choice(w["api6"]), 8443, bursts, payload=(600, 9000))


def interface_endpoints(w: World) -> None:
    for _ in w.many(3000):
        _tcp(w, w.rng.choice(("app", "windows", "quiet")), "vpce", 443, w.when(), [(0, 2000, 5000)])


def administration(w: World) -> None:
    for _ in w.many(120):
        sends = [(w.rng.expovariate(1 / 20), 80, 300) for _ in range(w.rng.randrange(20, 120))]
        _tcp(w, "bastion", w.rng.choice(("app", "old")), 22, w.when(4000), sends)


def closed_inside(w: World) -> None:
    """Our own calls to closed ports, to hosts that are down, and what a group refuses."""
    for _ in w.many(900):
        client, server = w.rng.choice(w["app"]), w.rng.choice(w["api"] + w["app"][:2])
        if client is server:
            continue
        port, begin = w.rng.choice((8081, 9000, 5672, 7000)), w.when()
        shape = w.rng.randrange(4)
        if shape == 0:
            w.talk(client, server, port, t.closed(begin, rtt=0.0006), outcome="closed")
        elif shape == 1:
            bursts = t.unanswered(begin, w.rng.randrange(2, 7))
            w.talk(client, server, port, bursts, outcome="silent")
        else:
            bursts = t.refused(begin, w.rng.randrange(1, 6), at_sender=shape == 3)
            w.talk(client, server, port, bursts, outcome="refused")


def own_scanner(w: World) -> None:
    """A scanner of ours looks for open ports, from one source port: the caller is ours."""
    scanner = w["scanner"][0]
    for _ in w.many(12, 1):
        host, source, begin = w.rng.choice(w["api"]), w.rng.choice((53, 55000)), w.when(600)
        for i, port in enumerate(w.rng.sample(range(1, 7000), w.ports)):
            bursts = t.closed(begin + i, rtt=0.0004, size=44)
            w.talk(scanner, host, port, bursts, port=source, outcome="closed")


def lossy(w: World) -> None:
    """Packets that are lost between two interfaces of ours: counted as sent."""
    for _ in w.many(400, 4):
        a, b = w.rng.choice(w["app"]), w.rng.choice(w["api"])
        bursts = t.tcp(w.when(300), [(0.1, 3000, 90000)] * 4, rtt=0.001)
        again = [(*burst[:5], LOST) for burst in bursts if w.rng.random() < 0.3]
        w.talk(a, b, 8443, sorted(bursts + again), payload=(12000, 360000))


def passive_transfers(w: World) -> None:
    """Data connections between two dynamic ports, agreed upon over another connection."""
    for _ in w.many(25, 1):
        client, server = w.rng.choice(w["app"]), w.rng.choice(w["old"])
        begin = w.when()
        sends = [(0.2, 30, 60), (0.2, 30, 60), (5, 10, 40)]
        w.talk(client, server, 21, t.tcp(begin, sends, rtt=0.001), payload=_payload(sends))
        port = w.rng.randrange(49152, 65535)
        bursts = t.tcp(begin + 1, [(0, 0, 80000)], rtt=0.001)
        w.talk(client, server, port, bursts, payload=(0, 80000))


def members(w: World) -> None:
    """Cluster members that speak from the service port to the service port: nobody is the client."""
    for _ in w.many(30, 1):
        a, b = w.rng.sample(w["api"], 2)
        rounds = [(w.rng.uniform(0, 30), 120, 120) for _ in range(40)]
        bursts = t.udp(w.when(1500), rounds, rtt=0.0006)
        w.talk(a, b, 7946, bursts, port=7946, protocol=17, payload=_payload(rounds), scored=False)


def gossip(w: World) -> None:
    """Cluster members that speak from an ephemeral port to the service port."""
    for _ in w.many(60):
        a, b = w.rng.sample(w["api"], 2)
        rounds = [(w.rng.uniform(0, 2), 120, 80) for _ in range(10)]
        w.talk(
            a, b, 7946, t.udp(w.when(), rounds, rtt=0.0006), port=w.rng.randrange(32768, 61000),
            protocol=17, payload=_payload(rounds),
        )  # fmt: skip


def nightly_copy(w: World) -> None:
    """Large transfers over midnight."""
    for i in w.many(12, 2):
        begin = (BEGIN // 86400 + 1) * 86400 - w.rng.randrange(60, 1500)
        down = w.rng.randrange(2, 9) * 10**8 if i % 2 else 0
        up = 0 if down else w.rng.randrange(1, 5) * 10**8
        _tcp(w, "old", "api", 873 if i % 2 else 22, begin, [(0.5, up, down)], rate=3e5, mss=8948)
    assert begin < END


def _payload(rounds: list[tuple[float, int, int]]) -> tuple[int, int]:
    return sum(r[1] for r in rounds), sum(r[2] for r in rounds)


def _tcp(
    w: World, client: str, server: str, port_: int, begin: float, sends, *, port=None, **how
) -> None:
    a, b = w.rng.choice(w[client]), w.rng.choice(w[server])
    rtt = w.rng.uniform(0.0003, 0.002)
    bursts = t.tcp(begin, sends, rtt=rtt, syn=52 if a.os == "windows" else 60, **how)
    if a.os == "windows" and how.get("header") is None:
        bursts = t.tcp(begin, sends, rtt=rtt, syn=52, header=40, **how)
    w.talk(a, b, port_, bursts, port=port, payload=_payload(sends))
