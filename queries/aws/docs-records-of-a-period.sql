/* flowscan
id = "docs-records-of-a-period"
title = "Records of a period"
description = "The first records of a period, on a table that is partitioned by day as text."
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
SELECT *
FROM test_table_vpclogs
WHERE day >= /*$from_day*/ '2026/08/03' AND day < /*$to_day*/ '2026/08/05'
ORDER BY day, start, interface_id, srcaddr, dstaddr, srcport, dstport, protocol, action, packets, bytes, "end"
LIMIT /*$top*/ 100
