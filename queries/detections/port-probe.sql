/* flowscan
id = "port-probe"
title = "A known scanner reached an unprotected port"
description = "A scanner that a feed lists was not refused on a port of one of our hosts."
type = "Recon:EC2/PortProbeUnprotectedPort"
severity = 3.0
role = "TARGET"
direction = "inbound"
attack = ["TA0043:T1595.001"]
feeds = true
when = """
client_side = 'public' AND server_side = 'ours' AND protocol = 6
AND closed + empty + open > 0 AND client_category IN ('scanner', 'brute-force')"""
summary = """
{actor}{others}, a known scanner, reached port {port} of {resource}; {feed} lists {indicator}."""
false_positives = "Research scanners that mean no harm reach everything that is open."
triage = "Should this port be open to the world? If not, close it."
references = ["https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-ec2.html"]
*/
SELECT c.day, c.server AS resource, concat(CAST(c.port AS VARCHAR), '/', CAST(c.protocol AS VARCHAR)) AS dedup,
  c.client AS actor, min(c.first_seen) AS first_seen, max(c.last_seen) AS last_seen,
  max(c.sessions) AS flows, max(c.packets) AS packets,
  max(c.bytes) AS bytes,
  CASE WHEN c.port IN /*$ports.elasticsearch*/ (9200, 9300) THEN 8.0 ELSE 3.0 END AS severity,
  c.port, c.protocol, min(m.feed) AS feed, min(m.category) AS category,
  max(m.confidence) AS confidence, min(m.indicator) AS indicator
FROM contacts c
JOIN (SELECT DISTINCT address, feed, category, confidence, indicator FROM matches) m ON m.address = c.client AND m.category IN ('scanner', 'brute-force')
WHERE c.day >= /*$since*/ 0 AND c.day < /*$until*/ 4102444800
  AND c.client_side = 'public' AND c.server_side = 'ours' AND c.protocol = 6
  AND c.closed + c.empty + c.open > 0
  AND c.port NOT IN /*$ports.web*/ (80, 443) AND c.port NOT IN /*$ports.hadoop*/ (8042, 8088, 9870, 18080,
    19888, 50070)
GROUP BY c.day, c.server, c.client, c.port, c.protocol
