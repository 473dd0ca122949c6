/* flowscan
id = "traffic-by-day"
title = "How traffic runs over the days"
description = "Sessions that began, accepted bytes of both directions, each packet once, and refusals apart (records and bytes), per day (UTC). Clients are the addresses that called."
[params.top]
type = "integer"
help = "rows to show"
*/
SELECT
    date_format(from_unixtime(day), '%Y-%m-%d') AS day,
    SUM(sessions) AS sessions,
    SUM(bytes_out + bytes_in) AS bytes,
    SUM(packets_out + packets_in) AS packets,
    SUM(rejected) AS rejected,
    SUM(refused_bytes) AS refused_bytes,
    COUNT(DISTINCT client) AS clients
FROM volumes
WHERE hour > /*$since*/ 0 - 3600 AND hour < /*$until*/ 4102444800
GROUP BY volumes.day
ORDER BY day
LIMIT /*$top*/ 366
