/* flowscan
id = "portscan"
title = "One of our hosts scans the ports of another"
description = """
One of our hosts tries many ports of one address within a day, and most of them refuse, reset or
stay silent."""
type = "Recon:EC2/Portscan"
severity = 5.0
role = "ACTOR"
direction = "outbound"
attack = ["TA0007:T1046"]
improves = ["tcp_flags"]
reduced = """
without tcp-flags a refused handshake is told from an answered one by packet and byte counts only"""
when = """
client_side = 'ours' AND server_side <> 'other' AND open = 0 AND failed + empty > 0 AND protocol
IN (6, 17)"""
summary = """
{resource} tried {ports_tried:port|ports} of {actor}{others} between {lowest_port} and {highest_port};
{answered:count} answered."""
false_positives = """
Vulnerability scanners and monitoring that discovers services; add them to the suppressions."""
triage = "Find the process on the host; check what it reached on the ports that answered."
references = [
  "https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-ec2.html",
  "https://attack.mitre.org/techniques/T1046/",
]
[params.min_ports]
type = "integer"
help = "least TCP ports of one host that failed"
[params.min_udp_ports]
type = "integer"
help = "least UDP ports of one host that stayed silent"
*/
SELECT day, client AS resource, 'ports' AS dedup, server AS actor,
  min(first_seen) AS first_seen, max(last_seen) AS last_seen,
  sum(sessions) AS flows, sum(packets) AS packets,
  sum(bytes) AS bytes,
  CASE WHEN max(server_side) = 'public' THEN 6.0 ELSE 5.0 END AS severity,
  sum(CASE WHEN open = 0 THEN 1 ELSE 0 END) AS ports_tried,
  sum(CASE WHEN open + empty > 0 THEN 1 ELSE 0 END) AS answered,
  min(port) AS lowest_port, max(port) AS highest_port, min(protocol) AS protocol
FROM contacts
WHERE day >= /*$since*/ 0 AND day < /*$until*/ 4102444800
  AND client_side = 'ours' AND server_side <> 'other'
  AND (protocol = 6 OR (protocol = 17 AND port NOT BETWEEN /*$ports.traceroute*/ 33434 AND 33534))
  AND failed + empty + open > 0
GROUP BY day, client, server
HAVING (sum(CASE WHEN protocol = 6 AND failed + empty > 0 AND open = 0 THEN 1 ELSE 0 END)
    >= /*$min_ports*/ 25
  OR sum(CASE WHEN protocol = 17 AND failed > 0 AND open = 0 THEN 1 ELSE 0 END)
    >= /*$min_udp_ports*/ 100)
  AND sum(CASE WHEN failed + empty > 0 AND open = 0 THEN 1 ELSE 0 END) * 2 >= count(*)
