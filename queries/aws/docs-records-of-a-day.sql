/* flowscan
id = "docs-records-of-a-day"
title = "Records of one day"
description = "The first records of a date, in the order of time."
[params.day]
type = "string"
help = "date, YYYY-MM-DD"
[params.top]
type = "integer"
help = "rows to show"
*/
SELECT *
FROM vpc_flow_logs
WHERE "date" = DATE(/*$day*/ '2026-08-03')
ORDER BY start, interface_id, srcaddr, dstaddr, srcport, dstport, protocol, action, packets, bytes, "end"
LIMIT /*$top*/ 100
