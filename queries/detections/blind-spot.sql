/* flowscan
id = "blind-spot"
title = "The logs do not show everything"
description = """
AWS says that it lost records of an interface (SKIPDATA), or an interface that reports even when
idle (NODATA, that day or before) says nothing for two hours. What happened then cannot be known from flow logs."""
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
WITH said AS (
  SELECT "start" - mod("start", 86400) AS day, interface_id, log_status, "start" AS s, "end" AS e
  FROM coverage
  WHERE interface_id IS NOT NULL AND "start" < /*$until*/ 4102444800
),
lost AS (
  SELECT day, interface_id, s, e
  FROM said
  WHERE log_status = 'SKIPDATA' AND day >= /*$since*/ 0
),
idle AS (
  -- Interfaces that report when nothing happens, and since when.
  SELECT interface_id, min(day) AS known
  FROM said
  WHERE log_status = 'NODATA'
  GROUP BY 1
),
hours AS (
  SELECT t.day, t.interface_id, t.hour
  FROM tallies t
  JOIN idle i ON i.interface_id = t.interface_id AND i.known <= t.day
  WHERE t.day >= /*$since*/ 0 AND t.day < /*$until*/ 4102444800
  UNION
  SELECT c.day, c.interface_id, c.s - mod(c.s, 3600)
  FROM said c
  JOIN idle i ON i.interface_id = c.interface_id AND i.known <= c.day
  WHERE c.day >= /*$since*/ 0
),
silent AS (
  -- Two hours without a word have a whole hour of the clock among them; less may have none.
  SELECT DISTINCT day, interface_id
  FROM (
    SELECT day, interface_id, hour,
      lead(hour) OVER (PARTITION BY interface_id, day ORDER BY hour) AS next_hour
    FROM hours
  ) h
  WHERE next_hour - hour > 3600 OR /*$min_gap*/ 7200 < 7200
),
marks AS (
  SELECT f.interface_id, f."start" - mod(f."start", 600) AS slot
  FROM flows f
  JOIN silent x ON x.interface_id = f.interface_id
    AND x.day = f."start" - mod(f."start", 86400)
  WHERE f."start" >= /*$since*/ 0 AND f."start" < /*$until*/ 4102444800
  UNION
  SELECT c.interface_id, c.s - mod(c.s, 600)
  FROM said c
  JOIN silent x ON x.interface_id = c.interface_id AND x.day = c.day
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
