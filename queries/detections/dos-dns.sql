/* flowscan
id = "dos-dns"
title = "One of our hosts floods a DNS server"
description = "One-sided, fast UDP traffic to port 53 of an outside address."
type = "Backdoor:EC2/DenialOfService.Dns"
severity = 8.0
role = "ACTOR"
direction = "outbound"
attack = ["TA0040:T1498.001"]
when = """
client_side = 'ours' AND server_side = 'public' AND protocol = 17 AND port = 53 AND packets_out
>= $min_packets AND packets_out >= $one_sided * packets_in"""
summary = """
{resource} sent {packets_out:packet|packets} to {actor} port {port}, {packets_per_second:count} per second at
the peak, and got {packets_in:count} back."""
false_positives = "One-way streams (media, telemetry) to a public address; load tests."
triage = """
Stop it at the security group; find the process. Hosts that flood are rented out by whoever took
them."""
references = [
  "https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-ec2.html",
  "https://attack.mitre.org/techniques/T1498/001/",
]
[params.min_packets]
type = "integer"
help = "least packets sent to one address in a day"
[params.one_sided]
type = "integer"
help = "packets sent for each packet received"
[params.min_rate]
type = "integer"
help = "least packets per second at the peak"
*/
WITH candidates AS (
  SELECT day, client, server, sum(packets_out) AS packets_out
  FROM contacts
  WHERE day >= /*$since*/ 0 AND day < /*$until*/ 4102444800
    AND client_side = 'ours' AND server_side = 'public' AND protocol = 17 AND port = 53
  GROUP BY 1, 2, 3
  HAVING sum(packets_out) >= /*$min_packets*/ 5000
    AND sum(packets_out) >= /*$one_sided*/ 20 * sum(packets_in)
),
minutes AS (
  SELECT c.day, s.client, s.server, s.first_seen - mod(s.first_seen, 60) AS minute,
    count(*) AS sessions, sum(s.packets_out) AS packets_out, sum(s.packets_in) AS packets_in,
    sum(s.bytes_out) AS bytes_out, sum(s.bytes_in) AS bytes_in, min(s.first_seen) AS first_seen,
    max(s.last_seen) AS last_seen, max_by(s.server_port, s.packets_out) AS port,
    max_by(s.protocol, s.packets_out) AS protocol,
    max(CAST(s.packets_out AS DOUBLE) / (s.last_seen - s.first_seen + 1)) AS peak
  FROM sessions s
  JOIN candidates c ON c.client = s.client AND c.server = s.server
    AND s.first_seen >= c.day AND s.first_seen < c.day + 86400
  WHERE protocol = 17 AND server_port = 53
  GROUP BY 1, 2, 3, 4
),
rates AS (
  SELECT day, client, server, sum(sessions) AS sessions, sum(packets_out) AS packets_out,
    sum(packets_in) AS packets_in, sum(bytes_out) AS bytes_out, sum(bytes_in) AS bytes_in,
    min(first_seen) AS first_seen, max(last_seen) AS last_seen,
    max_by(port, packets_out) AS port, max_by(protocol, packets_out) AS protocol,
    max(CASE WHEN last_seen - first_seen BETWEEN 5 AND 120
      AND CAST(packets_out AS DOUBLE) / (last_seen - first_seen + 1) > peak
      THEN CAST(packets_out AS DOUBLE) / (last_seen - first_seen + 1) ELSE peak END) AS per_second
  FROM minutes
  GROUP BY 1, 2, 3
)
SELECT day, client AS resource, 'Dns' AS dedup, server AS actor, first_seen, last_seen,
  sessions AS flows, packets_out + packets_in AS packets, bytes_out + bytes_in AS bytes,
  port, protocol, round(per_second, 0) AS packets_per_second, packets_out, packets_in
FROM rates
WHERE per_second >= /*$min_rate*/ 200
