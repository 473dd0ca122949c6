/* flowscan
id = "coverage-gaps"
title = "Where records are missing"
description = "NODATA (nothing to record) and SKIPDATA (records lost inside AWS) per network interface."
[params.top]
type = "integer"
help = "rows to show"
*/
SELECT
    account_id,
    interface_id,
    log_status,
    COUNT(*) AS windows,
    SUM("end" - "start") AS seconds,
    date_format(from_unixtime(MIN("start")), '%Y-%m-%dT%H:%i:%sZ') AS first_seen,
    date_format(from_unixtime(MAX("end")), '%Y-%m-%dT%H:%i:%sZ') AS last_seen
FROM coverage
WHERE "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
GROUP BY account_id, interface_id, log_status
ORDER BY log_status DESC, windows DESC, account_id, interface_id
LIMIT /*$top*/ 200
