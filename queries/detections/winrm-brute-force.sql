/* flowscan
id = "winrm-brute-force"
title = "Passwords are guessed over WinRM"
description = """
Many short WinRM sessions of the size of one password guess. Outbound, one of our hosts is the
guesser."""
type = "Impact:EC2/WinRMBruteForce"
severity = 3.0
role = "TARGET"
direction = "unknown"
attack = ["TA0006:T1110.001"]
improves = ["tcp_flags"]
reduced = "without tcp-flags the side that called is inferred from ports and sizes"
summary = """
{attempts:short session|short sessions} to port {port} on one day, at most {in_one_hour:count} in an hour: {resource}
and {actor}{others}."""
false_positives = "Windows management servers that poll many hosts."
triage = """
Close the port to the world or put it behind a bastion. Check the log of logins for success; the
finding about a successful guess looks for a long session after the guesses."""
references = [
  "https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-ec2.html",
  "https://attack.mitre.org/techniques/T1110/001/",
]
[params.min_packets]
type = "integer"
help = "least packets of an attempt, from the client"
[params.max_packets]
type = "integer"
help = "most packets of an attempt, from the client"
[params.max_bytes]
type = "integer"
help = "most mean bytes of an attempt, from the client; transfers send more"
[params.min_attempts]
type = "integer"
help = "least attempts of one stranger in a day"
[params.min_per_hour]
type = "integer"
help = "least attempts in an hour by one of our hosts"
*/
WITH attempts AS (
  SELECT
    first_seen - mod(first_seen, 86400) AS day, client, server, server_port AS port,
    first_seen - mod(first_seen, 3600) AS hour,
    count(*) AS tries, min(first_seen) AS first_seen, max(last_seen) AS last_seen,
    sum(packets_out + packets_in) AS packets, sum(bytes_out + bytes_in) AS bytes,
    sum(bytes_out) AS bytes_out, sum(last_seen - first_seen) AS seconds
  FROM sessions
  WHERE protocol = 6 AND server_port IN /*$ports.winrm*/ (5985, 5986)
    AND packets_out BETWEEN /*$min_packets*/ 5 AND /*$max_packets*/ 51 AND packets_in >= 4
    AND bytes_out > 44 * packets_out AND bytes_out <= 12000 AND bytes_in <= 16000
    AND last_seen - first_seen <= 180
  GROUP BY 1, 2, 3, 4, 5
),
guessed AS (
  SELECT day, client, server, port, sum(tries) AS attempts, max(tries) AS in_one_hour,
    count(*) AS hours, min(first_seen) AS first_seen, max(last_seen) AS last_seen,
    sum(packets) AS packets, sum(bytes) AS bytes,
    CAST(sum(bytes_out) AS DOUBLE) / sum(tries) AS bytes_per_attempt,
    CAST(sum(seconds) AS DOUBLE) / sum(tries) AS seconds_per_attempt
  FROM attempts
  WHERE day >= /*$since*/ 0 AND day < /*$until*/ 4102444800
  GROUP BY 1, 2, 3, 4
),
sided AS (
  SELECT g.*, c.client_side, c.server_side, c.sessions, c.heavy,
    count(*) OVER (PARTITION BY g.day, g.client, g.port) AS targets,
    sum(g.attempts) OVER (PARTITION BY g.day, g.server, g.port) AS against,
    count(*) OVER (PARTITION BY g.day, g.server, g.port) AS guessers
  FROM guessed g
  JOIN contacts c ON c.day = g.day AND c.client = g.client AND c.server = g.server
    AND c.port = g.port AND c.protocol = 6
  LEFT JOIN places p ON p.address = g.server
  WHERE p.kind IS NULL
),
judged AS (
  SELECT *,
    CASE
      WHEN client_side = 'public' AND server_side = 'ours' THEN 'inbound'
      WHEN client_side = 'ours' AND server_side = 'public' THEN 'outbound'
      WHEN client_side = 'ours' AND server_side = 'ours' THEN 'internal'
    END AS way
  FROM sided
),
t AS (
  SELECT * FROM judged
  WHERE attempts * 10 >= sessions * 6 AND bytes_per_attempt <= /*$max_bytes*/ 4500
    AND ((way = 'inbound' AND (attempts >= /*$min_attempts*/ 20
        OR (attempts >= 3 AND guessers >= 20 AND against >= 200)))
      OR (way <> 'inbound' AND (in_one_hour >= /*$min_per_hour*/ 100
        OR (way = 'outbound' AND targets >= 5 AND attempts >= 10))))
)
SELECT t.day,
  CASE WHEN t.way = 'inbound' THEN t.server ELSE t.client END AS resource,
  concat(t.way, ' ', CAST(t.port AS VARCHAR)) AS dedup,
  CASE WHEN t.way = 'inbound' THEN t.client ELSE t.server END AS actor,
  t.first_seen, t.last_seen, t.attempts AS flows, t.packets, t.bytes,
  CASE WHEN t.way = 'outbound' THEN 8.0 WHEN t.way = 'internal' THEN 6.0
    ELSE CASE WHEN t.attempts >= 30 THEN 5.0 ELSE 3.0 END END AS severity,
  CASE WHEN t.way = 'inbound' THEN 'TARGET' ELSE 'ACTOR' END AS role,
  t.way AS direction, t.port, 6 AS protocol, t.attempts, t.in_one_hour, t.hours,
  round(t.bytes_per_attempt, 0) AS bytes_per_attempt,
  round(t.seconds_per_attempt, 1) AS seconds_per_attempt, t.heavy AS longer_sessions
FROM t
