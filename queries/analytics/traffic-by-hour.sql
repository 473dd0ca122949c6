/* flowscan
id = "traffic-by-hour"
title = "How traffic runs over the hours"
description = "Sessions that began, accepted bytes of both directions, each packet once, and refusals apart (records and bytes), per hour (UTC). Clients are the addresses that called."
[params.top]
type = "integer"
help = "rows to show"
*/
SELECT
    date_format(from_unixtime(hour), '%Y-%m-%dT%H:00Z') AS hour,
    SUM(sessions) AS sessions,
    SUM(bytes_out + bytes_in) AS bytes,
    SUM(packets_out + packets_in) AS packets,
    SUM(rejected) AS rejected,
    SUM(refused_bytes) AS refused_bytes,
    COUNT(DISTINCT client) AS clients
FROM volumes
WHERE hour > /*$since*/ 0 - 3600 AND hour < /*$until*/ 4102444800
GROUP BY volumes.hour
ORDER BY hour
LIMIT /*$top*/ 744
