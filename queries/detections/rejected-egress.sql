/* flowscan
id = "rejected-egress"
title = "One of our hosts knocks in vain at an outside address"
description = """
A host keeps calling an outside address that refuses, resets or does not answer, or that our own
rules refuse: malware whose controller is gone behaves like this."""
type = "Behavior:EC2/RejectedEgress"
severity = 3.0
role = "ACTOR"
direction = "outbound"
attack = ["TA0011:T1008"]
improves = ["tcp_flags"]
reduced = """
without tcp-flags a refused handshake is told from an answered one by packet and byte counts only"""
when = """
client_side = 'ours' AND server_side = 'public' AND protocol IN (6, 17) AND failed >= $min_failed
AND failed * 10 >= sessions * 6"""
summary = """
{resource} tried {actor} port {port} {failed:times} in vain ({refused:count} refused by our rules,
{silent:count} without answer)."""
false_positives = "Software that reports to a server which is gone; blocked telemetry."
triage = """
Which process knocks? If the address was ever a controller, a feed may say so (flowscan lookup)."""
references = ["https://attack.mitre.org/techniques/T1008/"]
[params.min_failed]
type = "integer"
help = "least failed attempts in a day"
[params.persistent]
type = "integer"
help = "attempts from which on it is medium"
*/
SELECT c.day, c.client AS resource,
  concat(c.server, ':', CAST(c.port AS VARCHAR), '/', CAST(c.protocol AS VARCHAR)) AS dedup,
  c.server AS actor, c.first_seen, c.last_seen, c.sessions AS flows,
  c.packets AS packets, c.bytes AS bytes,
  CASE
    WHEN p.kind IS NOT NULL OR c.protocol <> 6 OR c.port IN /*$ports.web_and_smtp*/ (25, 80, 443)
    THEN 2.0
    WHEN c.failed >= /*$persistent*/ 50 AND c.last_seen - c.first_seen >= 600 THEN 4.5
    ELSE 3.0
  END AS severity,
  c.port, c.protocol, c.failed, c.refused, c.silent, c.open, p.kind AS known_as
FROM contacts c
LEFT JOIN places p ON p.address = c.server
WHERE c.day >= /*$since*/ 0 AND c.day < /*$until*/ 4102444800
  AND c.client_side = 'ours' AND c.server_side = 'public'
  AND (c.protocol = 6 OR (c.protocol = 17 AND c.port NOT IN /*$ports.udp_unanswered*/ (53, 123, 443,
    3478, 5353)
    AND c.refused > 0))
  AND c.failed >= /*$min_failed*/ 20 AND c.failed * 10 >= c.sessions * 6
