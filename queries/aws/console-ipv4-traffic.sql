/* flowscan
id = "console-ipv4-traffic"
title = "Bytes over IPv4"
description = "Records, packets and bytes between IPv4 addresses."
[params.from_date]
type = "string"
help = "first day, YYYY-MM-DD"
[params.to_date]
type = "string"
help = "last day, YYYY-MM-DD"
*/
SELECT
    COUNT(*) AS records,
    COALESCE(SUM(packets), 0) AS total_packets,
    COALESCE(SUM(bytes), 0) AS total_bytes
FROM vpc_flow_logs
WHERE strpos(srcaddr, '.') > 0
  AND "date" >= DATE(/*$from_date*/ '2026-08-03') AND "date" <= DATE(/*$to_date*/ '2026-08-04')
