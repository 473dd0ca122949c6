/* flowscan
id = "docs-readable-times"
title = "Records with readable times"
description = "Start and end of each record as ISO 8601."
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
    to_iso8601(from_unixtime(start)) AS start_time,
    to_iso8601(from_unixtime("end")) AS end_time,
    interface_id,
    srcaddr,
    dstaddr,
    srcport,
    dstport,
    protocol,
    action,
    packets,
    bytes
FROM test_table_vpclogs
WHERE day >= /*$from_day*/ '2026/08/03' AND day < /*$to_day*/ '2026/08/05'
ORDER BY start, interface_id, srcaddr, dstaddr, srcport, dstport, protocol, action, packets, bytes, "end"
LIMIT /*$top*/ 100
