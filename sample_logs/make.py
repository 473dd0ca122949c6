"""Make the sample logs: a small estate, a day and a half, and an intrusion in it.

Run `python sample_logs/make.py [FOLDER]`. The same seed gives the same bytes, so the committed
files can be checked against this script. The story and what each file must lead to is told in
README.md and expected.toml; estate.py knows how AWS cuts connections into records, this file
knows who talks to whom, shapes.py writes the records in the shapes that AWS delivers.
"""

from __future__ import annotations

import sys
from pathlib import Path

from estate import BASTION, DAY1, DB, HOUR, NOON2, WEB, Estate, clock
from shapes import write_all

# Addresses of the story. The hostile ones are invented and lie in blocks without public hosts.
SCANNER = "22.41.7.130"
BRUTE_FORCER = "22.118.64.9"
LISTED = "26.73.190.44"
BEACON = "21.66.12.201"
DROP = "21.190.88.17"
TOR_RELAYS = ("26.14.201.77", "26.201.33.8", "28.90.5.61")
TOR_EXIT = "28.55.140.23"
OFFICE = "81.2.69.160"
ALB_NODES = ("10.20.1.200", "10.20.2.201")
RESOLVER = "10.20.2.53"
BACKUP = "10.20.2.60"
NTP = ("162.159.200.1", "162.159.200.123")
# Published ranges of Route 53 health checkers and of S3 in us-east-1.
HEALTH_CHECKERS = ("54.243.31.197", "107.23.255.11", "54.228.16.21")
S3 = ("52.216.44.18", "52.217.130.92")
API = "52.94.233.129"

NOISE_PORTS = (23, 312, 445, 3389, 5900, 6379, 8080, 2323, 1433, 3306, 5060, 8443, 9200, 27017)


def public_client(e: Estate) -> str:
    """Give an address of an ordinary visitor; the same few thousand come back."""
    n = e.below(1800)
    head = (24, 46, 62, 73, 82, 86, 91, 98, 109, 151, 178, 188)[n % 12]
    return f"{head}.{10 + n * 7 % 200}.{n * 13 % 250}.{1 + n * 29 % 250}"


def web_traffic(e: Estate) -> None:
    """Visitors by day, health checks all the time, a pool of database connections, log upload."""
    for minute in range(36 * 60):
        t = DAY1 + minute * 60
        hour = minute / 60 % 24
        rush = 0.5 + 4.2 * max(0.0, 1 - abs(hour - 15) / 9)
        for _ in range(e.poisson(rush)):
            size = 1200 + e.below(60_000) + (e.below(900_000) if e.below(40) == 0 else 0)
            port = 443 if e.below(9) else 80
            e.connect(public_client(e), WEB, port, t + e.below(60), 1 + e.below(25), 900, size)
        for node in ALB_NODES:
            e.connect(node, WEB, 80, t + 11 + e.below(3), 1, 430, 590)
    for t in range(clock(4, 8), NOON2, 30):
        for checker in HEALTH_CHECKERS:
            e.connect(
                checker, WEB, 443, t + e.below(8), 1, 620, 3900, service="ROUTE53_HEALTHCHECKS"
            )
    for _pool in range(2):
        e.connect(WEB, DB, 5432, DAY1 - 4000, NOON2 + 8000 - DAY1, 92_000_000, 1_450_000_000)
    for hour in range(36):
        t = DAY1 + hour * HOUR + 240
        e.connect(
            WEB, S3[hour % 2], 443, t, 40, 28_000_000 + e.below(9_000_000), 60_000, service="S3"
        )
    for _ in range(140):  # IPv6 visitors, once the new flow log has the fields for them
        t = clock(4, 6) + e.below(6 * HOUR)
        client = f"2a02:c7f:{e.below(40):x}:{e.below(65535):x}::{1 + e.below(9)}"
        e.connect(client, WEB, 443, t, 1 + e.below(12), 1100, 4000 + e.below(50_000))


def infrastructure(e: Estate) -> None:
    """DNS, time, monitoring, administration by the office, and the nightly backup."""
    for host, every in ((WEB, 180), (BASTION, 240), (DB, 900)):
        for t in range(DAY1 + 7, NOON2, every):
            e.connect(host, RESOLVER, 53, t + e.below(20), 0, 74, 140, protocol=17)
        for n, t in enumerate(range(DAY1 + 100, NOON2, 1024)):
            if host is not DB:
                e.connect(host, NTP[n % 2], 123, t, 0, 76, 76, protocol=17)
        for t in range(DAY1 + 30, NOON2, 900):
            e.connect(BACKUP, host, 0, t, 3, 336, 336, protocol=1)
    for t in range(DAY1 + 50, NOON2, 420):
        e.connect(BASTION, API, 443, t + e.below(30), 2, 5200, 7800, service="EC2")
    for start, length in (
        (clock(3, 8, 5), 2600),
        (clock(3, 13, 40), 3900),
        (clock(4, 8, 12), 2900),
    ):
        e.connect(OFFICE, BASTION, 22, start, length, length * 420, length * 900)
        e.connect(BASTION, WEB, 22, start + 90, length - 300, length * 260, length * 500)
    for day in (3, 4):
        e.connect(DB, BACKUP, 873, clock(day, 2), 1500, 1_800_000_000, 22_000_000)
        e.connect(BASTION, "151.101.2.132", 80, clock(day, 6, 17), 25, 90_000, 46_000_000)


def background_noise(e: Estate) -> None:
    """What every public address sees: strangers that are refused, port 312 among them."""
    for host, every in ((WEB, 75), (BASTION, 130)):
        for t in range(DAY1, NOON2, every):
            head = (45, 89, 103, 141, 167, 193)[e.below(6)]
            source = f"{head}.{e.below(250)}.{e.below(250)}.{1 + e.below(250)}"
            port = NOISE_PORTS[e.below(len(NOISE_PORTS))]
            e.refuse(source, host, port, t + e.below(60), packets=1 + e.below(2))
    for n in range(260):  # a wave against port 312, by many sources that all knock three times
        source = f"{(103, 167, 45)[n % 3]}.{120 + n % 40}.{n * 3 % 250}.{1 + n * 17 % 250}"
        e.refuse(source, (WEB, BASTION)[n % 2], 312, clock(3, 10) + n * 331, packets=3)


def break_in(e: Estate) -> None:
    """Scan of the web server, SSH brute force against the bastion, its success, a download."""
    scanned = sorted({1 + e.below(1024) for _ in range(520)} | {22, 312, 8080, 8443} - {80, 443})
    for n, port in enumerate(scanned):
        e.refuse(SCANNER, WEB, port, clock(3, 9, 12) + n // 2, packets=1)
    for port in (80, 443):
        e.connect(SCANNER, WEB, port, clock(3, 9, 16), 1, 60, 44)
    for n in range(6):
        e.refuse(BRUTE_FORCER, BASTION, 22, clock(3, 19, 2) + n * 9, packets=3)
    t = clock(3, 19, 40)
    for _ in range(340):
        e.connect(
            BRUTE_FORCER, BASTION, 22, t, 2 + e.below(4), 1900 + e.below(700), 2600 + e.below(500)
        )
        t += 6 + e.below(4)
    e.connect(BRUTE_FORCER, BASTION, 22, clock(3, 20, 27), 1900, 2_600_000, 7_900_000)
    e.connect(BASTION, LISTED, 80, clock(3, 20, 31), 9, 21_000, 4_300_000)
    for n in range(9):
        e.refuse(
            LISTED, (WEB, BASTION)[n % 2], (22, 23, 3389)[n % 3], clock(3, 4) + n * 3100, packets=2
        )


def aftermath(e: Estate) -> None:
    """Beacon, sweep, copy of the database, Tor, exfiltration."""
    for t in range(clock(3, 21), NOON2 - 60, 300):
        e.connect(BASTION, BEACON, 443, t + e.below(9), 1, 1380 + e.below(40), 3050 + e.below(60))
    for n in range(1, 255):
        if n != 30:
            e.silent(BASTION, f"10.20.2.{n}", 445, clock(3, 23, 10) + n // 4)
    e.blocked(BASTION, DB, 445, clock(3, 23, 10) + 7)
    e.connect(BASTION, DB, 5432, clock(4, 1, 30), 2100, 31_000_000, 2_640_000_000)
    for n, relay in enumerate(TOR_RELAYS):
        e.connect(
            BASTION, relay, (9001, 443, 9001)[n], clock(4, 2, 10) + n * 7, 1700, 410_000, 2_900_000
        )
    e.connect(BASTION, DROP, 443, clock(4, 3, 5), 2700, 2_710_000_000, 34_000_000)
    for n in range(30):
        e.connect(TOR_EXIT, WEB, 443, clock(4, 4, 20) + n * 41, 2, 1400, 9000 + e.below(9000))
    for n in range(4):
        e.refuse(TOR_EXIT, WEB, 22, clock(4, 4, 40) + n * 60, packets=2)


def make(folder: Path) -> None:
    """Write all sample logs below `folder`."""
    e = Estate(seed=312)
    web_traffic(e)
    infrastructure(e)
    background_noise(e)
    break_in(e)
    aftermath(e)
    # The web server's capture lost records while the exfiltration ran, the database's once.
    e.skip(WEB, clock(4, 3, 10), 5)
    e.skip(DB, clock(3, 14, 20), 1)
    write_all(
        e,
        folder,
        feeds={
            "sample-blocklist.txt": ("Addresses that the sample story calls listed", [LISTED]),
            "sample-tor.txt": ("Tor relays and exit of the sample story", [*TOR_RELAYS, TOR_EXIT]),
        },
    )


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
