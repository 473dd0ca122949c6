/* flowscan
id = "top-pairs"
title = "Who talks to whom most"
description = "Pairs of source and destination by bytes."
[params.top]
type = "integer"
help = "rows to show"
*/
SELECT
    srcaddr,
    dstaddr,
    SUM(bytes) AS bytes,
    SUM(packets) AS packets,
    COUNT(*) AS flows,
    COUNT(DISTINCT dstport) AS ports
FROM flows
WHERE action = 'ACCEPT'
  AND "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
GROUP BY srcaddr, dstaddr
ORDER BY bytes DESC, srcaddr, dstaddr
LIMIT /*$top*/ 20
