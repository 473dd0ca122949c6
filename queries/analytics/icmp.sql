/* flowscan
id = "icmp"
title = "Who uses ICMP"
description = "ICMP and ICMPv6 traffic: pings, sweeps and tunnels. Large packets deserve a look."
[params.top]
type = "integer"
help = "rows to show"
*/
SELECT
    srcaddr,
    COUNT(DISTINCT dstaddr) AS targets,
    COUNT(*) AS flows,
    SUM(CASE WHEN action = 'REJECT' THEN 1 ELSE 0 END) AS rejected,
    SUM(packets) AS packets,
    SUM(bytes) AS bytes,
    ROUND(CAST(SUM(bytes) AS DOUBLE) / NULLIF(SUM(packets), 0), 1) AS bytes_per_packet
FROM flows
WHERE protocol IN (1, 58)
  AND "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
GROUP BY srcaddr
ORDER BY targets DESC, packets DESC, srcaddr
LIMIT /*$top*/ 50
