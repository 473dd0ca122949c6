/* flowscan
id = "ssh-brute-force-success"
title = "A password was probably guessed"
description = """
After many short login sessions, the same stranger holds a long one: the shape of a guess that
worked."""
type = "UnauthorizedAccess:EC2/BruteForceSuccess"
severity = 8.0
role = "TARGET"
direction = "inbound"
attack = ["TA0006:T1110.001", "TA0001:T1078"]
improves = ["tcp_flags"]
reduced = "without tcp-flags the side that called is inferred from ports and sizes"
when = """
client_side = 'public' AND server_side = 'ours' AND protocol = 6 AND (port = $port OR port IN
$ports.shells_odd) AND sessions > $min_guesses AND packets_out > 60"""
summary = """
{actor} guessed {guesses:times} on port {port} of {resource} and then held a session of
{seconds:duration}."""
false_positives = "An administrator whose client also polls the same port."
triage = """
Treat the account as taken: read the host's login log at that time, rotate keys, look at what the
session did next."""
references = [
  "https://doi.org/10.1145/2677046.2677050",
  "https://attack.mitre.org/techniques/T1110/001/",
]
[params.port]
type = "integer"
help = "a port of SSH besides the usual odd ones"
[params.min_guesses]
type = "integer"
help = "least guesses before the long session"
*/
WITH guesses AS (
  SELECT first_seen - mod(first_seen, 86400) AS day, client, server, server_port AS port,
    first_seen, last_seen, packets_out, packets_in, bytes_out, bytes_in,
    CASE WHEN packets_out BETWEEN 9 AND 51 AND bytes_out <= 12000 AND bytes_in <= 16000
      AND last_seen - first_seen <= 180 THEN 1 ELSE 0 END AS guess
  FROM sessions
  WHERE protocol = 6 AND (server_port = /*$port*/ 22 OR server_port IN /*$ports.shells_odd*/ (23,
    222, 2022, 2200, 2222, 3389, 8022, 10022, 22222))
    AND packets_in >= 4
),
ordered AS (
  SELECT *,
    sum(guess) OVER (PARTITION BY day, client, server, port ORDER BY first_seen, guess DESC
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
  FROM guesses
  WHERE day >= /*$since*/ 0 AND day < /*$until*/ 4102444800
),
let_in AS (
  SELECT day, client, server, port, count(*) AS sessions, max(before) AS guesses,
    min(first_seen) AS first_seen, max(last_seen) AS last_seen,
    sum(packets_out + packets_in) AS packets, sum(bytes_out + bytes_in) AS bytes,
    max(last_seen - first_seen) AS longest
  FROM ordered
  WHERE guess = 0 AND before >= /*$min_guesses*/ 20
    AND packets_out > 60
    AND (last_seen - first_seen >= 60 OR bytes_out + bytes_in >= 100000)
  GROUP BY 1, 2, 3, 4
)
SELECT l.day, l.server AS resource, CAST(l.port AS VARCHAR) AS dedup, l.client AS actor,
  l.first_seen, l.last_seen, l.sessions AS flows, l.packets, l.bytes,
  l.port, 6 AS protocol, l.guesses, l.longest AS seconds
FROM let_in l
JOIN contacts c ON c.day = l.day AND c.client = l.client AND c.server = l.server
  AND c.port = l.port AND c.protocol = 6
WHERE c.client_side = 'public' AND c.server_side = 'ours' AND l.sessions <= 20
  AND l.guesses >= 5 * l.sessions
