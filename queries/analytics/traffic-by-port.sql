/* flowscan
id = "traffic-by-port"
title = "Which services are used"
description = "Accepted bytes per port of the side that was called, with the usual name of the service, each packet once; refusals apart: records and bytes."
[params.top]
type = "integer"
help = "rows to show"
*/
WITH ports (port, service) AS (
    VALUES
        /*$names.shown*/
        (20, 'ftp-data'), (21, 'ftp'), (22, 'ssh'), (23, 'telnet'), (25, 'smtp'), (53, 'dns'),
        (67, 'dhcp-server'), (68, 'dhcp-client'), (69, 'tftp'), (80, 'http'), (88, 'kerberos'),
        (110, 'pop3'), (111, 'rpcbind'), (123, 'ntp'), (135, 'msrpc'), (137, 'netbios-ns'),
        (138, 'netbios-dgm'), (139, 'netbios-ssn'), (143, 'imap'), (161, 'snmp'), (179, 'bgp'),
        (389, 'ldap'), (443, 'https'), (445, 'smb'), (465, 'smtps'), (500, 'isakmp'),
        (514, 'syslog'), (587, 'submission'), (636, 'ldaps'), (853, 'dns-over-tls'), (873, 'rsync'),
        (993, 'imaps'), (995, 'pop3s'), (1194, 'openvpn'), (1433, 'ms-sql'), (1521, 'oracle'),
        (1883, 'mqtt'), (2049, 'nfs'), (2375, 'docker'), (2379, 'etcd'), (3128, 'squid'),
        (3306, 'mysql'), (3389, 'rdp'), (4500, 'ipsec-nat-t'), (5060, 'sip'), (5432, 'postgresql'),
        (5601, 'kibana'), (5672, 'amqp'), (5900, 'vnc'), (5985, 'winrm'), (5986, 'winrm-tls'),
        (6379, 'redis'), (6443, 'kubernetes'), (8080, 'http-proxy'), (8443, 'https-alt'),
        (9042, 'cassandra'), (9092, 'kafka'), (9200, 'elasticsearch'), (10250, 'kubelet'),
        (11211, 'memcached'), (27017, 'mongodb')
)
SELECT
    v.port,
    v.protocol,
    COALESCE(ports.service, '') AS service,
    SUM(v.bytes_out + v.bytes_in) AS bytes,
    SUM(v.packets_out + v.packets_in) AS packets,
    SUM(v.sessions) AS sessions,
    SUM(v.rejected) AS rejected,
    SUM(v.refused_bytes) AS refused_bytes
FROM volumes AS v
LEFT JOIN ports ON ports.port = v.port
WHERE v.protocol IN (6, 17, 132)
  AND hour > /*$since*/ 0 - 3600 AND hour < /*$until*/ 4102444800
GROUP BY v.port, v.protocol, ports.service
ORDER BY bytes DESC, port, protocol
LIMIT /*$top*/ 20
