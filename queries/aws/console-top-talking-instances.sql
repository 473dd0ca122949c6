/* flowscan
id = "console-top-talking-instances"
title = "Instances with most traffic"
description = "Bytes per instance (the format needs instance-id)."
[params.from_date]
type = "string"
help = "first day, YYYY-MM-DD"
[params.to_date]
type = "string"
help = "last day, YYYY-MM-DD"
[params.top]
type = "integer"
help = "rows to show"
*/
SELECT
    instance_id,
    SUM(bytes) AS total_bytes,
    SUM(packets) AS total_packets
FROM vpc_flow_logs
WHERE instance_id IS NOT NULL
  AND "date" >= DATE(/*$from_date*/ '2026-08-03') AND "date" <= DATE(/*$to_date*/ '2026-08-04')
GROUP BY instance_id
ORDER BY total_bytes DESC, instance_id
LIMIT /*$top*/ 50
