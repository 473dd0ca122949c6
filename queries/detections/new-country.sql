/* flowscan
id = "new-country"
title = "One of our hosts calls a country or network for the first time"
description = """
No host of ours called this country during the last two weeks, or this host sends much to a
network that it never called. Needs MMDB files that tell the country or AS of addresses."""
type = "Behavior:EC2/NewCountry"
severity = 2.0
role = "ACTOR"
direction = "outbound"
attack = ["TA0011:T1071", "TA0010:T1041"]
lookback = 14
geo = true
summary = """
{resource} called {actor} (country {country}, AS {asn} {as_name}); the {new} is new in
{days_known:day|days} of history."""
false_positives = "New partners, content networks that answer from elsewhere."
triage = "Who owns the address (flowscan lookup), and which process called it?"
references = ["https://attack.mitre.org/techniques/T1071/"]
[params.days]
type = "integer"
help = "days of history"
[params.min_days]
type = "integer"
help = "least days of history of the host"
[params.min_bytes]
type = "integer"
help = "bytes sent to a new country from which on it is medium"
[params.min_upload]
type = "integer"
help = "least bytes sent to a new network of a known country"
*/
WITH called AS (
  SELECT c.day, c.client, c.server, c.port, c.protocol, c.sessions, c.packets_out, c.packets_in,
    c.bytes_out, c.bytes_in, c.first_seen, c.last_seen, g.country, g.asn, g.as_name
  FROM contacts c
  JOIN geo g ON g.address = c.server
  WHERE c.client_side = 'ours' AND c.server_side = 'public' AND c.open > 0
    AND NOT (c.protocol = 17 AND c.port IN /*$ports.lookups*/ (53, 123))
),
past AS (
  SELECT d.day, d.client, count(DISTINCT h.day) AS days
  FROM (SELECT DISTINCT day, client FROM called
    WHERE day >= /*$since*/ 0 AND day < /*$until*/ 4102444800) d
  JOIN contacts h ON h.client = d.client AND h.day < d.day
    AND h.day >= d.day - 86400 * /*$days*/ 14
  GROUP BY 1, 2
),
fresh AS (
  SELECT c.*, p.days,
    CASE WHEN EXISTS (
      SELECT 1 FROM called h WHERE h.country = c.country AND h.day < c.day
        AND h.day >= c.day - 86400 * /*$days*/ 14) THEN 0 ELSE 1 END AS new_country,
    CASE WHEN EXISTS (
      SELECT 1 FROM called h WHERE h.asn = c.asn AND h.client = c.client AND h.day < c.day
        AND h.day >= c.day - 86400 * /*$days*/ 14) THEN 0 ELSE 1 END AS new_asn
  FROM called c
  JOIN past p ON p.day = c.day AND p.client = c.client
  WHERE c.day >= /*$since*/ 0 AND c.day < /*$until*/ 4102444800
    AND p.days >= /*$min_days*/ 7
)
SELECT day, client AS resource, COALESCE(country, 'unknown') AS dedup, server AS actor,
  min(first_seen) AS first_seen, max(last_seen) AS last_seen, sum(sessions) AS flows,
  sum(packets_out + packets_in) AS packets, sum(bytes_out + bytes_in) AS bytes,
  CASE WHEN max(new_country) = 1 AND sum(bytes_out) >= /*$min_bytes*/ 1000000 THEN 4.0
    ELSE 2.0 END AS severity,
  max_by(port, bytes_out) AS port, max_by(protocol, bytes_out) AS protocol,
  country, asn, as_name, sum(bytes_out) AS bytes_out,
  CASE WHEN max(new_country) = 1 THEN 'country' ELSE 'network' END AS new, max(days) AS days_known
FROM fresh
WHERE (new_country = 1 AND country IS NOT NULL)
  OR (new_asn = 1 AND asn IS NOT NULL AND bytes_out >= /*$min_upload*/ 10000000)
GROUP BY day, client, server, country, asn, as_name
