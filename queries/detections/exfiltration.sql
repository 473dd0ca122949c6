/* flowscan
id = "exfiltration"
title = "Much data left for one outside address"
description = """
The bytes that one of our hosts sent to one outside address in a whole day, summed over all
windows and connections, far outweigh what came back. A destination that got as much on earlier
days is a backup and stays low. Questions to a name server that are longer than names are, and that
carry more than comes back, count from a few megabytes on."""
type = "Exfiltration:EC2/LargeUpload"
severity = 5.0
role = "ACTOR"
direction = "outbound"
attack = ["TA0010:T1048", "TA0010:T1567"]
improves = ["pkt_dst_aws_service"]
reduced = "without it AWS services are told by their published ranges only"
when = """
client_side = 'ours' AND server_side = 'public' AND open > 0
AND (port = 53 OR bytes_out >= $min_ratio * bytes_in)"""
lookback = 14
judged_by = "latest day"
summary = """
{resource} sent {bytes_out:bytes} to {actor} port {port} ({destination}) and got {bytes_in:bytes} back."""
false_positives = "Off-site backups and migrations on their first day; uploads of media."
triage = """
Is the destination ours? Compare with the backup plan; look at what the host read inside before."""
references = ["https://attack.mitre.org/techniques/T1048/"]
[params.min_bytes]
type = "integer"
help = "least bytes sent to one address in a day"
[params.min_ratio]
type = "float"
help = "least ratio of bytes sent to bytes received"
[params.min_dns_bytes]
type = "integer"
help = "least bytes sent to a name server in a day in long questions"
[params.days]
type = "integer"
help = "days of history that tell a new destination"
*/
WITH sent AS (
  SELECT day, client, server, sum(bytes_out) AS bytes_out, sum(bytes_in) AS bytes_in,
    sum(sessions) AS sessions, sum(packets_out) AS packets_out,
    sum(packets_out + packets_in) AS packets,
    min(first_seen) AS first_seen, max(last_seen) AS last_seen, max_by(port, bytes_out) AS port,
    max_by(protocol, bytes_out) AS protocol
  FROM contacts
  WHERE day >= /*$since*/ 0 AND day < /*$until*/ 4102444800
    AND client_side = 'ours' AND server_side = 'public' AND open > 0
  GROUP BY 1, 2, 3
),
large AS (
  SELECT * FROM sent
  WHERE (bytes_out >= /*$min_bytes*/ 100000000 AND bytes_out >= /*$min_ratio*/ 5.0 * bytes_in)
    OR (port = 53 AND protocol = 17 AND bytes_out >= /*$min_dns_bytes*/ 5000000
      AND bytes_out > bytes_in AND bytes_out >= 130 * packets_out)
),
sent_before AS (
  SELECT day, client, server, sum(bytes_out) AS bytes_out
  FROM contacts
  WHERE client_side = 'ours' AND server_side = 'public' AND open > 0
    AND client IN (SELECT client FROM large)
  GROUP BY 1, 2, 3
),
past AS (
  SELECT l.day, l.client, l.server,
    count(DISTINCT h.day) AS days,
    count(DISTINCT CASE WHEN h.server = l.server THEN h.day END) AS known_days,
    max(CASE WHEN h.server = l.server THEN h.bytes_out END) AS most_before
  FROM large l
  JOIN sent_before h ON h.client = l.client AND h.day < l.day AND h.day >= l.day - 86400 * /*$days*/ 14
  GROUP BY 1, 2, 3
)
SELECT l.day, l.client AS resource, l.server AS dedup, l.server AS actor, l.first_seen, l.last_seen,
  l.sessions AS flows, l.packets, l.bytes_out + l.bytes_in AS bytes,
  CASE
    WHEN l.port = 53 AND l.protocol = 17 THEN 5.0
    -- Sent as much to the same place before: a backup.
    WHEN COALESCE(p.known_days, 0) >= 2 AND l.bytes_out < 3.0 * p.most_before THEN 1.5
    WHEN k.kind IS NOT NULL AND COALESCE(p.days, 0) < 3 THEN 2.5
    WHEN k.kind IS NOT NULL AND p.known_days > 0 THEN 2.5
    WHEN k.kind IS NOT NULL THEN 3.5
    WHEN COALESCE(p.days, 0) >= 3 AND p.known_days = 0 THEN 7.0
    WHEN l.bytes_out >= 1000000000 THEN 6.0
    WHEN l.bytes_out >= 250000000 THEN 5.0
    ELSE 4.0
  END AS severity,
  l.port, l.protocol, l.bytes_out, l.bytes_in,
  CASE WHEN COALESCE(p.days, 0) = 0 THEN 'no history'
    WHEN p.known_days = 0 THEN 'never called before' ELSE 'called before' END AS destination,
  p.most_before, k.kind AS known_as
FROM large l
LEFT JOIN past p ON p.day = l.day AND p.client = l.client AND p.server = l.server
LEFT JOIN places k ON k.address = l.server
