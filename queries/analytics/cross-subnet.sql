/* flowscan
id = "cross-subnet"
title = "Which subnets talk to each other"
description = "Accepted bytes that the interfaces of one subnet sent to those of another, each packet once, told by the addresses that these interfaces own; without subnet-id, IPv4 addresses by their first three octets and IPv6 as one."
[params.top]
type = "integer"
help = "rows to show"
*/
WITH homes AS (
    SELECT
        address,
        COALESCE(MIN(subnet_id), CASE WHEN strpos(address, ':') > 0 THEN 'IPv6'
            ELSE regexp_replace(address, '[.][0-9]+$', '.0/24') END) AS subnet_id
    FROM hosts
    GROUP BY address
),
crossing AS (
    SELECT c.subnet_id AS client_subnet, s.subnet_id AS server_subnet, v.port, v.sessions,
        v.bytes_out, v.bytes_in, v.packets_out, v.packets_in
    FROM volumes AS v
    JOIN homes AS c ON c.address = v.client
    JOIN homes AS s ON s.address = v.server
    WHERE c.subnet_id <> s.subnet_id
      AND hour > /*$since*/ 0 - 3600 AND hour < /*$until*/ 4102444800
),
sent AS (
    SELECT client_subnet AS from_subnet, server_subnet AS to_subnet, port, sessions,
        bytes_out AS bytes, packets_out AS packets
    FROM crossing
    UNION ALL
    SELECT server_subnet, client_subnet, port, sessions, bytes_in, packets_in
    FROM crossing
)
SELECT
    from_subnet,
    to_subnet,
    SUM(bytes) AS bytes,
    SUM(packets) AS packets,
    SUM(sessions) AS sessions,
    COUNT(DISTINCT port) AS ports
FROM sent
WHERE packets > 0
GROUP BY from_subnet, to_subnet
ORDER BY bytes DESC, from_subnet, to_subnet
LIMIT /*$top*/ 20
