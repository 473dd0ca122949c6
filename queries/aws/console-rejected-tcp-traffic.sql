/* flowscan
id = "console-rejected-tcp-traffic"
title = "TCP traffic that was refused"
description = "Source, destination and ports with the bytes moved, largest first."
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
    srcaddr,
    dstaddr,
    dstport,
    protocol,
    action,
    COUNT(*) AS records,
    SUM(packets) AS total_packets,
    SUM(bytes) AS total_bytes
FROM vpc_flow_logs
WHERE action = 'REJECT' AND protocol = 6
  AND "date" >= DATE(/*$from_date*/ '2026-08-03') AND "date" <= DATE(/*$to_date*/ '2026-08-04')
GROUP BY srcaddr, dstaddr, dstport, protocol, action
ORDER BY total_bytes DESC, srcaddr, dstaddr, dstport, protocol, action
LIMIT /*$top*/ 50
