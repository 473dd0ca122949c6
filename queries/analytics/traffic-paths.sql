/* flowscan
id = "traffic-paths"
title = "Which way traffic leaves"
description = "Egress traffic by path: internet, endpoints, peering, VPN, transit gateway (needs traffic-path, version 5)."
*/
SELECT
    traffic_path,
    CASE traffic_path
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
    COUNT(*) AS flows,
    COUNT(DISTINCT interface_id) AS interfaces,
    COUNT(DISTINCT dstaddr) AS destinations
FROM flows
WHERE flow_direction = 'egress'
  AND "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
GROUP BY traffic_path
ORDER BY bytes DESC, path
