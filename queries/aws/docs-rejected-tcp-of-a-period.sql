/* flowscan
id = "docs-rejected-tcp-of-a-period"
title = "Refused TCP records of a period"
description = "The first refused TCP records."
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
    start,
    interface_id,
    srcaddr,
    dstaddr,
    dstport,
    action,
    protocol
FROM test_table_vpclogs
WHERE action = 'REJECT'
  AND protocol = 6
  AND day >= /*$from_day*/ '2026/08/03' AND day < /*$to_day*/ '2026/08/05'
ORDER BY start, interface_id, srcaddr, dstaddr, dstport, srcport, packets
LIMIT /*$top*/ 10
