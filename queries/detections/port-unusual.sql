/* flowscan
id = "port-unusual"
title = "One of our hosts uses a port that none of ours used before"
description = """
A host with a week of history calls an outside address on a port that no host of the estate used
during the last two weeks."""
type = "Behavior:EC2/NetworkPortUnusual"
severity = 4.5
role = "ACTOR"
direction = "outbound"
attack = ["TA0011:T1571"]
when = """
client_side = 'ours' AND server_side = 'public' AND open > 0 AND protocol IN (6, 17) AND port NOT
IN $ports.usual_outward AND port < $ports.first_dynamic AND (sessions >= $min_sessions OR
bytes_out + bytes_in >= 100000)"""
lookback = 14
summary = """
{resource} called {actor}{others} on port {port}, which no host of ours had used in
{days_known:day|days}."""
false_positives = "New software."
triage = "Which process opened it, and since when is it installed?"
references = [
  "https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-ec2.html",
  "https://attack.mitre.org/techniques/T1571/",
]
[params.days]
type = "integer"
help = "days of history"
[params.min_days]
type = "integer"
help = "least days of history of the host"
[params.min_sessions]
type = "integer"
help = "least sessions, unless 100 kB went over"
*/
WITH used AS (
  SELECT day, client, port, protocol, server, sessions, packets_out, packets_in, bytes_out, bytes_in,
    first_seen, last_seen
  FROM contacts
  WHERE client_side = 'ours' AND server_side = 'public' AND open > 0 AND protocol IN (6, 17)
    AND port NOT IN /*$ports.usual_outward*/ (22, 25, 53, 80, 123, 443, 465, 587, 853, 993)
),
fresh AS (
  SELECT u.*
  FROM used u
  WHERE u.day >= /*$since*/ 0 AND u.day < /*$until*/ 4102444800
    AND u.port < /*$ports.first_dynamic*/ 32768
    AND (u.sessions >= /*$min_sessions*/ 3 OR u.bytes_out + u.bytes_in >= 100000)
    AND NOT EXISTS (
      SELECT 1 FROM used h WHERE h.port = u.port AND h.protocol = u.protocol
        AND h.day < u.day AND h.day >= u.day - 86400 * /*$days*/ 14)
),
past AS (
  SELECT d.day, d.client, count(DISTINCT h.day) AS days
  FROM (SELECT DISTINCT day, client FROM fresh) d
  JOIN contacts h ON h.client = d.client AND h.day < d.day
    AND h.day >= d.day - 86400 * /*$days*/ 14
  GROUP BY 1, 2
)
SELECT u.day, u.client AS resource, concat(CAST(u.port AS VARCHAR), '/', CAST(u.protocol AS VARCHAR)) AS dedup,
  u.server AS actor, u.first_seen, u.last_seen, u.sessions AS flows,
  u.packets_out + u.packets_in AS packets, u.bytes_out + u.bytes_in AS bytes,
  u.port, u.protocol, p.days AS days_known
FROM fresh u
JOIN past p ON p.day = u.day AND p.client = u.client
WHERE p.days >= /*$min_days*/ 7
