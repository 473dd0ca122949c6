/* flowscan
id = "console-top-talkers-packet-level"
title = "Addresses with most traffic, at packet level"
description = "Bytes of each address as source and as destination together."
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
    SELECT pkt_srcaddr AS ip, bytes FROM vpc_flow_logs WHERE "date" >= DATE(/*$from_date*/ '2026-08-03') AND "date" <= DATE(/*$to_date*/ '2026-08-04')
    UNION ALL
    SELECT pkt_dstaddr AS ip, bytes FROM vpc_flow_logs WHERE "date" >= DATE(/*$from_date*/ '2026-08-03') AND "date" <= DATE(/*$to_date*/ '2026-08-04')
) AS sides
WHERE ip IS NOT NULL
GROUP BY 1
ORDER BY total_bytes DESC, ip
LIMIT /*$top*/ 50
