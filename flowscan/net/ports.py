"""Lists of ports, each named once: what SQL and Python mean by a kind of port.

A frozenset is a list, a `Span` the ports from one to another, an int a bound. Query files name them
by `/*$ports.name*/` (see net.sql). Invariant: a list says what its ports have in common, never what
a detection makes of them; where two would say the same, they are one.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

Ports: TypeAlias = frozenset[int]


class Span(NamedTuple):
    """The ports from `first` to `last`, both included."""

    first: int
    last: int


# Ranges of numbers

WELL_KNOWN: Final = Span(1, 1023)
"""IANA's system ports (RFC 6335). Clients rarely call from one; what does is told by more."""
FIRST_USER: Final = 1024
"""The least port that a program without rights may listen on."""
FIRST_DYNAMIC: Final = 32768
"""The least port that Linux gives to clients. IANA's dynamic ports (RFC 6335) begin at 49152."""

# Services

WEB: Final[Ports] = frozenset({80, 443})
WEB_POLLED: Final[Ports] = WEB | {8443}
"""Web ports, on which each call costs the server a certificate."""
WEB_CLEAR: Final[Ports] = frozenset({80, 8080})
DNS_AND_WEB: Final[Ports] = WEB | {53}
"""What every host asks of many others."""
SMTP: Final[Ports] = frozenset({25, 465, 587})
"""Ports on which mail is handed in."""
WEB_AND_SMTP: Final[Ports] = WEB | {25}
MAILBOXES: Final[Ports] = frozenset({110, 143, 993, 995})
MAIL_LOGINS: Final[Ports] = MAILBOXES | {465, 587}
WINRM: Final[Ports] = frozenset({5985, 5986})
ELASTICSEARCH: Final[Ports] = frozenset({9200, 9300})
HADOOP: Final[Ports] = frozenset({8042, 8088, 9870, 18080, 19888, 50070})
"""Consoles of Hadoop and EMR: YARN, HDFS, Spark, job history."""

SSH_ODD: Final[Ports] = frozenset({222, 2022, 2200, 2222, 8022, 10022, 22222})
"""Where SSH is moved to."""
SHELLS_ODD: Final[Ports] = SSH_ODD | {23, 3389}
"""Remote control besides SSH's own port: odd SSH, Telnet, RDP."""
LOGINS: Final[Ports] = SSH_ODD | {21, 23, 2323, 5555, 5900, 5901, 5938, 8291}
"""FTP, Telnet, ADB, VNC, TeamViewer, Winbox, odd SSH: a password and little else is sent first."""
DATA_LOGINS: Final[Ports] = frozenset({389, 445, 636, 1433, 1521, 3306, 5432, 6379, 27017})
"""Directories, shares and databases that ask for a password."""
KNOWN_LOGINS: Final[Ports] = LOGINS | DATA_LOGINS | MAIL_LOGINS

ADMIN: Final[Ports] = frozenset({22, 23, 135, 139, 445, 3389, 5900}) | WINRM
"""What administrators, and those who move from host to host, use: shells, RPC, shares, desktops."""
SWEPT: Final[Ports] = frozenset({22, 23, 445, 1433, 2222, 2323, 3306, 3389, 5555, 5900, 6379})
"""What worms and botnets look for all over the internet."""
CONTROL_AND_DATA: Final[Ports] = (
    frozenset({21, 22, 23, 445, 1433, 2222, 3306, 3389, 5432, 5900, 6379, 9200, 27017}) | WINRM
)
"""Behind these stands a whole host or what it stores."""
SENSITIVE: Final[Ports] = frozenset(
    {
        *(21, 22, 23, 111, 135, 137, 139, 161, 389, 445, 512, 513, 514, 873, 1433, 1521, 2049),
        *(2375, 2376, 2379, 3306, 3389, 5432, 5439, 5601, 5900, 5984, 5985, 5986, 6379, 6443),
        *(7001, 8088, 9042, 9092, 9200, 9300, 10250, 11211, 27017),
    }
)
"""What should not face the internet: remote control, file shares, databases, caches. TCP and UDP
alike."""
CLEARTEXT: Final[Ports] = frozenset({21, 23, 110, 143, 389, 512, 513, 514, 2323, 5900})
"""TCP services that send passwords in clear text."""
CLEARTEXT_UDP: Final[Ports] = frozenset({69, 161})
TCP_ONLY: Final[Ports] = frozenset(
    {
        *(20, 21, 22, 23, 25, 80, 110, 143, 445, 465, 587, 993, 995, 1433, 3306, 3389, 5432),
        *(8080, 8443),
    }
)
"""Ports on which nobody speaks UDP."""

SHOWN: Final[Ports] = frozenset(
    {
        *(20, 21, 22, 23, 25, 53, 67, 68, 69, 80, 88, 110, 111, 123, 135, 137, 138, 139, 143, 161),
        *(179, 389, 443, 445, 465, 500, 514, 587, 636, 853, 873, 993, 995, 1194, 1433, 1521, 1883),
        *(2049, 2375, 2379, 3128, 3306, 3389, 4500, 5060, 5432, 5601, 5672, 5900, 5985, 5986),
        *(6379, 6443, 8080, 8443, 9042, 9092, 9200, 10250, 11211, 27017),
    }
)
"""The services that tables of traffic show by name."""

# What programs do by themselves

SERVED: Final[Ports] = frozenset(
    {
        *(7, 21, 22, 23, 25, 53, 67, 69, 80, 88, 110, 111, 123, 135, 137, 138, 139, 143, 161, 162),
        *(179, 389, 443, 445, 465, 500, 514, 515, 546, 547, 554, 587, 623, 631, 636, 853, 873),
        *(993, 995, 1080, 1194, 1433, 1434, 1521, 1701, 1723, 1812, 1883, 1900, 2049, 2181, 2222),
        *(2375, 2376, 2379, 2380, 3000, 3128, 3268, 3306, 3389, 3478, 4317, 4500, 5000, 5044),
        *(5060, 5061, 5353, 5432, 5601, 5671, 5672, 5683, 5900, 5985, 5986, 6379, 6443, 6514),
        *(6667, 8000, 8080, 8081, 8086, 8125, 8443, 8500, 8883, 8888, 9000, 9042, 9090, 9092),
        *(9093, 9100, 9200, 9300, 9443, 10250, 11211, 15672, 20048, 27017, 50051, 51820, 61616),
    }
)
"""Ports that are a service far more often than a client's, whatever their number. FTP's data port
20 is none: the server calls from it."""
USUAL_OUTWARD: Final[Ports] = frozenset({22, 25, 53, 80, 123, 443, 465, 587, 853, 993})
"""What hosts call on the internet without anybody wondering."""
UNTORLIKE: Final[Ports] = frozenset({22, 25, 53, 123})
"""Services that hosts of Tor relays also run, and on which no relay listens."""
UNTORLIKE_INWARD: Final[Ports] = frozenset({22, 25, 80})
"""Services that exit relays call on behalf of anybody."""
POLLED: Final[Ports] = frozenset(
    {
        *(22, 25, 110, 143, 161, 465, 514, 587, 636, 993, 995, 1883, 4505, 4506, 5044, 5666),
        *(6514, 8140, 8883, 9418, 10050, 10051, 24224),
    }
)
"""Mail, logs, monitoring, messages and configuration, whose clients poll."""
SMALL_TALK: Final[Ports] = MAIL_LOGINS | {
    *(389, 445, 636, 1883, 3000, 3128, 4433, 5000, 5044, 5060, 5061, 5222, 6443, 8001, 8081),
    *(8088, 8090, 8883, 9000, 9090, 9092, 9100, 9200, 10250),
}
"""Ports on which programs exchange small messages all the time."""
LASTING: Final[Ports] = frozenset(
    {
        *(22, 25, 80, 143, 179, 443, 465, 500, 514, 554, 587, 601, 853, 993, 995, 1194, 1433),
        *(1514, 1883, 1935, 3306, 3389, 3478, 3479, 3480, 3481, 4070, 4222, 4500, 4505, 4506),
        *(5044, 5060, 5061, 5222, 5223, 5228, 5229, 5230, 5269, 5432, 5671, 5672, 5938, 6514),
        *(6568, 8080, 8443, 8801, 8883, 9092, 9093, 9094, 9997, 10050, 10051, 22000, 24224),
        *(41641, 51820),
    }
)
"""Services whose connections last for hours: shells, mail, logs, queues, pushes, tunnels."""
GUESS_FREE: Final[Ports] = frozenset(
    {
        *(22, 25, 53, 80, 443, 853, 3389, 5985, 5986, 8000, 8080, 8443, 8888, 9443),
    }
)
"""Web, mail transfer and DNS, where short sessions are no logins; SSH, RDP and WinRM, whose logins
have detections of their own."""

# UDP services

LOOKUPS: Final[Ports] = frozenset({53, 123})
"""Names and time."""
UDP_ANSWERS: Final[Ports] = LOOKUPS | {443}
"""What answers our hosts over UDP: names, time, QUIC."""
UDP_UNANSWERED: Final[Ports] = UDP_ANSWERS | {3478, 5353}
"""What is often asked in vain: also STUN and mDNS."""
UDP_MANY: Final[Ports] = UDP_UNANSWERED | {137, 138, 1900}
"""What asks many hosts by design: also NetBIOS and SSDP."""
UDP_STEADY: Final[Ports] = LOOKUPS | {500, 3478, 4500, 5353}
"""What calls like clockwork by design: names, time, IPsec, STUN, mDNS."""
BITTORRENT: Final = Span(6881, 6889)
STEAM: Final = Span(27015, 27050)
TRACEROUTE: Final = Span(33434, 33534)
"""Ports that traceroute counts up."""
