/* flowscan
id = "beacon"
title = "One of our hosts calls an outside address like clockwork"
description = """
RITA's beacon score over the sessions of a day: regular times, equal sizes, an even histogram,
persistence. Jitter of a third is tolerated. Addresses of well-known services and those that many
of our hosts call are left out; those that send large answers stay at low, and so do the targets
of a host that polls many, and web services that are polled without any jitter and answer with a
certificate's worth of bytes."""
type = "Backdoor:EC2/Beacon"
severity = 6.0
role = "ACTOR"
direction = "outbound"
attack = ["TA0011:T1071", "TA0011:T1571"]
improves = ["tcp_flags"]
reduced = "without tcp-flags the side that called is inferred from ports and sizes"
when = """
client_side = 'ours' AND server_side = 'public' AND protocol IN (6, 17) AND port <> 853 AND
sessions >= $min_calls"""
function = "beacon"
evidence = [
  "port",
  "protocol",
  "score",
  "interval",
  "jitter",
  "timing",
  "size",
  "histogram",
  "duration",
  "bytes_per_call",
  "callers",
  "known_as",
]
summary = """
{resource} called {actor} port {port} {flows:times}, every {interval:duration} (jitter {jitter}), about
{bytes_per_call:bytes} each; score {score}."""
false_positives = """
Update checks, telemetry and agents of vendors whose networks are not known as such; suppress by
actor."""
triage = "Who owns the address (flowscan lookup)? Which process calls it? When did it begin?"
references = ["https://github.com/activecm/rita", "https://attack.mitre.org/techniques/T1071/"]
[params.common]
type = "integer"
help = "percent of our hosts that call an address which make it ordinary"
[params.max_answer]
type = "integer"
help = "mean bytes of an answer above which it is a download"
[params.min_calls]
type = "integer"
help = "least calls in a day"
[params.min_score]
type = "float"
help = "least score, 0 to 1"
[params.few_jitter]
type = "float"
help = "most deviation over the interval when there are fewer calls than min_partial"
[params.max_poll_jitter]
type = "float"
help = "median deviation over the median interval below which a caller does not hide"
[params.web_answer]
type = "integer"
help = """
least mean bytes of an answer of a web service with a certificate; polled without jitter it is low"""
[params.many]
type = "integer"
help = "outside addresses polled like clockwork that make a host a monitor"
[params.min_regular]
type = "float"
help = """
least evenness of times and sizes of a beacon that lived for part of the day: 1 minus the median
deviation over the median, mean of both"""
[params.min_partial]
type = "integer"
help = "least calls of such a beacon"
[params.min_interval]
type = "integer"
help = "least median seconds between calls"
*/
WITH called AS (
  SELECT day, server,
    count(DISTINCT client) AS callers
  FROM contacts
  WHERE day >= /*$since*/ 0 AND day < /*$until*/ 4102444800
    AND client_side = 'ours' AND server_side = 'public'
  GROUP BY 1, 2
),
fleet AS (
  SELECT day, count(DISTINCT client) AS hosts
  FROM contacts
  WHERE day >= /*$since*/ 0 AND day < /*$until*/ 4102444800
    AND client_side = 'ours' AND server_side = 'public'
  GROUP BY 1
),
span AS (
  SELECT day, min(first_seen) AS data_first, max(last_seen) AS data_last
  FROM contacts
  WHERE day >= /*$since*/ 0 AND day < /*$until*/ 4102444800
  GROUP BY 1
),
pairs AS (
  SELECT c.day, c.client, c.server, c.port, c.protocol, k.callers,
    row_number() OVER (ORDER BY c.day, c.client, c.server, c.port, c.protocol) AS pair,
    CASE WHEN c.open + c.empty = 0 THEN 'no answer'
      WHEN c.bytes_in > /*$max_answer*/ 50000 * c.sessions THEN 'large answers' ELSE '' END AS quiet,
    CAST(c.bytes_in AS DOUBLE) / c.sessions AS answer
  FROM contacts c
  JOIN called k ON k.day = c.day AND k.server = c.server
  JOIN fleet f ON f.day = c.day
  LEFT JOIN places p ON p.address = c.server
  WHERE c.client_side = 'ours' AND c.server_side = 'public'
    AND c.sessions >= /*$min_calls*/ 8
    AND (c.protocol = 6 OR (c.protocol = 17 AND c.port NOT IN /*$ports.udp_steady*/ (53, 123, 500,
      3478, 4500, 5353)))
    AND c.port <> 853
    -- Well-known services, and what a good part of our hosts calls: agents, update servers.
    AND p.kind IS NULL
    AND NOT (k.callers >= 3 AND k.callers * 100 >= f.hosts * /*$common*/ 25)
)
SELECT p.pair, p.day, p.client, p.server, p.port, p.protocol, p.callers, p.quiet, p.answer,
  x.data_first, x.data_last, s.first_seen, s.last_seen, s.bytes_out,
  s.packets_out + s.packets_in AS packets, s.bytes_out + s.bytes_in AS bytes
FROM pairs p
JOIN span x ON x.day = p.day
JOIN sessions s ON s.client = p.client AND s.server = p.server AND s.server_port = p.port
  AND s.protocol = p.protocol AND s.first_seen >= p.day AND s.first_seen < p.day + 86400
WHERE /*$min_score*/ 0.7 >= 0 AND /*$few_jitter*/ 0.2 >= 0 AND /*$many*/ 6 > 0 AND /*$web_answer*/ 2500 > 0
  AND /*$max_poll_jitter*/ 0.07 >= 0 AND /*$min_regular*/ 0.85 >= 0 AND /*$min_partial*/ 20 > 0
  AND /*$min_interval*/ 5 > 0
