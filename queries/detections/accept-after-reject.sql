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
WITH refused AS (
  SELECT first_seen - mod(first_seen, 86400) AS day, client, server, server_port AS port,
    min(first_seen) AS refused_at, count(*) AS refusals
  FROM sessions
  WHERE protocol = 6 AND rejected > 0 AND packets_in = 0
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
JOIN sessions s ON s.client = r.client AND s.server = r.server AND s.server_port = r.port
  AND s.protocol = 6 AND s.first_seen > r.refused_at AND s.first_seen < r.day + 86400
JOIN contacts c ON c.day = r.day AND c.client = r.client AND c.server = r.server
  AND c.port = r.port AND c.protocol = 6
WHERE r.day >= /*$since*/ 0 AND r.day < /*$until*/ 4102444800
  AND c.client_side = 'public' AND c.server_side = 'ours'
  AND s.packets_in >= 4 AND s.packets_out >= 4
GROUP BY 1, 2, 3, 4, r.port, r.refusals, r.refused_at
