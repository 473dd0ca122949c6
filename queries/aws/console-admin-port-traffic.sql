/* flowscan
id = "console-admin-port-traffic"
title = "Addresses on administrative web ports"
description = "Addresses with most bytes on ports of administration pages."
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
    ip,
    SUM(bytes) AS total_bytes
FROM (
    SELECT dstaddr AS ip, bytes
    FROM vpc_flow_logs
    WHERE dstport IN (8080, 8443, 8888, 9090, 10000) AND "date" >= DATE(/*$from_date*/ '2026-08-03') AND "date" <= DATE(/*$to_date*/ '2026-08-04')
    UNION ALL
    SELECT srcaddr AS ip, bytes
    FROM vpc_flow_logs
    WHERE srcport IN (8080, 8443, 8888, 9090, 10000) AND "date" >= DATE(/*$from_date*/ '2026-08-03') AND "date" <= DATE(/*$to_date*/ '2026-08-04')
) AS sides
GROUP BY 1
ORDER BY total_bytes DESC, ip
LIMIT /*$top*/ 10
