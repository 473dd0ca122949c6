/* flowscan
id = "unusual-doh"
title = "One of our hosts uses DNS over HTTPS for the first time"
description = "A host that never called a public resolver over HTTPS during its history begins to."
type = "DefenseEvasion:EC2/UnusualDoHActivity"
severity = 5.0
role = "ACTOR"
direction = "outbound"
attack = ["TA0011:T1071.004", "TA0011:T1572"]
when = """
client_side = 'ours' AND server_side = 'public' AND open > 0 AND port = 443"""
lookback = 14
summary = """
{resource} asked {actor} {flows:times} (port {port}), which it had not done in {days_known:day|days}
of history."""
false_positives = "New software that brings its own resolver; a changed DHCP option."
triage = "Is the resolver configured on purpose? Malware avoids the resolver that is watched."
references = ["https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-ec2.html"]
[params.days]
type = "integer"
help = "days of history"
[params.min_days]
type = "integer"
help = "least days of history of the host"
[params.min_sessions]
type = "integer"
help = "least sessions"
*/
WITH asked AS (
  SELECT c.day, c.client, c.server, c.port, c.protocol, c.sessions, c.open, c.packets_out, c.packets_in,
    c.bytes_out, c.bytes_in, c.first_seen, c.last_seen
  FROM contacts c
  LEFT JOIN places p ON p.address = c.server
  WHERE c.client_side = 'ours' AND c.server_side = 'public' AND c.open > 0 AND c.port = 443 AND p.kind = 'resolver'
),
past AS (
  SELECT d.day, d.client, count(DISTINCT h.day) AS days
  FROM (SELECT DISTINCT day, client FROM asked
    WHERE day >= /*$since*/ 0 AND day < /*$until*/ 4102444800) d
  JOIN contacts h ON h.client = d.client AND h.day < d.day
    AND h.day >= d.day - 86400 * /*$days*/ 14
  GROUP BY 1, 2
)
SELECT a.day, a.client AS resource, a.server AS dedup, a.server AS actor,
  min(a.first_seen) AS first_seen, max(a.last_seen) AS last_seen, sum(a.sessions) AS flows,
  sum(a.packets_out + a.packets_in) AS packets, sum(a.bytes_out + a.bytes_in) AS bytes,
  min(a.port) AS port, min(a.protocol) AS protocol, max(p.days) AS days_known
FROM asked a
JOIN past p ON p.day = a.day AND p.client = a.client
WHERE a.day >= /*$since*/ 0 AND a.day < /*$until*/ 4102444800
  AND p.days >= /*$min_days*/ 3
  AND NOT EXISTS (
    SELECT 1 FROM asked h WHERE h.client = a.client AND h.day < a.day
      AND h.day >= a.day - 86400 * /*$days*/ 14)
GROUP BY a.day, a.client, a.server
HAVING sum(a.sessions) >= /*$min_sessions*/ 5
