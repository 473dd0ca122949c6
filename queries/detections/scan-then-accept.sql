/* flowscan
id = "scan-then-accept"
title = "A scanner found something"
description = """
A stranger scans our addresses and then holds a session with real work in it on a port that
answered."""
type = "Recon:EC2/ScanThenAccept"
severity = 5.0
role = "TARGET"
direction = "inbound"
attack = ["TA0043:T1595", "TA0001:T1190"]
improves = ["tcp_flags"]
reduced = """
without tcp-flags a refused handshake is told from an answered one by packet and byte counts only"""
when = """
client_side = 'public' AND server_side = 'ours' AND protocol = 6 AND open > 0 AND packets_out >=
$min_packets AND packets_in >= 20"""
summary = """
{actor} failed on {failed_targets:target|targets} and then worked with port {port} of {resource}, at most
{seconds:duration} at a time."""
false_positives = "A hired penetration test; a search engine that also probes ports."
triage = "Look at the service on that port and its log at that time."
references = ["https://attack.mitre.org/techniques/T1190/"]
[params.min_targets]
type = "integer"
help = "least failed targets that make the stranger a scanner"
[params.min_packets]
type = "integer"
help = "least packets of the session that counts as work"
*/
WITH scanners AS (
  SELECT day, client,
    sum(CASE WHEN failed > 0 AND open = 0 THEN 1 ELSE 0 END) AS failed_targets,
    min(CASE WHEN failed > 0 AND open = 0 THEN first_seen END) AS began
  FROM contacts
  WHERE day >= /*$since*/ 0 AND day < /*$until*/ 4102444800
    AND client_side = 'public' AND server_side = 'ours'
  GROUP BY 1, 2
  HAVING sum(CASE WHEN failed > 0 AND open = 0 THEN 1 ELSE 0 END) >= /*$min_targets*/ 10
)
SELECT c.day, c.server AS resource, CAST(c.port AS VARCHAR) AS dedup, c.client AS actor,
  min(s.first_seen) AS first_seen, max(s.last_seen) AS last_seen, count(*) AS flows,
  sum(s.packets_out + s.packets_in) AS packets, sum(s.bytes_out + s.bytes_in) AS bytes,
  CASE WHEN c.port IN /*$ports.web*/ (80, 443) THEN 3.0 ELSE 5.0 END AS severity,
  c.port, c.protocol, max(x.failed_targets) AS failed_targets,
  max(s.last_seen - s.first_seen) AS seconds
FROM scanners x
JOIN contacts c ON c.day = x.day AND c.client = x.client AND c.server_side = 'ours'
  AND c.open > 0 AND c.protocol = 6
JOIN sessions s ON s.client = c.client AND s.server = c.server AND s.server_port = c.port
  AND s.protocol = 6 AND s.first_seen >= x.began AND s.first_seen < c.day + 86400
WHERE s.packets_out >= /*$min_packets*/ 20 AND s.packets_in >= 20 AND s.first_seen >= c.day
GROUP BY c.day, c.server, c.client, c.port, c.protocol
