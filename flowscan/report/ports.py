"""Ports by name, and which of them should not face the internet.

Sensitive are remote control, file shares, databases and caches: a judgement of the report.
"""

from __future__ import annotations

from typing import Final

SENSITIVE: Final[dict[int, str]] = {
    21: "ftp",
    22: "ssh",
    23: "telnet",
    111: "rpcbind",
    135: "msrpc",
    137: "netbios-ns",
    139: "netbios-ssn",
    161: "snmp",
    389: "ldap",
    445: "smb",
    512: "rexec",
    513: "rlogin",
    514: "rsh",
    873: "rsync",
    1433: "mssql",
    1521: "oracle",
    2049: "nfs",
    2375: "docker",
    2376: "docker-tls",
    2379: "etcd",
    3306: "mysql",
    3389: "rdp",
    5432: "postgresql",
    5439: "redshift",
    5601: "kibana",
    5900: "vnc",
    5984: "couchdb",
    5985: "winrm",
    5986: "winrm-tls",
    6379: "redis",
    6443: "kubernetes",
    7001: "weblogic",
    8088: "yarn",
    9042: "cassandra",
    9092: "kafka",
    9200: "elasticsearch",
    9300: "elasticsearch",
    10250: "kubelet",
    11211: "memcached",
    27017: "mongodb",
}
"""Port → name, of TCP and UDP alike."""

_COMMON: Final[dict[int, str]] = {
    25: "smtp",
    53: "dns",
    80: "http",
    110: "pop3",
    123: "ntp",
    143: "imap",
    443: "https",
    465: "smtps",
    587: "submission",
    853: "dns-tls",
    993: "imaps",
    1194: "openvpn",
    2222: "ssh-alt",
    2323: "telnet-alt",
    5060: "sip",
    8080: "http-alt",
    8443: "https-alt",
}
_PROTOCOLS: Final[dict[int, str]] = {
    1: "icmp",
    2: "igmp",
    6: "tcp",
    17: "udp",
    41: "ipv6",
    47: "gre",
    50: "esp",
    58: "icmpv6",
    132: "sctp",
}


def protocol_name(protocol: int) -> str:
    """Name of an IANA protocol number, or the number."""
    return _PROTOCOLS.get(protocol, str(protocol))


def service_name(protocol: int, port: int) -> str:
    """Name of a TCP or UDP port; empty for other protocols and ports without a name."""
    if protocol not in {6, 17}:
        return ""
    return SENSITIVE.get(port) or _COMMON.get(port, "")
