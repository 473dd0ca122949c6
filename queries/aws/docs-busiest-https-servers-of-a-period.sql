/* flowscan
id = "docs-busiest-https-servers-of-a-period"
title = "Busiest HTTPS servers of a period"
description = "Destinations of port 443 by packets, in a period."
[params.from_day]
type = "string"
help = "first day, YYYY/MM/DD"
[params.to_day]
type = "string"
help = "day after the last, YYYY/MM/DD"
[params.top]
type = "integer"
help = "rows to show"
*/
SELECT
    SUM(packets) AS packetcount,
    dstaddr
FROM test_table_vpclogs
WHERE dstport = 443
  AND day >= /*$from_day*/ '2026/08/03' AND day < /*$to_day*/ '2026/08/05'
GROUP BY dstaddr
ORDER BY packetcount DESC, dstaddr
LIMIT /*$top*/ 10
