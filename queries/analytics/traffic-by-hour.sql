/* flowscan
id = "traffic-by-hour"
title = "How traffic runs over the hours"
description = "Flows, bytes and refusals per hour (UTC)."
[params.top]
type = "integer"
help = "rows to show"
*/
SELECT
    date_format(from_unixtime("start" - mod("start", 3600)), '%Y-%m-%dT%H:00Z') AS hour,
    COUNT(*) AS flows,
    SUM(CASE WHEN action = 'REJECT' THEN 1 ELSE 0 END) AS rejected,
    SUM(bytes) AS bytes,
    SUM(packets) AS packets,
    COUNT(DISTINCT srcaddr) AS sources
FROM flows
WHERE "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
GROUP BY "start" - mod("start", 3600)
ORDER BY hour
LIMIT /*$top*/ 744
