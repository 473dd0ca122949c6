/* flowscan
id = "aws-services"
title = "Which AWS services are talked to"
description = "Accepted bytes from and to addresses of AWS services, each packet once: behind a NAT gateway the true client counts, and no leg of the gateway. An address is of the service that AWS named for it in the window (needs pkt-src-aws-service and pkt-dst-aws-service, version 5). Sources sent, destinations received."
[params.top]
type = "integer"
help = "rows to show"
*/
WITH named AS (
    SELECT address, MAX(service) AS service
    FROM (
        SELECT COALESCE(pkt_srcaddr, srcaddr) AS address, pkt_src_aws_service AS service
        FROM flows
        WHERE pkt_src_aws_service IS NOT NULL
          AND "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
        UNION
        SELECT COALESCE(pkt_dstaddr, dstaddr), pkt_dst_aws_service
        FROM flows
        WHERE pkt_dst_aws_service IS NOT NULL
          AND "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
    ) AS seen
    GROUP BY address
),
called AS (
    SELECT v.client, v.server, COALESCE(c.service, '') AS client_service,
        COALESCE(s.service, '') AS server_service, v.sessions, v.bytes_out, v.bytes_in,
        v.packets_out, v.packets_in
    FROM volumes AS v
    LEFT JOIN named AS c ON c.address = v.client
    LEFT JOIN named AS s ON s.address = v.server
    WHERE (c.service IS NOT NULL OR s.service IS NOT NULL)
      AND hour > /*$since*/ 0 - 3600 AND hour < /*$until*/ 4102444800
),
sent AS (
    SELECT client_service AS from_service, server_service AS to_service, client AS srcaddr,
        server AS dstaddr, sessions, bytes_out AS bytes, packets_out AS packets
    FROM called
    WHERE packets_out > 0
    UNION ALL
    SELECT server_service, client_service, server, client, sessions, bytes_in, packets_in
    FROM called
    WHERE packets_in > 0
)
SELECT
    from_service,
    to_service,
    SUM(bytes) AS bytes,
    SUM(packets) AS packets,
    SUM(sessions) AS sessions,
    COUNT(DISTINCT srcaddr) AS sources,
    COUNT(DISTINCT dstaddr) AS destinations
FROM sent
GROUP BY from_service, to_service
ORDER BY bytes DESC, from_service, to_service
LIMIT /*$top*/ 20
