/* flowscan
id = "volume-unusual"
title = "One of our hosts sends far more than usual"
description = """
The bytes that a host sends to the internet in one hour stand out from the same hour of earlier
weeks (or the hour of the day, or all hours): modified z-score of the logarithm above 3.5."""
type = "Behavior:EC2/TrafficVolumeUnusual"
severity = 5.0
role = "ACTOR"
direction = "outbound"
attack = ["TA0010:T1030"]
function = "baseline"
lookback = 28
evidence = ["value", "usual", "score", "compared_with", "observations", "hour_at"]
summary = """
{resource} sent {value:bytes} in one hour, usual are {usual:bytes} ({compared_with},
{observations:observation|observations}); most went to {actor}."""
false_positives = "Releases, migrations, a new backup."
triage = "See exfiltration: where did it go?"
references = [
  "https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-ec2.html",
  "https://www.itl.nist.gov/div898/handbook/eda/section3/eda35h.htm",
]
[params.min_value]
type = "integer"
help = "least bytes sent to the internet in an hour"
[params.min_days]
type = "integer"
help = "least days of history of the host"
[params.min_score]
type = "float"
help = "least modified z-score"
[params.min_ratio]
type = "float"
help = "least ratio to the usual hour"
*/
WITH loud AS (
  SELECT DISTINCT client
  FROM (
    SELECT day, hour, client
    FROM volumes
    WHERE day >= /*$since*/ 0 AND day < /*$until*/ 4102444800
      -- 7 is the path through a gateway endpoint, which is not the internet.
      AND client_side = 'ours' AND server_side = 'public' AND COALESCE(path, 0) <> 7
    GROUP BY 1, 2, 3
    HAVING sum(bytes_out) >= /*$min_value*/ 50000000
  ) hours
),
hourly AS (
  SELECT v.day, v.hour, v.client AS address, CAST(sum(v.sessions) AS BIGINT) AS sessions,
    CAST(sum(v.bytes_out) AS BIGINT) AS bytes_out,
    CAST(sum(v.packets_out) AS BIGINT) AS packets_out,
    min(v.first_seen) AS first_seen, max(v.last_seen) AS last_seen,
    max_by(v.server, v.bytes_out) AS server
  FROM volumes v
  JOIN loud l ON l.client = v.client
  WHERE v.client_side = 'ours' AND v.server_side = 'public' AND COALESCE(v.path, 0) <> 7
  GROUP BY 1, 2, 3
)
SELECT v.day, v.hour, v.address AS resource, 'volume' AS dedup, v.server AS actor, v.first_seen, v.last_seen,
  v.sessions AS flows, v.packets_out AS packets, v.bytes_out AS bytes, v.bytes_out AS value,
  CASE WHEN v.day >= /*$since*/ 0 AND v.day < /*$until*/ 4102444800 THEN 1 ELSE 0 END AS judged
FROM hourly v
WHERE /*$min_days*/ 5 > 0 AND /*$min_score*/ 3.5 > 0 AND /*$min_ratio*/ 5.0 > 0
