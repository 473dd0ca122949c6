/* flowscan
id = "lateral-movement"
title = "One of our hosts logs in to many others for the first time"
description = """
A host opens administrative sessions (SSH, RDP, SMB, WinRM, VNC, Telnet) to several private
addresses that it never called before. Without three days of history it stays at low."""
type = "Lateral:EC2/AdminFanOut"
severity = 5.0
role = "ACTOR"
direction = "internal"
attack = ["TA0008:T1021"]
improves = ["tcp_flags"]
reduced = "without tcp-flags the side that called is inferred from ports and sizes"
when = """
client_side = 'ours' AND server_side = 'ours' AND client <> server AND protocol = 6 AND port IN
$ports.admin """
lookback = 14
summary = """
{resource} reached {reached:host|hosts} on administrative ports that it had not called in {days_known:day|days}
of history."""
false_positives = "New deployment servers, vulnerability scanners, the first run of an automation."
triage = "Who works from this host? Compare with changes at that time."
references = ["https://attack.mitre.org/techniques/T1021/"]
[params.days]
type = "integer"
help = "days of history that tell a new peer"
[params.min_hosts]
type = "integer"
help = "least new hosts that were reached"
*/
WITH admin AS (
  SELECT day, client, server, port, sessions, open, empty, failed, packets_out, packets_in,
    bytes_out, bytes_in, first_seen, last_seen
  FROM contacts
  WHERE client_side = 'ours' AND server_side = 'ours' AND client <> server AND protocol = 6
    AND port IN /*$ports.admin*/ (22, 23, 135, 139, 445, 3389, 5900, 5985, 5986)
),
fresh AS (
  SELECT a.*
  FROM admin a
  WHERE a.day >= /*$since*/ 0 AND a.day < /*$until*/ 4102444800
    AND NOT EXISTS (
      SELECT 1 FROM admin h WHERE h.client = a.client AND h.server = a.server
        AND h.day < a.day AND h.day >= a.day - 86400 * /*$days*/ 14)
),
moving AS (
  SELECT day, client, count(DISTINCT server) AS hosts, count(DISTINCT port) AS ports_used,
    count(DISTINCT CASE WHEN open > 0 THEN server END) AS reached,
    count(DISTINCT CASE WHEN open = 0 THEN server END) AS failed_hosts
  FROM fresh
  GROUP BY 1, 2
  HAVING count(DISTINCT CASE WHEN open > 0 THEN server END) >= /*$min_hosts*/ 5
),
past AS (
  SELECT m.day, m.client, count(DISTINCT h.day) AS days
  FROM moving m
  JOIN contacts h ON h.client = m.client AND h.day < m.day
    AND h.day >= m.day - 86400 * /*$days*/ 14
  GROUP BY 1, 2
)
SELECT f.day, f.client AS resource, 'admin' AS dedup, f.server AS actor,
  min(f.first_seen) AS first_seen, max(f.last_seen) AS last_seen, sum(f.sessions) AS flows,
  sum(f.packets_out + f.packets_in) AS packets, sum(f.bytes_out + f.bytes_in) AS bytes,
  CASE WHEN max(p.days) >= 3 THEN 5.0 ELSE 2.0 END AS severity,
  min(f.port) AS port, max(m.hosts) AS hosts, max(m.reached) AS reached,
  max(m.failed_hosts) AS failed_hosts, COALESCE(max(p.days), 0) AS days_known
FROM fresh f
JOIN moving m ON m.day = f.day AND m.client = f.client
LEFT JOIN past p ON p.day = m.day AND p.client = m.client
GROUP BY f.day, f.client, f.server
