/* flowscan
id = "egress-by-destination"
title = "Where data leaves to"
description = "Accepted traffic from private to public addresses, by destination."
[params.top]
type = "integer"
help = "rows to show"
*/
SELECT
    dstaddr,
    SUM(bytes) AS bytes,
    SUM(packets) AS packets,
    COUNT(*) AS flows,
    COUNT(DISTINCT srcaddr) AS sources,
    MIN(dstport) AS lowest_port,
    COUNT(DISTINCT dstport) AS ports,
    date_format(from_unixtime(MIN("start")), '%Y-%m-%dT%H:%i:%sZ') AS first_seen,
    date_format(from_unixtime(MAX("end")), '%Y-%m-%dT%H:%i:%sZ') AS last_seen
FROM flows
WHERE action = 'ACCEPT'
  AND regexp_like(srcaddr, '^(10\.|127\.|0\.|169\.254\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\.|22[4-9]\.|2[345][0-9]\.|[fF][cCdDeEfF]|::1$)')
  AND NOT regexp_like(dstaddr, '^(10\.|127\.|0\.|169\.254\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\.|22[4-9]\.|2[345][0-9]\.|[fF][cCdDeEfF]|::1$)')
  AND "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
GROUP BY dstaddr
ORDER BY bytes DESC, dstaddr
LIMIT /*$top*/ 20
