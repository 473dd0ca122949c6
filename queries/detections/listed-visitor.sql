/* flowscan
id = "listed-visitor"
title = "A listed address was let in"
description = """
An address of a threat feed holds sessions with one of our hosts. On a public web site that is
daily life and low; on an administrative port with real work in it, medium."""
type = "UnauthorizedAccess:EC2/MaliciousIPCaller.Inbound"
severity = 2.0
role = "TARGET"
direction = "inbound"
attack = ["TA0001:T1190"]
feeds = true
when = """
client_side = 'public' AND server_side = 'ours' AND open > 0
AND client_category IS NOT NULL"""
summary = """
{actor}{others} reached port {port} of {resource}; {feed} lists {indicator} as {category}."""
false_positives = "Visitors behind Tor exits or shared addresses."
triage = "On an administrative port: read the login log."
references = ["https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-ec2.html"]
*/
SELECT c.day, c.server AS resource, concat(CAST(c.port AS VARCHAR), '/', CAST(c.protocol AS VARCHAR)) AS dedup,
  c.client AS actor, min(c.first_seen) AS first_seen, max(c.last_seen) AS last_seen,
  max(c.sessions) AS flows, max(c.packets) AS packets,
  max(c.bytes) AS bytes,
  CASE WHEN c.port IN /*$ports.control_and_data*/ (21, 22, 23, 445, 1433, 2222, 3306, 3389, 5432,
    5900, 5985, 5986, 6379, 9200, 27017)
    AND max(c.heavy) > 0 THEN 5.0 ELSE 2.0 END AS severity,
  c.port, c.protocol, min(m.feed) AS feed, min(m.category) AS category,
  max(m.confidence) AS confidence, min(m.indicator) AS indicator, max(c.open) AS open
FROM contacts c
JOIN (SELECT DISTINCT address, feed, category, confidence, indicator FROM matches) m ON m.address = c.client
WHERE c.day >= /*$since*/ 0 AND c.day < /*$until*/ 4102444800
  AND c.client_side = 'public' AND c.server_side = 'ours' AND c.open > 0
GROUP BY c.day, c.server, c.client, c.port, c.protocol
