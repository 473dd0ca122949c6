/* flowscan
id = "ssh-brute-force"
title = "Passwords are guessed over SSH"
description = """
Many short SSH sessions of the size of one password guess. Outbound, one of our hosts is the
guesser."""
type = "UnauthorizedAccess:EC2/SSHBruteForce"
severity = 3.0
role = "TARGET"
direction = "unknown"
attack = ["TA0006:T1110.001"]
improves = ["tcp_flags"]
reduced = "without tcp-flags the side that called is inferred from ports and sizes"
when = """
protocol = 6 AND port = $port AND (sessions - refused - silent) * 10 >= sessions * 6 AND sessions
- refused - silent >= least(3, $min_attempts, $min_per_hour)"""
summary = """
{attempts:short session|short sessions} to port {port} on one day, at most {in_one_hour:count} in an hour: {resource}
and {actor}{others}."""
false_positives = """
Deployment or monitoring over SSH from outside; a partner that fetches files every few minutes."""
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
[params.port]
type = "integer"
help = "the port of SSH"
*/
WITH answered AS (
  -- At most so many sessions can be guesses: the others had no answer.
  SELECT day, client, server, port, client_side, server_side, sessions, heavy,
    sessions - refused - silent AS most
  FROM contacts
  WHERE day >= /*$since*/ 0 AND day < /*$until*/ 4102444800
    AND protocol = 6 AND port = /*$port*/ 22 AND sessions > refused + silent
),
hopeful AS (
  SELECT day, client, server, port
  FROM answered
  WHERE most * 10 >= sessions * 6
    AND (most >= least(/*$min_attempts*/ 20, /*$min_per_hour*/ 100)
      OR (most >= 3 AND client_side = 'public' AND server_side = 'ours')
      OR (most >= 10 AND client_side = 'ours' AND server_side = 'public'))
),
candidates AS (
  -- Sessions are read of what can raise a finding, and of what counts beside it.
  SELECT a.*
  FROM answered a
  LEFT JOIN (SELECT DISTINCT day, server, port FROM hopeful) s
    ON s.day = a.day AND s.server = a.server AND s.port = a.port
  LEFT JOIN (SELECT DISTINCT day, client, port FROM hopeful) k
    ON k.day = a.day AND k.client = a.client AND k.port = a.port
  WHERE s.day IS NOT NULL OR k.day IS NOT NULL
),
attempts AS (
  SELECT
    c.day, c.client, c.server, c.port, s.first_seen - mod(s.first_seen, 3600) AS hour,
    count(*) AS tries, min(s.first_seen) AS first_seen, max(s.last_seen) AS last_seen,
    sum(s.packets_out + s.packets_in) AS packets, sum(s.bytes_out + s.bytes_in) AS bytes,
    sum(s.bytes_out) AS bytes_out, sum(s.last_seen - s.first_seen) AS seconds
  FROM sessions s
  JOIN candidates c ON c.client = s.client AND c.server = s.server AND c.port = s.server_port
    AND s.first_seen >= c.day AND s.first_seen < c.day + 86400
  WHERE s.protocol = 6
    AND s.packets_out BETWEEN /*$min_packets*/ 9 AND /*$max_packets*/ 51 AND s.packets_in >= 4
    AND s.bytes_out > 44 * s.packets_out AND s.bytes_out <= 12000 AND s.bytes_in <= 16000
    AND s.last_seen - s.first_seen <= 180
  GROUP BY 1, 2, 3, 4, 5
),
guessed AS (
  SELECT day, client, server, port, sum(tries) AS attempts, max(tries) AS in_one_hour,
    count(*) AS hours, min(first_seen) AS first_seen, max(last_seen) AS last_seen,
    sum(packets) AS packets, sum(bytes) AS bytes,
    CAST(sum(bytes_out) AS DOUBLE) / sum(tries) AS bytes_per_attempt,
    CAST(sum(seconds) AS DOUBLE) / sum(tries) AS seconds_per_attempt
  FROM attempts
  GROUP BY 1, 2, 3, 4
),
sided AS (
  SELECT g.*, c.client_side, c.server_side, c.sessions, c.heavy,
    count(*) OVER (PARTITION BY g.day, g.client, g.port) AS targets,
    sum(g.attempts) OVER (PARTITION BY g.day, g.server, g.port) AS against,
    count(*) OVER (PARTITION BY g.day, g.server, g.port) AS guessers
  FROM guessed g
  JOIN candidates c ON c.day = g.day AND c.client = g.client AND c.server = g.server
    AND c.port = g.port
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
