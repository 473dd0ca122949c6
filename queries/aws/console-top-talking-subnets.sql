/* flowscan
id = "console-top-talking-subnets"
title = "Subnets with most traffic"
description = "Bytes per subnet (the format needs subnet-id)."
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
    subnet_id,
    SUM(bytes) AS total_bytes,
    SUM(packets) AS total_packets
FROM vpc_flow_logs
WHERE subnet_id IS NOT NULL
  AND "date" >= DATE(/*$from_date*/ '2026-08-03') AND "date" <= DATE(/*$to_date*/ '2026-08-04')
GROUP BY subnet_id
ORDER BY total_bytes DESC, subnet_id
LIMIT /*$top*/ 50
