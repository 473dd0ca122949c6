/* flowscan
id = "console-traffic-to-destination"
title = "Traffic of one destination"
description = "Records of one destination address in the order of time."
[params.address]
type = "string"
help = "the destination address"
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
    "start",
    "end",
    interface_id,
    srcaddr,
    srcport,
    dstaddr,
    dstport,
    protocol,
    packets,
    bytes,
    action
FROM vpc_flow_logs
WHERE dstaddr = /*$address*/ '10.20.1.10'
  AND "date" >= DATE(/*$from_date*/ '2026-08-03') AND "date" <= DATE(/*$to_date*/ '2026-08-04')
ORDER BY "start", "end", interface_id, srcaddr, srcport, dstaddr, dstport, protocol, action, packets, bytes
LIMIT /*$top*/ 50
