/* flowscan
id = "traffic-paths"
title = "Which way traffic leaves"
description = "Accepted bytes that our addresses sent, by path: internet, endpoints, peering, VPN, transit gateway, each packet once (needs traffic-path, version 5). Not recorded is the path of what AWS named none for, such as what goes through a NAT gateway."
*/
WITH sent AS (
    SELECT path, interface_id, server AS dstaddr, sessions, bytes_out AS bytes,
        packets_out AS packets
    FROM volumes
    WHERE client_side = 'ours' AND packets_out > 0
      AND hour > /*$since*/ 0 - 3600 AND hour < /*$until*/ 4102444800
    UNION ALL
    SELECT path, interface_id, client, sessions, bytes_in, packets_in
    FROM volumes
    WHERE server_side = 'ours' AND packets_in > 0
      AND hour > /*$since*/ 0 - 3600 AND hour < /*$until*/ 4102444800
)
SELECT
    path AS traffic_path,
    CASE path
        WHEN 1 THEN 'within the VPC'
        WHEN 2 THEN 'internet or gateway endpoint'
        WHEN 3 THEN 'virtual private gateway'
        WHEN 4 THEN 'intra-region peering'
        WHEN 5 THEN 'inter-region peering'
        WHEN 6 THEN 'local gateway'
        WHEN 7 THEN 'gateway endpoint'
        WHEN 8 THEN 'internet gateway'
        ELSE 'not recorded'
    END AS path,
    SUM(bytes) AS bytes,
    SUM(packets) AS packets,
    SUM(sessions) AS sessions,
    COUNT(DISTINCT interface_id) AS interfaces,
    COUNT(DISTINCT dstaddr) AS destinations
FROM sent
GROUP BY sent.path
ORDER BY bytes DESC, traffic_path
