/* flowscan
id = "top-pairs"
title = "Who talks to whom most"
description = "Accepted bytes that one address sent to another, each packet once, behind a NAT gateway under the names of both ends. Ports are those of the services, sessions those that began, whoever called."
[params.top]
type = "integer"
help = "rows to show"
*/
WITH sent AS (
    SELECT client AS srcaddr, server AS dstaddr, port, sessions, bytes_out AS bytes,
        packets_out AS packets
    FROM volumes
    WHERE packets_out > 0 AND hour > /*$since*/ 0 - 3600 AND hour < /*$until*/ 4102444800
    UNION ALL
    SELECT server, client, port, sessions, bytes_in, packets_in
    FROM volumes
    WHERE packets_in > 0 AND hour > /*$since*/ 0 - 3600 AND hour < /*$until*/ 4102444800
)
SELECT
    srcaddr,
    dstaddr,
    SUM(bytes) AS bytes,
    SUM(packets) AS packets,
    SUM(sessions) AS sessions,
    COUNT(DISTINCT port) AS ports
FROM sent
GROUP BY srcaddr, dstaddr
ORDER BY bytes DESC, srcaddr, dstaddr
LIMIT /*$top*/ 20
