"""Strangers who mean no good. Every public function is a kind.

Ports of a stranger are his to choose: fixed, low, or a service's, so that he looks like a server.
"""

from __future__ import annotations

from . import talk as t
from .model import BACK, OUT, PASSED, REFUSED_THERE, Burst, End, Hop
from .play import World


def background(w: World) -> None:
    """What every public address gets all day: single probes from everywhere, mostly refused."""
    targets = w["web"] + w["edge"] + w["bastion"] + w["lowport"] + w["alb"] + w["second"]
    strangers = [w.stranger() for _ in w.many(1500, 40)]
    ports = (22, 23, 445, 3389, 8080, 5555, 6379, 2375, 1433, 81, 8088, 9200, 5900, 7547, 34567)
    for i in w.many(42000, 100):
        who, host, at = w.rng.choice(strangers), w.rng.choice(targets), w.when(10)
        port = w.rng.choice(ports) if i % 3 else w.rng.randrange(1, 65536)
        if (host, port) in w.services():
            continue
        size, mine = w.rng.choice((40, 44, 60)), w.rng.randrange(1024, 65536)
        if i % 12 == 0:
            w.talk(
                who, host, port, t.closed(at, rtt=0.0002, size=size), port=mine, outcome="closed"
            )
        else:
            tries = 1 if size < 60 else w.rng.randrange(1, 4)
            bursts = t.refused(at, tries, size=size)
            w.talk(who, host, port, bursts, port=mine, outcome="refused")


def scan_ports(w: World) -> None:
    """One stranger, one source port, 200 ports of one host: resets of 40 bytes each way."""
    for source in (53, 80, 123, 443, 1254, 22, 20, 843, 40000):
        for _ in w.many(5, 1):
            _ports(w, source, lambda w, at, size: (t.closed(at, rtt=0.0002, size=size), "closed"))


def scan_ports_silent(w: World) -> None:
    """The same at hosts that do not answer."""
    for source in (53, 80, 123, 443, 1254):
        for _ in w.many(3, 1):
            _ports(w, source, lambda w, at, size: (t.unanswered(at, 1, size=size), "silent"))


def scan_ports_refused(w: World) -> None:
    """The same at hosts whose security group refuses it."""
    for source in (53, 80, 123, 443, 1254, None):
        for _ in w.many(3, 1):
            _ports(w, source, lambda w, at, size: (t.refused(at, 1, size=size), "refused"))


def sweep(w: World) -> None:
    """One port over all hosts that are reached, again and again."""
    targets = w["web"] + w["edge"] + w["bastion"] + w["lowport"]
    for _ in w.many(200, 4):
        who, port = w.stranger(), w.rng.choice((22, 23, 445, 3389, 6379, 8080, 37215, 52869))
        source, begin = w.rng.choice((None, None, 53, 443, 50000, port)), w.when(900)
        for i, target in enumerate(targets):
            at, size = begin + i * w.rng.uniform(0.01, 20), w.rng.choice((40, 44))
            shape = w.rng.randrange(3)
            bursts = (
                t.refused(at, 1, size=size) if shape == 0
                else t.closed(at, rtt=0.0002, size=size) if shape == 1
                else t.unanswered(at, w.rng.choice((1, 1, 3)), size=size)
            )  # fmt: skip
            mine = w.rng.randrange(1024, 65536) if source is None else source
            outcome = ("refused", "closed", "silent")[shape]
            w.talk(who, target, port, bursts, port=mine, outcome=outcome)


def open_port_scans(w: World) -> None:
    """SYN scanners at ports that are open: reset at once, or left half open."""
    services = w.services()
    for i in w.many(900, 6):
        host, port = w.rng.choice(services)
        source = w.rng.choice((w.rng.randrange(1024, 65536), 443, 53, 1254))
        bursts = t.half_open(w.when(), rtt=w.rng.uniform(0.01, 0.2), reset=i % 5 != 0)
        w.talk(w.stranger(), host, port, bursts, port=source, outcome="empty")


def flood(w: World) -> None:
    """SYNs with forged senders: each is answered six times, nobody is there."""
    host = w["web"][0]
    begin = w.when(2000)
    for i in w.many(800, 20):
        bursts = t.half_open(begin + i * 0.05, rtt=0.1, reset=False)
        w.talk(w.stranger(), host, 80, bursts, port=w.rng.randrange(1024, 65536), outcome="empty")


def guessing(w: World) -> None:
    """Passwords guessed at SSH, some from a fixed low port upwards."""
    for n in w.many(25, 2):
        who, host, begin = w.stranger(), w["bastion"][0] if n % 2 else w["edge"][5], w.when(4000)
        for i in range(w.rng.randrange(20, 120)):
            sends = [(0.1, 21, 41), (0.1, 1500, 1200), (0.4, 150, 90)]
            bursts = t.tcp(begin + i * w.rng.uniform(2, 30), sends, rtt=0.15)
            mine = 1024 + i if n % 3 == 0 else w.rng.randrange(32768, 61000)
            w.talk(who, host, 22, bursts, port=mine, payload=(1671, 1331))


def web_attacks(w: World) -> None:
    """Requests with payload to the web servers from strangers with odd source ports."""
    for _ in w.many(500, 4):
        sends = [(0, w.rng.randrange(200, 900), w.rng.choice((400, 1500)))]
        bursts = t.tcp(w.when(), sends, rtt=0.1, close="rst")
        port, mine = w.rng.choice((80, 443)), w.rng.choice((53, 443, 80, 1254, 3306, 55555))
        server = w.rng.choice(w["web"] + w["alb"])
        w.talk(w.stranger(), server, port, bursts, port=mine, payload=(sends[0][1], sends[0][2]))
    for _ in w.many(300, 4):
        # Banners, read from a service's port.
        sends, (host, port) = [(0.1, 30, 120)], w.rng.choice(w.services()[8:])
        bursts = t.tcp(w.when(), sends, rtt=0.1, close="rst")
        mine = w.rng.choice((53, 443, 1254, 22))
        w.talk(w.stranger(), host, port, bursts, port=mine, payload=(30, 120))


def scan_ports_answers_only(w: World) -> None:
    """The stranger's probes come by an interface that nobody logs: only our resets are seen."""
    for source in (1254, 443, 8888, 5060):
        for _ in w.many(2, 1):
            who, host, begin = w.stranger(), w.rng.choice(w["edge"]), w.when(900)
            hops = [Hop(host.interface, None, "egress", path_back="8")]
            for i, port in enumerate(w.rng.sample(range(1, 9000), w.ports)):
                bursts = t.closed(begin + i, rtt=0.0002, size=40)
                w.talk(who, host, port, bursts, port=source, outcome="closed", hops=hops)


def voice_answers_only(w: World) -> None:
    """Voice scanners of whom only our answers from 5060 and 8888 are seen, over UDP."""
    for n in w.many(30, 3):
        who, begin = w.stranger(), w.when(900)
        port = 5060 if n % 2 else 8888
        host = w["edge"][0 if n % 2 else 1]
        hops = [Hop(host.interface, None, "egress", path_back="8")]
        for i in range(w.rng.randrange(3, 30)):
            bursts = t.udp(begin + i * 9, [(0, 420, 380)], rtt=0.0002)
            mine = 5061 + i if n % 3 else w.rng.randrange(1024, 65536)
            w.talk(who, host, port, bursts, port=mine, protocol=17, payload=(420, 380), hops=hops)


def probe_datagrams(w: World) -> None:
    """UDP probes: no answer, port unreachable, refused, or an answer of a service of ours."""
    for _ in w.many(60, 3):
        who, source, begin = w.stranger(), w.rng.choice((5060, 53, 123, 40000, None)), w.when(1500)
        for host in w.rng.sample(w["edge"] + w["web"], 6):
            for port in w.rng.sample((161, 1900, 5060, 8888, 11211, 3702, 389, 5353), 4):
                begin += w.rng.uniform(0.05, 6)
                _datagram(w, who, host, port, source, begin)


def nat_probes(w: World) -> None:
    """Probes at the NAT gateways' addresses: accepted, dropped, never answered."""
    for n in w.many(60, 4):
        who, begin, source = w.stranger(), w.when(2500), w.rng.choice((53, 443, 1254, None))
        gateway = w.estate.nat[w.rng.choice(list(w.estate.nat))]
        for _ in range(w.rng.randrange(20, 180)):
            begin += w.rng.uniform(0.01, 10)
            port = w.rng.choice((22, 80, 443, 8080, w.rng.randrange(1, 65536)))
            mine = w.rng.randrange(1024, 65536) if source is None else source
            bursts = t.unanswered(begin, w.rng.choice((1, 1, 2)), size=40 if n % 2 else 60)
            w.talk(who, gateway, port, bursts, port=mine, outcome="silent")
        if n % 3 == 0:
            bursts = t.udp(begin, [(0, 60, 0)], rtt=0.1)
            w.talk(who, gateway, 161, bursts, port=53, protocol=17, outcome="silent")
            bursts = t.ping(begin, 2, rtt=0.1, lost=2)
            w.talk(who, gateway, 0, bursts, port=0, protocol=1, outcome="silent")


def framing(w: World) -> None:
    """Packets from a service's port to our ephemeral ports, on time, as if we had called."""
    for n in w.many(25, 2):
        who, host, begin = w.stranger(), w.rng.choice(w["edge"] + w["web"]), w.when(9000)
        source = w.rng.choice((443, 53, 22, 8443))
        for i in range(w.rng.randrange(12, 60)):
            at, port = begin + i * (120 if n % 2 else 2), w.rng.randrange(32768, 61000)
            w.talk(
                who, host, port, t.closed(at, rtt=0.0002, size=40), port=source, outcome="closed"
            )
    for _ in w.many(40, 3):
        # Once each, from many: nothing but the 40 bytes is there to see.
        host, port = w.rng.choice(w["edge"]), w.rng.randrange(32768, 61000)
        bursts = t.closed(w.when(), rtt=0.0002, size=40)
        w.talk(w.stranger(), host, port, bursts, port=443, outcome="closed")


def reflection(w: World) -> None:
    """Answers that nobody asked for, from amplifiers: one way, large, many senders."""
    for _ in w.many(4, 1):
        host, port = w.rng.choice(w["edge"] + w["web"]), w.rng.randrange(1024, 65536)
        source, begin = w.rng.choice((53, 123, 1900, 11211)), w.when(900)
        for n in range(100):
            fate = REFUSED_THERE if n % 3 == 0 else PASSED
            bursts: list[Burst] = [
                (
                    begin + w.rng.uniform(0, 300) + k,
                    OUT,
                    20,
                    20 * w.rng.choice((468, 1468)),
                    0,
                    fate,
                )
                for k in range(4)
            ]
            bursts.sort()
            w.talk(
                w.stranger(), host, port, bursts, port=source, protocol=17,
                outcome="refused" if fate else "silent",
            )  # fmt: skip


def spoofed_resolver(w: World) -> None:
    """Unasked answers in the name of a resolver that our hosts do use."""
    for n in w.many(60, 3):
        who, host, begin = End("8.8.8.8"), w.rng.choice(w["edge"]), w.when(60)
        for i in range(w.rng.randrange(1, 6)):
            fate, size = REFUSED_THERE if n % 2 else PASSED, w.rng.randrange(80, 500)
            bursts: list[Burst] = [(begin + i, OUT, 1, size, 0, fate)]
            mine = w.rng.randrange(1024, 65536)
            outcome = "refused" if fate else "silent"
            w.talk(who, host, mine, bursts, port=53, protocol=17, outcome=outcome)


def backscatter(w: World) -> None:
    """SYN-ACKs and resets of servers that were called in our name."""
    for n in w.many(300, 4):
        host, fate = w.rng.choice(w["edge"] + w["web"]), REFUSED_THERE if n % 2 else PASSED
        at, flags = w.when(), w.rng.choice((t.SYN_ACK, t.RST))
        size = 44 if flags == t.SYN_ACK else 40
        bursts: list[Burst] = [(at, OUT, 1, size, flags, fate)]
        if flags == t.SYN_ACK and not fate:
            bursts.append((at + 0.0002, BACK, 1, 40, t.RST, PASSED))
        w.talk(
            w.stranger(), host, w.rng.randrange(1024, 65536), bursts,
            port=w.rng.choice((80, 443, 8888, 25565, 5060)),
            outcome="refused" if fate else "silent",
        )  # fmt: skip


def slow_scan(w: World) -> None:
    """A port every seven minutes, from another source port each time."""
    for _ in w.many(5, 1):
        who, host, begin = w.stranger(), w.rng.choice(w["edge"]), w.when(60000)
        for i in range(130):
            at, port = begin + i * 420 + w.rng.random() * 30, w.rng.randrange(1, 10000)
            closed = i % 3 == 0
            bursts = t.closed(at, rtt=0.0002, size=44) if closed else t.refused(at, 1, size=44)
            mine = w.rng.randrange(1024, 65536)
            w.talk(who, host, port, bursts, port=mine, outcome="closed" if closed else "refused")


def pinging(w: World) -> None:
    """Ping sweeps, answered or not."""
    targets = w["web"] + w["edge"] + w["lowport"]
    for _ in w.many(80, 2):
        who, begin = w.stranger(), w.when(200)
        for i, host in enumerate(targets):
            lost = 1 if i % 3 == 0 else 0
            bursts = t.ping(begin + i * 0.3, 1, rtt=0.0002, size=28 + 8 * (i % 2), lost=lost)
            w.talk(who, host, 0, bursts, port=0, protocol=1)


def six_scan(w: World) -> None:
    """A scanner on IPv6."""
    for _ in w.many(10, 1):
        who, begin = w.stranger(six=True), w.when(900)
        for host in w["web6"]:
            pings = t.ping(begin, 2, rtt=0.0002, size=64, lost=w.rng.randrange(3))
            w.talk(who, host, 0, pings, port=0, protocol=58)
            for port in w.rng.sample(range(1, 9000), 15):
                begin += w.rng.random()
                bursts = t.closed(begin, rtt=0.0002, size=40, six=True)
                w.talk(who, host, port, bursts, port=443, outcome="closed")


def _ports(w: World, source: int | None, shape) -> None:
    who, host = w.stranger(), w.rng.choice(w["edge"] + w["web"])
    begin, gap, size = w.when(1500), w.rng.choice((0.02, 1, 5)), w.rng.choice((40, 40, 44))
    open_ports = {port for server, port in w.services() if server is host}
    ports = w.rng.sample(range(1, 12000), 200) if source == 40000 else _well_known(w)
    for i, port in enumerate(p for p in ports[: w.ports] if p not in open_ports):
        bursts, outcome = shape(w, begin + i * gap, size)
        mine = w.rng.randrange(1024, 65536) if source is None else source
        w.talk(who, host, port, bursts, port=mine, outcome=outcome)


def _well_known(w: World) -> list[int]:
    named = [21, 22, 23, 25, 110, 135, 139, 143, 445, 993, 1433, 1521, 2049, 3306, 3389, 5432, 5900,
             5985, 6379, 8000, 8080, 8443, 9200, 11211, 27017, 33890, 49152, 50000, 60001]  # fmt: skip
    return named + w.rng.sample(range(1, 65536), 200 - len(named))


def _datagram(w: World, who: End, host: End, port: int, source: int | None, at: float) -> None:
    size, mine = (
        w.rng.randrange(20, 400),
        w.rng.randrange(1024, 65536) if source is None else source,
    )
    asked = {(w["edge"][0].address, 5060), (w["edge"][1].address, 8888)}
    if (host.address, port) in asked:
        bursts = t.udp(at, [(0, size, size * 3 // 2)], rtt=0.0003)
        w.talk(who, host, port, bursts, port=mine, protocol=17, payload=(size, size * 3 // 2))
        return
    shape = w.rng.randrange(3)
    if shape == 0:
        bursts = [(at, OUT, 1, size + 28, 0, REFUSED_THERE)]
        w.talk(who, host, port, bursts, port=mine, protocol=17, outcome="refused")
        return
    bursts = t.udp(at, [(0, size, 0)], rtt=0.0003)
    w.talk(
        who,
        host,
        port,
        bursts,
        port=mine,
        protocol=17,
        outcome="silent" if shape == 1 else "closed",
    )
    if shape == 2:
        assert host.interface is not None
        error: list[Burst] = [(at + 0.0001, BACK, 1, 28 + min(size + 28, 548), 0, PASSED)]
        hops = [Hop(host.interface, "ingress", "egress", path_back="8")]
        w.talk(who, host, 0, error, port=0, protocol=1, outcome="error", hops=hops, scored=False)
