/* flowscan
id = "spambot"
title = "One of our hosts sends mail to many servers"
description = """
A host calls port 25 of many outside addresses within a day. If it also receives mail from outside
it is taken for a mail server, and the finding is low."""
type = "Backdoor:EC2/Spambot"
severity = 5.0
role = "ACTOR"
direction = "outbound"
attack = ["TA0042:T1583.005"]
when = """
client_side = 'ours' AND server_side = 'public' AND protocol = 6 AND port = 25 AND failed + empty
+ open > 0"""
summary = "{resource} called port 25 of {servers:outside address|outside addresses}, {failed_servers:count} in vain."
false_positives = "Your own outgoing mail server: suppress it by resource."
triage = "If the host is no mail server, find what sends."
references = ["https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-ec2.html"]
[params.min_servers]
type = "integer"
help = "least outside mail servers called in a day"
*/
WITH senders AS (
  SELECT day, client, count(*) AS servers, sum(CASE WHEN open = 0 THEN 1 ELSE 0 END) AS failed_servers
  FROM contacts
  WHERE day >= /*$since*/ 0 AND day < /*$until*/ 4102444800
    AND client_side = 'ours' AND server_side = 'public' AND protocol = 6 AND port = 25
    AND failed + empty + open > 0
  GROUP BY 1, 2
  HAVING count(*) >= /*$min_servers*/ 20
),
exchangers AS (
  -- Who also receives mail from outside is a mail server.
  SELECT day, server AS host
  FROM contacts
  WHERE client_side = 'public' AND server_side = 'ours' AND protocol = 6 AND port IN /*$ports.smtp*/ (25,
    465, 587)
    AND open > 0
  GROUP BY 1, 2
  HAVING count(*) >= 3
)
SELECT c.day, c.client AS resource, '25' AS dedup, c.server AS actor, c.first_seen, c.last_seen,
  c.sessions AS flows, c.packets AS packets, c.bytes AS bytes,
  CASE WHEN x.host IS NULL THEN 5.0 ELSE 2.0 END AS severity,
  c.port, c.protocol, s.servers, s.failed_servers,
  CASE WHEN x.host IS NULL THEN 'no' ELSE 'yes' END AS receives_mail
FROM senders s
LEFT JOIN exchangers x ON x.day = s.day AND x.host = s.client
JOIN contacts c ON c.day = s.day AND c.client = s.client AND c.port = 25 AND c.protocol = 6
  AND c.server_side = 'public'
