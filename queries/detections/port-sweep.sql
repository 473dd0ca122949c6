/* flowscan
id = "port-sweep"
title = "One of our hosts tries one port on many hosts"
description = """
One of our hosts calls the same port of many addresses within a day and mostly gets no answer, or
tries login ports of many strangers."""
type = "Impact:EC2/PortSweep"
severity = 7.0
role = "ACTOR"
direction = "outbound"
attack = ["TA0007:T1046", "TA0008:T1021"]
improves = ["tcp_flags"]
reduced = """
without tcp-flags a refused handshake is told from an answered one by packet and byte counts only"""
summary = "{resource} tried port {port} on {hosts:host|hosts}, {failed_hosts:count} of them in vain."
false_positives = "Inventory and vulnerability scanners; a crawler of servers that are mostly gone."
triage = "Isolate the host if nobody expects this; worms spread like it."
references = [
  "https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-ec2.html",
  "https://attack.mitre.org/techniques/T1046/",
]
[params.min_hosts]
type = "integer"
help = "least hosts that were tried on one port"
*/
WITH swept AS (
  SELECT day, client, port, protocol,
    count(*) AS hosts,
    sum(CASE WHEN failed + empty > 0 AND open = 0 THEN 1 ELSE 0 END) AS failed_hosts,
    max(CASE WHEN server_side = 'public' THEN 1 ELSE 0 END) AS outside
  FROM contacts
  WHERE day >= /*$since*/ 0 AND day < /*$until*/ 4102444800
    AND client_side = 'ours' AND server_side <> 'other' AND failed + empty + open > 0
    AND (protocol IN (1, 6)
      OR (protocol = 17 AND port NOT IN /*$ports.udp_many*/ (53, 123, 137, 138, 443, 1900, 3478,
        5353)
        AND port NOT BETWEEN /*$ports.bittorrent*/ 6881 AND 6889))
  GROUP BY 1, 2, 3, 4
  HAVING (sum(CASE WHEN failed + empty > 0 AND open = 0 THEN 1 ELSE 0 END) >= /*$min_hosts*/ 25
      AND sum(CASE WHEN failed + empty > 0 AND open = 0 THEN 1 ELSE 0 END) * 2 >= count(*)
      AND (port NOT IN /*$ports.dns_and_web*/ (53, 80, 443) OR count(*) >= 100))
    -- Logins are rarely tried on many strangers for a good reason, whether they answer or not.
    OR (protocol = 6 AND port IN /*$ports.swept*/ (22, 23, 445, 1433, 2222, 2323, 3306, 3389, 5555,
      5900, 6379)
      AND sum(CASE WHEN server_side = 'public' THEN 1 ELSE 0 END) >= /*$min_hosts*/ 25)
)
SELECT c.day, c.client AS resource,
  concat(CAST(c.port AS VARCHAR), '/', CAST(c.protocol AS VARCHAR)) AS dedup,
  c.server AS actor,
  c.first_seen, c.last_seen, c.sessions AS flows, c.packets AS packets,
  c.bytes AS bytes,
  CASE WHEN c.protocol = 1 THEN 3.0 ELSE 7.0 END AS severity,
  c.port, c.protocol, s.hosts, s.failed_hosts, c.open AS answered
FROM contacts c
JOIN swept s ON s.day = c.day AND s.client = c.client AND s.port = c.port
  AND s.protocol = c.protocol
WHERE c.server_side <> 'other'
