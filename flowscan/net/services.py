"""Port → service name and protocol number → name: facts of the IANA registries, compact.

Source: IANA "Service Name and Transport Protocol Port Number Registry" and "Assigned Internet
Protocol Numbers" (2026-01), names in lower case, plus the de-facto ports of software that never
registered one. Invariant: an unknown port has no name; nothing is guessed.
"""

from __future__ import annotations

from typing import Final

TCP: Final = 6
UDP: Final = 17
WITH_PORTS: Final = frozenset({TCP, UDP, 33, 132})
"""Protocols whose flows have ports: TCP, UDP, DCCP, SCTP."""

_BOTH: Final = """
7 echo; 9 discard; 13 daytime; 17 qotd; 19 chargen; 37 time; 53 dns; 69 tftp; 80 http; 88 kerberos;
111 rpcbind; 123 ntp; 135 msrpc; 137 netbios-ns; 138 netbios-dgm; 139 netbios-ssn; 161 snmp;
162 snmptrap; 177 xdmcp; 389 ldap; 427 svrloc; 443 https; 445 smb; 464 kpasswd; 500 isakmp;
514 syslog; 520 rip; 546 dhcpv6-client; 547 dhcpv6-server; 623 ipmi; 636 ldaps; 853 dns-over-tls;
1194 openvpn; 1434 ms-sql-monitor; 1701 l2tp; 1812 radius; 1813 radius-acct; 1900 ssdp; 2049 nfs;
3268 global-catalog; 3269 global-catalog-tls; 3389 rdp; 3478 stun; 4500 ipsec-nat-t; 4789 vxlan;
5060 sip; 5061 sips; 5353 mdns; 5355 llmnr; 5683 coap; 6081 geneve; 8472 vxlan-linux;
11211 memcached; 51820 wireguard
"""
_TCP: Final = """
20 ftp-data; 21 ftp; 22 ssh; 23 telnet; 25 smtp; 43 whois; 70 gopher; 79 finger; 81 http-alt;
110 pop3; 113 ident; 119 nntp; 143 imap; 179 bgp; 194 irc; 465 smtps; 502 modbus; 512 rexec;
513 rlogin; 515 printer; 543 klogin; 548 afp; 554 rtsp; 587 submission; 593 rpc-over-http;
631 ipp; 646 ldp; 873 rsync; 902 vmware; 989 ftps-data; 990 ftps; 993 imaps; 995 pop3s;
1080 socks; 1099 java-rmi; 1352 lotus-notes; 1433 ms-sql; 1521 oracle; 1723 pptp; 1883 mqtt;
2022 ssh-alt; 2181 zookeeper; 2222 ssh-alt; 2323 telnet-alt; 2375 docker; 2376 docker-tls;
2379 etcd; 2380 etcd-peer; 3000 http-dev; 3128 squid; 3260 iscsi; 3306 mysql; 3333 mining-stratum;
3690 svn; 4242 ssh-alt; 4369 epmd; 4444 metasploit; 4505 salt; 4506 salt; 4848 glassfish;
5000 http-dev; 5222 xmpp; 5269 xmpp-server; 5432 postgresql; 5439 redshift; 5555 adb; 5601 kibana;
5671 amqps; 5672 amqp; 5800 vnc-http; 5900 vnc; 5901 vnc; 5938 teamviewer; 5984 couchdb;
5985 winrm; 5986 winrm-tls; 6000 x11; 6379 redis; 6443 kubernetes; 6660 irc; 6667 irc; 6697 ircs;
7001 weblogic; 7077 spark; 7474 neo4j; 7547 cwmp; 8000 http-alt; 8008 http-alt; 8009 ajp;
8020 hdfs; 8080 http-proxy; 8081 http-alt; 8086 influxdb; 8088 yarn; 8089 splunk;
8123 clickhouse-http; 8181 http-alt; 8200 vault; 8291 winbox; 8333 bitcoin; 8443 https-alt;
8500 consul; 8530 wsus; 8545 ethereum-rpc; 8883 mqtts; 8888 http-alt; 9000 clickhouse;
9001 tor-or; 9030 tor-dir; 9042 cassandra; 9050 tor-socks; 9090 prometheus; 9092 kafka;
9100 jetdirect; 9160 cassandra-thrift; 9200 elasticsearch; 9300 elasticsearch-nodes;
9418 git; 9443 https-alt; 9999 abyss; 10000 webmin; 10050 zabbix-agent; 10051 zabbix;
10250 kubelet; 10255 kubelet-read; 11434 ollama; 14444 mining-stratum; 15672 rabbitmq-admin;
16379 redis-cluster; 18080 monero; 25565 minecraft; 27017 mongodb; 27018 mongodb; 30303 ethereum;
50070 hdfs-web; 61616 activemq
"""
_UDP: Final = """
67 dhcp-server; 68 dhcp-client; 1645 radius; 1646 radius-acct; 2152 gtp-u; 3702 ws-discovery;
6881 bittorrent; 8125 statsd; 10001 ubnt-discovery; 17185 vxworks; 27015 steam; 33434 traceroute;
37810 dahua-dvr
"""

_PROTOCOLS: Final = """
0 hopopt; 1 icmp; 2 igmp; 3 ggp; 4 ipv4; 5 st; 6 tcp; 8 egp; 9 igp; 12 pup; 17 udp; 27 rdp;
33 dccp; 41 ipv6; 43 ipv6-route; 44 ipv6-frag; 46 rsvp; 47 gre; 50 esp; 51 ah; 57 skip;
58 ipv6-icmp; 59 ipv6-nonxt; 60 ipv6-opts; 88 eigrp; 89 ospf; 94 ipip; 97 etherip; 98 encap;
103 pim; 108 ipcomp; 112 vrrp; 115 l2tp; 118 stp; 121 smp; 132 sctp; 133 fc; 135 mobility;
136 udplite; 137 mpls-in-ip; 139 hip; 140 shim6; 143 ethernet; 253 experiment-1; 254 experiment-2
"""


def _table(text: str) -> dict[int, str]:
    pairs = (item.split() for item in text.split(";"))
    return {int(number): name for number, name in pairs}


PROTOCOLS: Final = _table(_PROTOCOLS)
_SERVICES: Final = {
    TCP: _table(_BOTH) | _table(_TCP),
    UDP: _table(_BOTH) | _table(_UDP),
}


def protocol_name(number: int | None) -> str:
    """Name of an IANA protocol number, the number itself where it has none."""
    return "" if number is None else PROTOCOLS.get(number, str(number))


def service_name(port: int | None, protocol: int | None = TCP) -> str | None:
    """Name of the service that has this port, or None when there is none."""
    if port is None or protocol is None:
        return None
    return _SERVICES.get(protocol, {}).get(port)


def port_label(port: int | None, protocol: int | None) -> str:
    """Text for people: `443/tcp https`, `icmp`, `40000/udp`."""
    if port is None or protocol not in WITH_PORTS:
        return protocol_name(protocol)
    name = service_name(port, protocol)
    return f"{port}/{protocol_name(protocol)}" + (f" {name}" if name else "")
