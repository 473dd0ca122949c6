"""Ordinary traffic that looks like something else. Every public function is a kind."""

from __future__ import annotations

from . import talk as t
from .inside import _payload
from .model import BACK, OUT, PASSED, REFUSED_THERE, Burst, End, Hop
from .play import BEGIN, World


def late_server(w: World) -> None:
    """Silent for longer than it is tracked, then the server speaks: refused at the client, or not."""
    for i in w.many(160, 6):
        client, server = w.rng.choice(w["app"]), w.rng.choice(w["api"] if i % 2 else w["old"])
        begin = w.when(12000)
        bursts = t.tcp(begin, [(0, 500, 900), (3, 200, 400)], rtt=0.001, close="open")
        at, gone = begin + w.rng.randrange(360, 9000), i % 3 != 0
        for n in range(w.rng.randrange(1, 7)):
            fate = REFUSED_THERE if gone else PASSED
            bursts.append((at + (1 << n), BACK, 1, 152, 0, fate))
            if not gone:
                bursts.append((at + (1 << n) + 0.001, OUT, 1, 52, 0, PASSED))
        w.talk(client, server, w.rng.choice((8443, 5671, 61616)), bursts, payload=(700, 1300 + 100))


def late_server_outside(w: World) -> None:
    """The same with a public server: its resets and data come when nobody tracks them any more."""
    sites = [w.stranger() for _ in range(8)]
    for i in w.many(160, 6):
        client = w.rng.choice(w["edge"] if i % 2 else w["lowport"])
        begin = w.when(12000)
        bursts = t.tcp(begin, [(0, 500, 900)], rtt=0.02, close="open")
        at = begin + w.rng.randrange(360, 9000)
        flags, size = (t.RST, 40) if i % 4 < 2 else (0, 92)
        bursts += [(at + n, BACK, 1, size, flags, REFUSED_THERE) for n in range(1 + i % 3)]
        w.talk(client, w.rng.choice(sites), 443, bursts, payload=(500, 900))


def idle_for_hours(w: World) -> None:
    """Connections that go on after long silences, from either side."""
    for _ in w.many(60, 3):
        client, server = w.rng.choice(w["app"]), w.rng.choice(w["db"])
        sends = [(w.rng.choice((5, 400, 3000)), 300, 600) for _ in range(12)]
        bursts = t.tcp(w.when(38000), sends, rtt=0.001)
        w.talk(client, server, 5432, bursts, payload=_payload(sends))


def reused_ports(w: World) -> None:
    """The same five-tuple again within the hour, a new connection each time."""
    for i in w.many(150, 4):
        client = w.rng.choice(w["app"])
        server, port = (w.rng.choice(w["api"]), 8443) if i % 2 else (End("104.16.9.9"), 443)
        mine, begin = w.rng.randrange(32768, 61000), w.when(4000)
        for _ in range(w.rng.randrange(2, 6)):
            bursts = t.tcp(begin, [(0, 400, 1500)], rtt=0.002)
            w.talk(client, server, port, bursts, port=mine, payload=(400, 1500))
            begin += w.rng.choice((70, 130, 200, 400, 700))


def late_answers(w: World) -> None:
    """Answers of name servers after the security group forgot the question: refused."""
    for _ in w.many(120, 3):
        client, server = w.rng.choice(w["edge"]), End(f"198.41.0.{w.rng.randrange(4, 9)}")
        begin = w.when(600)
        bursts: list[Burst] = [
            (begin, OUT, 1, 68, 0, PASSED),
            (begin + w.rng.uniform(35, 300), BACK, 1, 190, 0, REFUSED_THERE),
        ]
        port = w.rng.randrange(20000, 65536)
        w.talk(
            client, server, 53, bursts, port=port, protocol=17, payload=(40, 0), outcome="silent"
        )


def active_transfers(w: World) -> None:
    """FTP in active mode: the server calls back from port 20."""
    for _ in w.many(25):
        server, client = w.rng.choice(w["old"]), w.rng.choice(w["app"])
        begin, mine = w.when(), w.rng.randrange(32768, 60000)
        sends = [(0.2, 30, 60), (0.2, 30, 60), (5, 10, 40)]
        control = t.tcp(begin, sends, rtt=0.001)
        w.talk(client, server, 21, control, port=mine, payload=_payload(sends))
        data = t.tcp(begin + 1, [(0, 60000, 0)], rtt=0.001)
        w.talk(server, client, mine + 1, data, port=20, payload=(60000, 0))


def begun_before(w: World) -> None:
    """Connections older than the log: long answers of which only the server's packets are left."""
    for i in w.many(40, 4):
        who, server = w.stranger(), w["edge"][0 if i % 2 else 1]
        begin = BEGIN - 1.0
        rounds = [(0.0, 300, 0)]
        bursts = t.udp(begin, rounds, rtt=0.0004)
        bursts += [(BEGIN + 1.0 + n, BACK, 1, 528, 0, PASSED) for n in range(1 + i % 4)]
        w.talk(
            who, server, 5060 if i % 2 else 8888, bursts, protocol=17, payload=(300, 500),
            port=w.rng.randrange(20000, 65536),
        )  # fmt: skip


def answers_only(w: World) -> None:
    """Partners whose packets come in by an interface that nobody logs: only answers are seen."""
    parties = [w.stranger() for _ in range(8)]
    for i in w.many(240, 12):
        host, port = (w["edge"][0], 5061) if i % 2 else (w["edge"][1], 8889)
        hops = [Hop(host.interface, None, "egress", path_back="8")]
        if i % 3:
            sends = [(0, 400, 900)]
            bursts = t.tcp(w.when(), sends, rtt=0.0004)
            w.talk(w.rng.choice(parties), host, port, bursts, hops=hops, payload=(400, 900))
        else:
            bursts = t.udp(w.when(), [(0, 400, 500)], rtt=0.0004)
            who, mine = w.rng.choice(parties), w.rng.randrange(1024, 65536)
            w.talk(
                who, host, port, bursts, hops=hops, port=mine, protocol=17, payload=(400, 500)
            )  # fmt: skip


def keep_alives_of_servers(w: World) -> None:
    """A voice server of ours asks registered phones for life, long after they called."""
    for _ in w.many(80, 3):
        who, server, begin = w.stranger(), w["edge"][0], w.when(8000)
        bursts = t.udp(begin, [(0, 500, 450), (0.1, 620, 480)], rtt=0.0004)
        for n in range(w.rng.randrange(1, 6)):
            at = begin + 600 * (n + 1)
            bursts.append((at, BACK, 1, 428, 0, PASSED))
            if n == 0:
                bursts.append((at + 0.05, OUT, 1, 358, 0, PASSED))
        w.talk(
            who,
            server,
            5060,
            bursts,
            protocol=17,
            payload=(1120, 930),
            port=w.rng.randrange(1024, 65536),
        )
