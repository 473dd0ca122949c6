/* flowscan
id = "c2-activity"
title = "One of our hosts talks to a known controller"
description = "An accepted connection to an address that a feed lists as command and control."
type = "Backdoor:EC2/C&CActivity.B"
severity = 8.0
role = "ACTOR"
direction = "outbound"
attack = ["TA0011:T1071"]
feeds = true
when = """
client_side = 'ours' AND server_side = 'public' AND open + empty > 0
AND server_category = 'c2'"""
summary = """
{resource} and {actor} talked {flows:times} (port {port}); {feed} lists {indicator} as {category}."""
false_positives = """
Shared hosting: the address also serves others. Feeds go stale; look at when the entry was made."""
triage = """
Look the address up (flowscan lookup), find the process, and isolate the host if it cannot be
explained."""
references = ["https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-ec2.html"]
*/
SELECT c.day, c.client AS resource, concat(min(m.category), '') AS dedup, c.server AS actor,
  min(c.first_seen) AS first_seen, max(c.last_seen) AS last_seen, sum(c.sessions) AS flows,
  sum(c.packets) AS packets, sum(c.bytes) AS bytes,
  max_by(c.port, c.sessions) AS port, max_by(c.protocol, c.sessions) AS protocol,
  min(m.feed) AS feed, min(m.category) AS category, max(m.confidence) AS confidence,
  min(m.indicator) AS indicator, sum(c.open) AS open, sum(c.refused) AS refused
FROM contacts c
JOIN (SELECT DISTINCT address, feed, category, confidence, indicator FROM matches) m ON m.address = c.server
WHERE c.day >= /*$since*/ 0 AND c.day < /*$until*/ 4102444800
  AND c.client_side = 'ours' AND c.server_side = 'public'
  AND m.category IN ('c2')
GROUP BY c.day, c.client, c.server
HAVING sum(c.open + c.empty) > 0
