/* flowscan
id = "cleartext-admin"
title = "Administration in clear text over the internet"
description = """
Telnet, FTP, POP3, IMAP, LDAP, rsh, VNC, TFTP or SNMP without encryption between us and the
internet: passwords can be read on the way."""
type = "Policy:EC2/CleartextAdmin"
severity = 3.0
role = "TARGET"
direction = "unknown"
attack = ["TA0006:T1040"]
when = """
client_side <> 'other' AND server_side <> 'other' AND (client_side = 'public' OR server_side =
'public') AND ((protocol = 6 AND port IN $ports.cleartext) OR (protocol = 17 AND port IN
$ports.cleartext_udp)) AND open > 0 AND packets_in > 4 * sessions"""
summary = "{resource} and {actor}{others} talk over port {port} in clear text."
false_positives = "Public FTP mirrors; services that upgrade to TLS on the same port."
triage = "Move to the encrypted form of the protocol or close the port."
references = ["https://attack.mitre.org/techniques/T1040/"]
*/
SELECT day, CASE WHEN server_side = 'ours' THEN server ELSE client END AS resource,
  concat(CASE WHEN server_side = 'ours' THEN 'in ' ELSE 'out ' END, CAST(port AS VARCHAR)) AS dedup,
  CASE WHEN server_side = 'ours' THEN client ELSE server END AS actor,
  min(first_seen) AS first_seen, max(last_seen) AS last_seen, sum(open) AS flows,
  sum(packets) AS packets, sum(bytes) AS bytes,
  CASE WHEN server_side = 'ours' THEN 'TARGET' ELSE 'ACTOR' END AS role,
  port, min(protocol) AS protocol, max(server_side) AS server_side
FROM contacts
WHERE day >= /*$since*/ 0 AND day < /*$until*/ 4102444800
  AND open > 0 AND (client_side = 'public' OR server_side = 'public')
  AND client_side <> 'other' AND server_side <> 'other'
  AND ((protocol = 6 AND port IN /*$ports.cleartext*/ (21, 23, 110, 143, 389, 512, 513, 514, 2323,
    5900))
    OR (protocol = 17 AND port IN /*$ports.cleartext_udp*/ (69, 161)))
  AND packets_in > 4 * sessions
GROUP BY day, client_side, server_side, client, server, port
