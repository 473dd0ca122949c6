"""Ordinary traffic with the internet, both ways. Every public function is a kind."""

from __future__ import annotations

from . import talk as t
from .inside import _payload
from .model import End
from .play import World

_SITES = [End(f"{net}.{i}") for i, net in enumerate(
    ("104.16.5", "151.101.2", "142.250.74", "140.82.121", "13.107.42", "95.100.9", "162.159.3"), 30
)]  # fmt: skip
_S3 = [End(f"52.218.{i}.{40 + i}", service="S3") for i in range(6)]
_DYNAMO = [End(f"52.94.5.{i}", service="DYNAMODB") for i in range(3)]
_EC2 = [End(f"52.1.2.{i}", service="EC2") for i in range(3, 7)]
_SITES6 = [End(f"2a00:1450:4001:80{i}::200e") for i in range(5)]


def visitors(w: World) -> None:
    """People at the load balancer and the web servers, over IPv4 and IPv6."""
    for i in w.many(15000):
        who = w.stranger()
        who.os = w.rng.choice(("linux", "windows"))
        server = w.rng.choice(w["alb"] if i % 3 else w["web"])
        sends = t.web_sends(w.rng, w.rng.randrange(1, 9))
        bursts = t.tcp(w.when(400), sends, rtt=w.rng.uniform(0.005, 0.2), header=40, syn=52)
        port = w.rng.randrange(1024, 65536)
        w.talk(
            who, server, w.rng.choice((443, 443, 80)), bursts, port=port, payload=_payload(sends)
        )
    for _ in w.many(1500):
        sends = t.web_sends(w.rng, w.rng.randrange(1, 6))
        bursts = t.tcp(w.when(400), sends, rtt=0.03, six=True, mss=1408)
        w.talk(w.stranger(six=True), w.rng.choice(w["web6"]), 443, bursts, payload=_payload(sends))


def partners(w: World) -> None:
    """Known parties at the network load balancer and odd public services."""
    parties = [w.stranger() for _ in range(12)]
    for _ in w.many(1500):
        begin, who = w.when(1000), w.rng.choice(parties)
        sends = [(w.rng.expovariate(0.1), 300, 300) for _ in range(8)]
        bursts = t.tcp(begin, sends, rtt=0.02)
        w.talk(who, w.rng.choice(w["nlb"]), 5671, bursts, payload=_payload(sends))
    for _ in w.many(600):
        who, port = w.rng.choice(parties), w.rng.choice((5060, 8888, 1194))
        rounds = [(w.rng.expovariate(1 / 20), 400, 500) for _ in range(w.rng.randrange(1, 9))]
        server = w["edge"][{5060: 0, 8888: 1, 1194: 2}[port]]
        w.talk(
            who, server, port, t.udp(w.when(800), rounds, rtt=0.0004), protocol=17,
            port=port if port == 5060 and w.rng.random() < 0.3 else None, payload=_payload(rounds),
        )  # fmt: skip
    for _ in w.many(500):
        who, port = w.rng.choice(parties), w.rng.choice((25, 8888, 50051, 2222))
        server = w["edge"][{25: 3, 8888: 1, 50051: 4, 2222: 3}[port]]
        sends = [(0.1, 900, 600), (0.1, 4000, 100)]
        w.talk(who, server, port, t.tcp(w.when(), sends, rtt=0.03), payload=_payload(sends))


def quic(w: World) -> None:
    """HTTP over UDP, by visitors and by our clients."""
    for i in w.many(1500, 6):
        rounds = [(0.0, 1250, 4000), (0.03, 900, w.rng.randrange(900, 60000)), (1.0, 300, 3000)]
        bursts = t.udp(w.when(), rounds, rtt=w.rng.uniform(0.004, 0.1))
        a, b = (w.stranger(), w.rng.choice(w["web"]))
        if i % 2:
            a, b = w.rng.choice(w["app"] + w["windows"]), w.rng.choice(_SITES)
        w.talk(a, b, 443, bursts, protocol=17, payload=_payload(rounds))


def second_addresses(w: World) -> None:
    """Visitors of second addresses of interfaces, and calls from them."""
    for i in w.many(900, 6):
        ours, sends = w.rng.choice(w["second"]), t.web_sends(w.rng, 2)
        bursts = t.tcp(w.when(200), sends, rtt=0.04)
        a, b = (ours, w.rng.choice(_SITES)) if i % 3 == 0 else (w.stranger(), ours)
        w.talk(a, b, 443, bursts, payload=_payload(sends))


def tunnels(w: World) -> None:
    """IPsec with a partner: key exchange from port 500 to 500, then ESP, which has no ports."""
    partner, ours = w.stranger(), w["edge"][2]
    for _ in w.many(3, 1):
        begin = w.when(15000)
        rounds = [(w.rng.uniform(5, 40), 1300, 1100) for _ in range(400)]
        keys = t.udp(begin, [(0, 300, 280), (0.1, 400, 380)], rtt=0.02)
        w.talk(ours, partner, 500, keys, port=500, protocol=17, payload=(700, 660), scored=False)
        bursts = t.udp(begin + 1, rounds, rtt=0.02)
        w.talk(
            ours, partner, 0, bursts, port=0, protocol=50, payload=_payload(rounds), scored=False
        )  # fmt: skip


def browsing_through_nat(w: World) -> None:
    for _ in w.many(12000):
        group = w.rng.choice(("app", "app", "windows", "quiet", "old"))
        sends = t.web_sends(w.rng, w.rng.randrange(1, 5), page=9000)
        client = w.rng.choice(w[group])
        bursts = t.tcp(w.when(200), sends, rtt=w.rng.uniform(0.002, 0.12))
        w.talk(client, w.rng.choice(_SITES), 443, bursts, payload=_payload(sends))


def odd_ports_through_nat(w: World) -> None:
    for _ in w.many(1500):
        sends = [(0, 300, 700), (1, 200, 9000)]
        bursts = t.tcp(w.when(), sends, rtt=w.rng.uniform(0.002, 0.12))
        port = w.rng.choice((8443, 9093, 6514, 22, 27017, 50443))
        w.talk(w.rng.choice(w["app"]), w.rng.choice(_SITES), port, bursts, payload=_payload(sends))


def objects_through_nat(w: World) -> None:
    """Uploads to and downloads from S3 where there is no gateway endpoint."""
    clients = [h for h in w["app"] if h.interface and h.interface.az == "euw1-az3"]
    for i in w.many(300):
        up = w.rng.randrange(10**6, 4 * 10**7) if i % 2 else 2000
        down = 3000 if i % 2 else w.rng.randrange(10**6, 3 * 10**7)
        bursts = t.tcp(w.when(1500), [(0, up, down)], rtt=0.002, rate=2e7)
        w.talk(w.rng.choice(clients), w.rng.choice(_S3), 443, bursts, payload=(up, down))


def objects_through_endpoint(w: World) -> None:
    """S3 and DynamoDB through the gateway endpoint: public addresses, but not the internet."""
    clients = [h for h in w["app"] if h.interface and h.interface.az != "euw1-az3"]
    for i in w.many(2500):
        large = i % 10 == 0
        up = w.rng.randrange(10**5, 10**7) if large else 1500
        down = w.rng.randrange(10**5, 2 * 10**7) if large else 20000
        server = w.rng.choice(_S3 if i % 3 else _DYNAMO)
        bursts = t.tcp(w.when(900), [(0, up, down)], rtt=0.001, rate=4e7)
        w.talk(w.rng.choice(clients), server, 443, bursts, payload=(up, down))


def names_outside(w: World) -> None:
    """DNS and NTP to public servers, through NAT and from public hosts; some answers come late."""
    resolvers = [End("8.8.8.8"), End("1.1.1.1"), End("9.9.9.9")]
    for i in w.many(4000):
        client = w.rng.choice(w["app"] if i % 3 else w["edge"])
        rtt = w.rng.uniform(0.003, 0.04)
        rounds = [(0.0, w.rng.randrange(30, 60), w.rng.randrange(60, 400))]
        w.talk(
            client, w.rng.choice(resolvers), 53, t.udp(w.when(), rounds, rtt=rtt), protocol=17,
            port=w.rng.randrange(1024, 65536), payload=_payload(rounds),
        )  # fmt: skip
    clocks = [End(f"162.159.200.{i}") for i in (1, 123)] + [End("193.190.230.65")]
    for client in [*w["edge"], *w["app"][:10]]:
        port = w.rng.choice((123, None))
        for _ in w.many(40):
            w.talk(
                client, w.rng.choice(clocks), 123, t.udp(w.when(), [(0, 48, 48)], rtt=0.02),
                port=port, protocol=17, payload=(48, 48),
            )  # fmt: skip


def pods_outside(w: World) -> None:
    for _ in w.many(2500):
        sends = t.web_sends(w.rng, w.rng.randrange(1, 4), page=8000)
        bursts = t.tcp(w.when(200), sends, rtt=0.03)
        w.talk(w.rng.choice(w["pod"]), w.rng.choice(_SITES), 443, bursts, payload=_payload(sends))


def six_outside(w: World) -> None:
    """IPv6 egress."""
    for _ in w.many(2500):
        sends = t.web_sends(w.rng, w.rng.randrange(1, 5))
        bursts = t.tcp(w.when(200), sends, rtt=0.02, six=True, mss=1428)
        client = w.rng.choice(w["app6"] + w["web6"])
        w.talk(client, w.rng.choice(_SITES6), 443, bursts, payload=_payload(sends))


def low_client_ports(w: World) -> None:
    """Clients of ours that count their source ports up from 5001, or from 1025."""
    for client in w["lowport"]:
        first = w.rng.choice((5001, 1025))
        for i in w.many(120, 5):
            sends = [(0, 1000, 6000)]
            bursts = t.tcp(w.when(), sends, rtt=0.02)
            server = _EC2[i % 4]
            w.talk(client, server, 8443, bursts, port=first + i, payload=_payload(sends))


def beacons(w: World) -> None:
    """A compromised host calls home on time: the caller is ours."""
    home = w.stranger()
    client, port = w["edge"][5], w.rng.choice((443, 8443, 4444))
    begin = w.when(20 * 300)
    for i in w.many(200, 20):
        bursts = t.tcp(begin + 300 * (i % 250), [(0, 250, 120)], rtt=0.04)
        w.talk(client, home, port, bursts, payload=(250, 120))


def calls_refused_outside(w: World) -> None:
    """Our calls to closed and silent ports of strangers, a few each."""
    for i in w.many(400):
        client, begin = w.rng.choice(w["app"] + w["edge"]), w.when()
        port = w.rng.choice((443, 8080, 25, 6667))
        if i % 2:
            w.talk(client, w.stranger(), port, t.closed(begin, rtt=0.05), outcome="closed")
        else:
            bursts = t.unanswered(begin, w.rng.randrange(2, 7))
            w.talk(client, w.stranger(), port, bursts, outcome="silent")
