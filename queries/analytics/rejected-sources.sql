/* flowscan
id = "rejected-sources"
title = "Who is being refused, in records"
description = "Records of refused traffic by their source: how many addresses and ports they tried."
[params.top]
type = "integer"
help = "rows to show"
*/
SELECT
    srcaddr,
    COUNT(*) AS flows,
    SUM(packets) AS packets,
    COUNT(DISTINCT dstaddr) AS targets,
    COUNT(DISTINCT dstport) AS ports,
    date_format(from_unixtime(MIN("start")), '%Y-%m-%dT%H:%i:%sZ') AS first_seen,
    date_format(from_unixtime(MAX("end")), '%Y-%m-%dT%H:%i:%sZ') AS last_seen
FROM flows
WHERE action = 'REJECT'
  AND "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
GROUP BY srcaddr
ORDER BY flows DESC, srcaddr
LIMIT /*$top*/ 20
