/* flowscan
id = "docs-records-of-a-destination"
title = "Records of one destination address"
description = "What one destination address has in a period."
[params.address]
type = "string"
help = "the destination address"
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
    interface_id,
    srcaddr,
    dstaddr,
    srcport,
    dstport,
    protocol,
    action,
    packets,
    bytes,
    start,
    "end",
    day
FROM test_table_vpclogs
WHERE dstaddr = /*$address*/ '10.20.1.10'
  AND day >= /*$from_day*/ '2026/08/03' AND day < /*$to_day*/ '2026/08/05'
ORDER BY start, interface_id, srcaddr, dstaddr, srcport, dstport, protocol, action, packets, bytes, "end"
LIMIT /*$top*/ 100
