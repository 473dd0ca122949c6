/* flowscan
id = "console-top-tcp-traffic"
title = "TCP traffic of a source"
description = "Destinations and ports that a source sent most TCP bytes to."
[params.address]
type = "string"
help = "the source address"
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
    dstaddr,
    dstport,
    SUM(bytes) AS total_bytes,
    SUM(packets) AS total_packets,
    COUNT(*) AS records
FROM vpc_flow_logs
WHERE protocol = 6
  AND srcaddr = /*$address*/ '10.20.1.10'
  AND "date" >= DATE(/*$from_date*/ '2026-08-03') AND "date" <= DATE(/*$to_date*/ '2026-08-04')
GROUP BY dstaddr, dstport
ORDER BY total_bytes DESC, dstaddr, dstport
LIMIT /*$top*/ 50
