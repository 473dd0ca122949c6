/* flowscan
id = "ipv6-traffic"
title = "What goes over IPv6"
description = "Traffic between IPv6 addresses, by destination port."
[params.top]
type = "integer"
help = "rows to show"
*/
SELECT
    dstport,
    protocol,
    action,
    COUNT(DISTINCT srcaddr) AS sources,
    COUNT(DISTINCT dstaddr) AS targets,
    COUNT(*) AS flows,
    SUM(packets) AS packets,
    SUM(bytes) AS bytes
FROM flows
WHERE strpos(srcaddr, ':') > 0
  AND "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
GROUP BY dstport, protocol, action
ORDER BY bytes DESC, dstport, protocol, action
LIMIT /*$top*/ 50
