/* flowscan
id = "tor-relay"
title = "One of our hosts is a Tor relay"
description = """
Several relays of the Tor network call one port of a host, and it calls several relays itself."""
type = "UnauthorizedAccess:EC2/TorRelay"
severity = 8.0
role = "ACTOR"
direction = "inbound"
attack = ["TA0011:T1090.003"]
feeds = true
when = """
client_side = 'public' AND server_side = 'ours' AND protocol = 6 AND open > 0
AND client_category = 'tor' AND port NOT IN $ports.untorlike_inward"""
summary = "{inbound:relay calls|relays call} port {port} of {resource}, which calls {outbound:relay|relays}."
false_positives = "A relay that you run on purpose."
triage = "Nobody runs a relay by accident: find out who."
references = ["https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-ec2.html"]
[params.min_relays]
type = "integer"
help = "least relays that call us, and that we call"
*/
WITH peers AS (
  SELECT c.day, c.server AS host, c.port, c.client AS peer, c.sessions, c.packets AS packets,
    c.bytes AS bytes, c.first_seen, c.last_seen, m.feed, m.indicator
  FROM contacts c
  JOIN (SELECT DISTINCT address, feed, category, confidence, indicator FROM matches) m ON m.address = c.client AND m.category = 'tor'
  WHERE c.day >= /*$since*/ 0 AND c.day < /*$until*/ 4102444800
    AND c.client_side = 'public' AND c.server_side = 'ours' AND c.protocol = 6 AND c.open > 0
    AND c.port NOT IN /*$ports.untorlike_inward*/ (22, 25, 80)
),
relays AS (
  SELECT p.day, p.host, p.port, count(DISTINCT p.peer) AS inbound, max(o.outbound) AS outbound
  FROM peers p
  JOIN (
    SELECT c.day, c.client, count(DISTINCT c.server) AS outbound
    FROM contacts c
    JOIN (SELECT DISTINCT address, feed, category, confidence, indicator FROM matches) m ON m.address = c.server AND m.category = 'tor'
    WHERE c.client_side = 'ours' AND c.protocol = 6 AND c.open > 0
    GROUP BY 1, 2
  ) o ON o.day = p.day AND o.client = p.host
  GROUP BY 1, 2, 3
  HAVING count(DISTINCT p.peer) >= /*$min_relays*/ 5 AND max(o.outbound) >= /*$min_relays*/ 5
)
SELECT p.day, p.host AS resource, CAST(p.port AS VARCHAR) AS dedup, p.peer AS actor,
  min(p.first_seen) AS first_seen, max(p.last_seen) AS last_seen, max(p.sessions) AS flows,
  max(p.packets) AS packets, max(p.bytes) AS bytes, p.port, 6 AS protocol,
  max(r.inbound) AS inbound, max(r.outbound) AS outbound, min(p.feed) AS feed,
  min(p.indicator) AS indicator
FROM peers p
JOIN relays r ON r.day = p.day AND r.host = p.host AND r.port = p.port
GROUP BY p.day, p.host, p.port, p.peer
