/* flowscan
id = "port-probe-emr"
title = "A known scanner reached a port of EMR"
description = """
A scanner that a feed lists was not refused on a port on which EMR and Hadoop show their consoles."""
type = "Recon:EC2/PortProbeEMRUnprotectedPort"
severity = 8.0
role = "TARGET"
direction = "inbound"
attack = ["TA0043:T1595.001"]
feeds = true
when = """
client_side = 'public' AND server_side = 'ours' AND protocol = 6
AND closed + empty + open > 0 AND client_category IN ('scanner', 'brute-force')
AND port IN $ports.hadoop"""
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
  8.0 AS severity,
  c.port, c.protocol, min(m.feed) AS feed, min(m.category) AS category,
  max(m.confidence) AS confidence, min(m.indicator) AS indicator
FROM contacts c
JOIN (SELECT DISTINCT address, feed, category, confidence, indicator FROM matches) m ON m.address = c.client AND m.category IN ('scanner', 'brute-force')
WHERE c.day >= /*$since*/ 0 AND c.day < /*$until*/ 4102444800
  AND c.client_side = 'public' AND c.server_side = 'ours' AND c.protocol = 6
  AND c.closed + c.empty + c.open > 0 AND c.port IN /*$ports.hadoop*/ (8042, 8088, 9870, 18080,
    19888, 50070)
GROUP BY c.day, c.server, c.client, c.port, c.protocol
