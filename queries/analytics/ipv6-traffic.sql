/* flowscan
id = "ipv6-traffic"
title = "What goes over IPv6"
description = "Accepted bytes between IPv6 addresses, by the port of the side that was called, each packet once; refusals apart: records and bytes."
[params.top]
type = "integer"
help = "rows to show"
*/
SELECT
    port,
    protocol,
    COUNT(DISTINCT client) AS clients,
    COUNT(DISTINCT server) AS servers,
    SUM(sessions) AS sessions,
    SUM(bytes_out + bytes_in) AS bytes,
    SUM(packets_out + packets_in) AS packets,
    SUM(rejected) AS rejected,
    SUM(refused_bytes) AS refused_bytes
FROM volumes
WHERE strpos(client, ':') > 0
  AND hour > /*$since*/ 0 - 3600 AND hour < /*$until*/ 4102444800
GROUP BY port, protocol
ORDER BY bytes DESC, port, protocol
LIMIT /*$top*/ 50
