/* flowscan
id = "rejected-by-hour"
title = "When ports are being refused, in records"
description = "Records of refused traffic per hour (UTC) and destination port."
[params.top]
type = "integer"
help = "rows to show"
*/
SELECT
    date_format(from_unixtime("start" - mod("start", 3600)), '%Y-%m-%dT%H:00Z') AS hour,
    dstport,
    protocol,
    COUNT(*) AS flows,
    COUNT(DISTINCT srcaddr) AS sources
FROM flows
WHERE action = 'REJECT'
  AND "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
GROUP BY "start" - mod("start", 3600), dstport, protocol
ORDER BY hour, flows DESC, dstport, protocol
LIMIT /*$top*/ 500
