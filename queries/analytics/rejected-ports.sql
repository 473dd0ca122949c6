/* flowscan
id = "rejected-ports"
title = "Which ports are being refused, in records"
description = "Records of refused traffic by their destination port, most refused first: how many sources tried, what they tried to reach, and when."
[params.top]
type = "integer"
help = "rows to show"
*/
SELECT
    dstport,
    protocol,
    COUNT(*) AS flows,
    -- A record counts no more than 2^45 packets, so that the sum holds a lie.
    CAST(least(SUM(CAST(least(COALESCE(packets, 0), 35184372088832) AS DOUBLE)), 9.0E15) AS BIGINT)
        AS packets,
    COUNT(DISTINCT srcaddr) AS sources,
    COUNT(DISTINCT dstaddr) AS targets,
    date_format(from_unixtime(MIN("start")), '%Y-%m-%dT%H:%i:%sZ') AS first_seen,
    date_format(from_unixtime(MAX("end")), '%Y-%m-%dT%H:%i:%sZ') AS last_seen
FROM flows
WHERE action = 'REJECT'
  AND "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
GROUP BY dstport, protocol
ORDER BY flows DESC, dstport, protocol
LIMIT /*$top*/ 20
