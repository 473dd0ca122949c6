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
    -- A record counts no more than 2^45 packets, so that the sum holds a lie.
    CAST(least(SUM(CAST(least(COALESCE(packets, 0), 35184372088832) AS DOUBLE)), 9.0E15) AS BIGINT)
        AS packets,
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
