/* flowscan
id = "docs-rejected-tcp-by-weekday"
title = "Refused TCP connections with the day of the week"
description = "Refused TCP records since a date, each with its weekday: 1 is Monday."
[params.day]
type = "string"
help = "date, YYYY-MM-DD"
[params.top]
type = "integer"
help = "rows to show"
*/
SELECT
    day_of_week("date") AS weekday,
    "date",
    interface_id,
    srcaddr,
    action,
    protocol,
    COUNT(*) AS records
FROM vpc_flow_logs
WHERE action = 'REJECT'
  AND protocol = 6
  AND "date" >= DATE(/*$day*/ '2026-08-03')
GROUP BY 1, "date", interface_id, srcaddr, action, protocol
ORDER BY "date", records DESC, interface_id, srcaddr
LIMIT /*$top*/ 100
