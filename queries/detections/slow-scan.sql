/* flowscan
id = "slow-scan"
title = "A scan spread over days"
description = """
Some new failed targets every day, too few on each day to be noticed, add up over a week."""
type = "Recon:EC2/SlowScan"
severity = 2.5
role = "TARGET"
direction = "unknown"
attack = ["TA0043:T1595.001", "TA0007:T1046"]
improves = ["tcp_flags"]
reduced = """
without tcp-flags a refused handshake is told from an answered one by packet and byte counts only"""
lookback = 7
summary = """
Over {days:day|days} {targets:target|targets} were tried ({hosts:host|hosts}, {ports_tried:port|ports}),
{answered:count} answered; seen from {resource}, the other side is {actor}{others}."""
false_positives = "Inventory tools; clients of decommissioned servers."
triage = """
List the targets over the week with the SQL below; look for the day on which one answered."""
references = ["https://attack.mitre.org/techniques/T1595/001/"]
[params.days]
type = "integer"
help = "days that are looked at together"
[params.min_failed]
type = "integer"
help = "least different failed targets in that time"
[params.min_days]
type = "integer"
help = "least days on which new targets were tried"
*/
WITH failing AS (
  -- Whose calls failed often enough, and over days enough; most fail a few times.
  SELECT client
  FROM contacts
  WHERE day > /*$since*/ 0 - 86400 * /*$days*/ 7 AND day < /*$until*/ 4102444800
    AND protocol = 6 AND failed + open + empty > 0
    AND (client_side = 'ours' OR server_side = 'ours')
  GROUP BY 1
  HAVING sum(CASE WHEN open + empty = 0 THEN 1 ELSE 0 END) >= /*$min_failed*/ 12
    AND max(day) - min(day) >= 86400 * (/*$min_days*/ 3 - 1)
),
seen AS (
  SELECT d.day, p.client, p.client_side, p.server, p.port,
    min(p.day) AS first_day,
    max(CASE WHEN p.open + p.empty > 0 THEN 1 ELSE 0 END) AS success
  FROM (
    SELECT DISTINCT c.day, c.client
    FROM contacts c
    JOIN failing f ON f.client = c.client
    WHERE c.day >= /*$since*/ 0 AND c.day < /*$until*/ 4102444800
      AND c.failed > 0 AND c.protocol = 6
  ) d
  JOIN contacts p ON p.client = d.client AND p.day <= d.day
    AND p.day > d.day - 86400 * /*$days*/ 7
  WHERE p.protocol = 6 AND p.failed + p.open + p.empty > 0
    AND (p.client_side = 'ours' OR p.server_side = 'ours')
  GROUP BY 1, 2, 3, 4, 5
),
scanners AS (
  SELECT day, client, client_side, count(*) AS targets, sum(success) AS answered,
    count(DISTINCT server) AS hosts, count(DISTINCT port) AS ports,
    count(DISTINCT first_day) AS days,
    max(CASE WHEN first_day = day THEN 1 ELSE 0 END) AS today
  FROM seen
  GROUP BY 1, 2, 3
  HAVING count(*) - sum(success) >= /*$min_failed*/ 12
    AND count(DISTINCT first_day) >= /*$min_days*/ 3
    AND (count(*) - sum(success)) * 2 > count(*)
)
SELECT s.day,
  CASE WHEN s.client_side = 'ours' THEN s.client ELSE c.server END AS resource,
  concat('slow ', s.client_side) AS dedup,
  CASE WHEN s.client_side = 'ours' THEN c.server ELSE s.client END AS actor,
  min(c.first_seen) AS first_seen, max(c.last_seen) AS last_seen,
  sum(c.sessions) AS flows, sum(c.packets) AS packets,
  sum(c.bytes) AS bytes,
  CASE WHEN s.client_side = 'ours' AND max(s.targets) >= 25 THEN 4.5 ELSE 2.5 END AS severity,
  CASE WHEN s.client_side = 'ours' THEN 'ACTOR' ELSE 'TARGET' END AS role,
  max(s.targets) AS targets, max(s.answered) AS answered, max(s.hosts) AS hosts,
  max(s.ports) AS ports_tried, max(s.days) AS days
FROM scanners s
JOIN contacts c ON c.day = s.day AND c.client = s.client AND c.protocol = 6 AND c.failed > 0
GROUP BY s.day, s.client, s.client_side, c.server
