/* flowscan
id = "unused-open-port"
title = "A port is open to the world and nothing listens"
description = """
Packets of strangers reach a port of a host, which answers with resets: the security group lets
through what nobody needs."""
type = "Policy:EC2/UnusedOpenPort"
severity = 1.0
role = "TARGET"
direction = "inbound"
attack = ["TA0043:T1595.001"]
improves = ["tcp_flags"]
reduced = """
without tcp-flags a refused handshake is told from an answered one by packet and byte counts only"""
when = """
client_side = 'public' AND server_side = 'ours' AND protocol = 6 AND closed > 0 AND open + empty
+ refused = 0"""
summary = "Port {port} of {resource} lets {strangers:stranger|strangers} through and nothing listens."
false_positives = "A service that is down for the day."
triage = "Close the port in the security group."
references = ["https://attack.mitre.org/techniques/T1595/001/"]
[params.min_strangers]
type = "integer"
help = "least strangers that reached the closed port"
*/
SELECT day, server AS resource, concat(CAST(port AS VARCHAR), '/', CAST(protocol AS VARCHAR)) AS dedup,
  client AS actor, first_seen, last_seen, sessions AS flows, packets_out + packets_in AS packets,
  bytes_out + bytes_in AS bytes, port, protocol, strangers
FROM (
  SELECT c.*,
    sum(CASE WHEN open + empty > 0 THEN 1 ELSE 0 END) OVER (
      PARTITION BY day, server, port, protocol) AS used,
    sum(CASE WHEN refused > 0 THEN 1 ELSE 0 END) OVER (
      PARTITION BY day, server, port, protocol) AS blocked,
    sum(CASE WHEN closed > 0 AND client_side = 'public' THEN 1 ELSE 0 END) OVER (
      PARTITION BY day, server, port, protocol) AS strangers
  FROM contacts c
  WHERE day >= /*$since*/ 0 AND day < /*$until*/ 4102444800
    AND server_side = 'ours' AND protocol = 6
) x
WHERE used = 0 AND blocked = 0 AND strangers >= /*$min_strangers*/ 3 AND closed > 0
  AND client_side = 'public'
