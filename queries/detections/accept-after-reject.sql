/* flowscan
id = "accept-after-reject"
title = "Refused before, let in now"
description = """
A stranger that was refused on a port is let in on the same port later that day: a security group
was opened, or somebody opened it for him."""
type = "UnauthorizedAccess:EC2/AcceptAfterReject"
severity = 3.0
role = "TARGET"
direction = "inbound"
attack = ["TA0005:T1562.007"]
when = """
client_side = 'public' AND server_side = 'ours' AND protocol = 6 AND rejected >= $min_refusals
AND packets_in >= 4 AND packets_out >= 4"""
summary = """
{actor}{others} had been refused {refusals:times} on port {port} of {resource} and then got in
{flows:times}."""
false_positives = "An administrator who first had to open the security group for himself."
triage = "Ask CloudTrail who changed the security group or network ACL in between."
references = ["https://attack.mitre.org/techniques/T1562/007/"]
[params.min_refusals]
type = "integer"
help = "least refused attempts before"
*/
WITH both_ways AS (
  -- Refused and let in on the same day: the sessions of these contacts tell which came first.
  SELECT day, client, server, port
  FROM contacts
  WHERE day >= /*$since*/ 0 AND day < /*$until*/ 4102444800
    AND client_side = 'public' AND server_side = 'ours' AND protocol = 6
    AND rejected >= /*$min_refusals*/ 3 AND packets_in >= 4 AND packets_out >= 4
),
tried AS (
  SELECT c.day, c.client, c.server, c.port, s.first_seen, s.last_seen, s.rejected, s.packets_out,
    s.packets_in, s.bytes_out, s.bytes_in
  FROM both_ways c
  JOIN sessions s ON s.client = c.client AND s.server = c.server AND s.server_port = c.port
    AND s.protocol = 6 AND s.first_seen >= c.day AND s.first_seen < c.day + 86400
),
refused AS (
  SELECT day, client, server, port, min(first_seen) AS refused_at, count(*) AS refusals
  FROM tried
  WHERE rejected > 0 AND packets_in = 0
  GROUP BY 1, 2, 3, 4
  HAVING count(*) >= /*$min_refusals*/ 3
)
SELECT r.day, r.server AS resource, CAST(r.port AS VARCHAR) AS dedup, r.client AS actor,
  min(s.first_seen) AS first_seen, max(s.last_seen) AS last_seen, count(*) AS flows,
  sum(s.packets_out + s.packets_in) AS packets, sum(s.bytes_out + s.bytes_in) AS bytes,
  CASE WHEN r.port IN /*$ports.control_and_data*/ (21, 22, 23, 445, 1433, 2222, 3306, 3389, 5432,
    5900, 5985, 5986, 6379, 9200, 27017) THEN 5.0 ELSE 3.0 END AS severity,
  r.port, 6 AS protocol, r.refusals, r.refused_at
FROM refused r
JOIN tried s ON s.day = r.day AND s.client = r.client AND s.server = r.server AND s.port = r.port
  AND s.first_seen > r.refused_at
WHERE s.packets_in >= 4 AND s.packets_out >= 4
GROUP BY 1, 2, 3, 4, r.port, r.refusals, r.refused_at
