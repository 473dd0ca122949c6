/* flowscan
id = "inbound-scan"
title = "A stranger scans our addresses"
description = """
A sequential test (threshold random walk) over the first contacts of each outside address with
each of our addresses and ports: mostly failures make a scanner. Many failed ports of one host
make one too, whatever else succeeded."""
type = "Recon:EC2/InboundScan"
severity = 2.0
role = "TARGET"
direction = "inbound"
attack = ["TA0043:T1595.001", "TA0007:T1046"]
improves = ["tcp_flags"]
reduced = """
without tcp-flags a refused handshake is told from an answered one by packet and byte counts only"""
function = "sequential"
summary = """
{actor}{others} tried {targets:target|targets} on {resource}, {answered:count} answered; ports {ports}."""
false_positives = "Vulnerability scanners that you hire; clients of a service that has moved away."
triage = """
Low while everything is refused: the internet does this to everybody. Look at what answered, and
whether it should be open to the world."""
references = [
  "https://doi.org/10.1109/SECPRI.2004.1301325",
  "https://attack.mitre.org/techniques/T1595/001/",
]
[params.benign_success]
type = "float"
help = "share of first contacts of a benign host that succeed"
[params.scanner_success]
type = "float"
help = "share of first contacts of a scanner that succeed"
[params.false_positive]
type = "float"
help = "tolerated share of benign hosts called scanners"
[params.detection]
type = "float"
help = "wanted share of scanners found"
[params.min_targets]
type = "integer"
help = "least different targets (address and port)"
[params.many_ports]
type = "integer"
help = "failed targets on one host that make a scan whatever succeeded"
*/
SELECT s.walk, c.day, c.client, c.server AS resource,
  concat(c.server, ':', CAST(c.port AS VARCHAR), '/', CAST(c.protocol AS VARCHAR)) AS target,
  c.port, c.first_seen, c.last_seen,
  CASE WHEN c.open + c.empty > 0 THEN 1 ELSE 0 END AS success,
  c.closed, c.refused, c.sessions,
  c.packets AS packets, c.bytes AS bytes
FROM contacts c
JOIN (
  SELECT day, client, row_number() OVER (ORDER BY day, client) AS walk
  FROM contacts
  WHERE day >= /*$since*/ 0 AND day < /*$until*/ 4102444800
    AND client_side = 'public' AND server_side = 'ours' AND protocol IN (6, 17)
  GROUP BY day, client
  -- Four failures in a row are the least that decides.
  HAVING sum(CASE WHEN failed > 0 AND open + empty = 0 THEN 1 ELSE 0 END) >= 4
) s ON s.day = c.day AND s.client = c.client
WHERE c.server_side = 'ours' AND c.protocol IN (6, 17)
  AND c.refused + c.silent + c.closed + c.empty + c.open > 0
  AND /*$benign_success*/ 0.8 > /*$scanner_success*/ 0.2
  AND /*$false_positive*/ 0.01 + /*$detection*/ 0.99 > 0
  AND /*$min_targets*/ 4 > 0 AND /*$many_ports*/ 25 > 0
