/* flowscan
id = "docs-busiest-https-servers-of-a-week"
title = "Busiest HTTPS servers of the days before a date"
description = "Destinations of port 443 by packets, over the seven days before the given date."
[params.day]
type = "string"
help = "date, YYYY-MM-DD"
[params.top]
type = "integer"
help = "rows to show"
*/
SELECT
    SUM(packets) AS packetcount,
    dstaddr
FROM vpc_flow_logs
WHERE dstport = 443
  AND "date" > DATE(/*$day*/ '2026-08-04') - INTERVAL '7' DAY
  AND "date" <= DATE(/*$day*/ '2026-08-04')
GROUP BY dstaddr
ORDER BY packetcount DESC, dstaddr
LIMIT /*$top*/ 10
