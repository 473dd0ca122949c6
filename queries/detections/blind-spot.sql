/* flowscan
id = "blind-spot"
title = "The logs do not show everything"
description = """
AWS says that it lost records of an interface (SKIPDATA), or an interface that reports even when
idle (NODATA) says nothing for two hours. What happened then cannot be known from flow logs."""
type = "Stealth:EC2/BlindSpot"
severity = 3.0
role = "TARGET"
direction = "unknown"
attack = ["TA0005:T1562.008"]
summary = "{resource}: {kind}, {windows:window|windows}, {seconds:duration} in all."
false_positives = "Interfaces that were created or deleted in between; capacity limits of AWS."
triage = "Compare with CloudTrail (DeleteFlowLogs) and with other logs of that time."
references = [
  "https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-records-examples.html",
  "https://attack.mitre.org/techniques/T1562/008/",
]
[params.min_gap]
type = "integer"
help = "least seconds without records or NODATA of an interface that has both"
*/
WITH lost AS (
  SELECT "start" - mod("start", 86400) AS day, interface_id, account_id, "start" AS s, "end" AS e
  FROM coverage
  WHERE log_status = 'SKIPDATA' AND interface_id IS NOT NULL
    AND "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
),
marks AS (
  SELECT interface_id, "start" - mod("start", 600) AS slot FROM flows
  WHERE "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
    AND interface_id IN (SELECT interface_id FROM coverage WHERE log_status = 'NODATA')
  UNION
  SELECT interface_id, "start" - mod("start", 600) FROM coverage
  WHERE "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
    AND interface_id IN (SELECT interface_id FROM coverage WHERE log_status = 'NODATA')
),
gaps AS (
  SELECT slot - mod(slot, 86400) AS day, interface_id, slot AS s,
    lead(slot) OVER (PARTITION BY interface_id, slot - mod(slot, 86400) ORDER BY slot) AS e
  FROM marks
)
SELECT day, interface_id AS resource, 'lost' AS dedup, CAST(NULL AS VARCHAR) AS actor,
  min(s) AS first_seen, max(e) AS last_seen, count(*) AS flows, 0 AS packets, 0 AS bytes,
  'SKIPDATA: AWS lost records' AS kind, count(*) AS windows, sum(e - s + 1) AS seconds
FROM lost
GROUP BY 1, 2
UNION ALL
SELECT day, interface_id, 'gap', CAST(NULL AS VARCHAR), min(s), max(e), count(*), 0, 0,
  'gap: neither records nor NODATA', count(*), sum(e - s)
FROM gaps
WHERE e - s >= /*$min_gap*/ 7200
GROUP BY 1, 2
