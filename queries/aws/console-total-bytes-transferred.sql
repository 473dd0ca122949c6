/* flowscan
id = "console-total-bytes-transferred"
title = "Pairs with most bytes"
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
    srcaddr,
    dstaddr,
    SUM(bytes) AS total_bytes
FROM vpc_flow_logs
WHERE srcaddr IS NOT NULL
  AND dstaddr IS NOT NULL
  AND "date" >= DATE(/*$from_date*/ '2026-08-03') AND "date" <= DATE(/*$to_date*/ '2026-08-04')
GROUP BY srcaddr, dstaddr
ORDER BY total_bytes DESC, srcaddr, dstaddr
LIMIT /*$top*/ 50
