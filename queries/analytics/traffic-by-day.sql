/* flowscan
id = "traffic-by-day"
title = "How traffic runs over the days"
description = "Flows, bytes and refusals per day (UTC)."
[params.top]
type = "integer"
help = "rows to show"
*/
SELECT
    date_format(from_unixtime("start" - mod("start", 86400)), '%Y-%m-%d') AS day,
    COUNT(*) AS flows,
    SUM(CASE WHEN action = 'REJECT' THEN 1 ELSE 0 END) AS rejected,
    SUM(bytes) AS bytes,
    SUM(packets) AS packets,
    COUNT(DISTINCT srcaddr) AS sources
FROM flows
WHERE "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
GROUP BY "start" - mod("start", 86400)
ORDER BY day
LIMIT /*$top*/ 366
