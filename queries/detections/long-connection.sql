/* flowscan
id = "long-connection"
title = "A connection to outside is held for hours"
description = """
One connection to an outside address lasts an hour or more, or half an hour on an unusual port: a
remote shell or a tunnel looks like it. On ports where long connections are usual it stays at low.
Connections are counted by day, so one of several days shows as one per day."""
type = "Backdoor:EC2/LongConnection"
severity = 4.0
role = "ACTOR"
direction = "outbound"
attack = ["TA0011:T1095", "TA0011:T1571"]
improves = ["tcp_flags"]
reduced = "without tcp-flags a reused five-tuple is told from one connection by its gap only"
when = "client_side = 'ours' AND server_side = 'public' AND duration >= $min_odd"
summary = "{resource} held a connection to {actor} port {port} for {seconds:duration}."
false_positives = "Tunnels, message queues and chat on ports of their own."
triage = "Which process holds it, and who owns the other side?"
references = ["https://attack.mitre.org/techniques/T1571/"]
[params.min_odd]
type = "integer"
help = "least length on a TCP port on which long connections are not usual"
[params.min_seconds]
type = "integer"
help = "least length of a connection in seconds"
*/
SELECT first_seen - mod(first_seen, 86400) AS day, s.client AS resource,
  concat(s.server, ':', CAST(s.server_port AS VARCHAR), '/', CAST(s.protocol AS VARCHAR)) AS dedup,
  s.server AS actor, min(s.first_seen) AS first_seen, max(s.last_seen) AS last_seen,
  count(*) AS flows, sum(s.packets_out + s.packets_in) AS packets,
  sum(s.bytes_out + s.bytes_in) AS bytes,
  CASE
    -- Clear-text web ports: streams are long, but they mostly receive.
    WHEN max(p.kind) IS NULL AND s.protocol = 6 AND s.server_port IN /*$ports.web_clear*/ (80, 8080)
      AND max(s.last_seen - s.first_seen) >= 4 * 3600 AND sum(s.bytes_in) <= 10 * sum(s.bytes_out)
    THEN 4.0
    WHEN max(p.kind) IS NOT NULL OR s.server_port IN /*$ports.lasting*/ (22, 25, 80, 143, 179, 443,
      465, 500, 514, 554, 587, 601, 853, 993, 995, 1194, 1433, 1514, 1883, 1935, 3306, 3389, 3478,
      3479, 3480, 3481, 4070, 4222, 4500, 4505, 4506, 5044, 5060, 5061, 5222, 5223, 5228, 5229,
      5230, 5269, 5432, 5671, 5672, 5938, 6514, 6568, 8080, 8443, 8801, 8883, 9092, 9093, 9094,
      9997, 10050, 10051, 22000, 24224, 41641, 51820)
      OR s.server_port BETWEEN /*$ports.steam*/ 27015 AND 27050
    THEN 2.0
    WHEN s.protocol = 17 THEN 3.0
    WHEN max(s.last_seen - s.first_seen) >= 8 * 3600 THEN 6.0
    WHEN max(s.last_seen - s.first_seen) >= 4 * 3600 THEN 5.0
    ELSE 4.0
  END AS severity,
  s.server_port AS port, s.protocol, max(s.last_seen - s.first_seen) AS seconds,
  sum(s.bytes_out) AS bytes_out, sum(s.bytes_in) AS bytes_in, max(p.kind) AS known_as
FROM sessions s
JOIN (
  SELECT DISTINCT client, server FROM contacts
  WHERE day >= /*$since*/ 0 AND day < /*$until*/ 4102444800
    AND client_side = 'ours' AND server_side = 'public' AND duration >= /*$min_odd*/ 1800
) c ON c.client = s.client AND c.server = s.server
LEFT JOIN places p ON p.address = s.server
WHERE s.first_seen >= /*$since*/ 0 AND s.first_seen < /*$until*/ 4102444800
  AND s.last_seen - s.first_seen >= /*$min_odd*/ 1800
  AND s.protocol IN (6, 17) AND s.packets_in > 0 AND s.packets_out > 0
  AND NOT (s.protocol = 17 AND s.server_port IN /*$ports.lookups*/ (53, 123))
GROUP BY 1, 2, 3, 4, s.server_port, s.protocol
HAVING max(s.last_seen - s.first_seen) >= /*$min_seconds*/ 3600
  OR (s.protocol = 6 AND s.server_port >= /*$ports.first_user*/ 1024 AND max(p.kind) IS NULL
    AND s.server_port NOT IN /*$ports.lasting*/ (22, 25, 80, 143, 179, 443, 465, 500, 514, 554, 587,
      601, 853, 993, 995, 1194, 1433, 1514, 1883, 1935, 3306, 3389, 3478, 3479, 3480, 3481, 4070,
      4222, 4500, 4505, 4506, 5044, 5060, 5061, 5222, 5223, 5228, 5229, 5230, 5269, 5432, 5671,
      5672, 5938, 6514, 6568, 8080, 8443, 8801, 8883, 9092, 9093, 9094, 9997, 10050, 10051, 22000,
      24224, 41641, 51820) AND s.server_port NOT BETWEEN /*$ports.steam*/ 27015 AND 27050)
