/* flowscan
id = "console-total-bytes-transferred-packet-level"
title = "Pairs with most bytes, at packet level"
description = "Bytes from each source to each destination."
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
    pkt_srcaddr,
    pkt_dstaddr,
    SUM(bytes) AS total_bytes
FROM vpc_flow_logs
WHERE pkt_srcaddr IS NOT NULL
  AND pkt_dstaddr IS NOT NULL
  AND "date" >= DATE(/*$from_date*/ '2026-08-03') AND "date" <= DATE(/*$to_date*/ '2026-08-04')
GROUP BY pkt_srcaddr, pkt_dstaddr
ORDER BY total_bytes DESC, pkt_srcaddr, pkt_dstaddr
LIMIT /*$top*/ 50
