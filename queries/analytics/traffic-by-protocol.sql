/* flowscan
id = "traffic-by-protocol"
title = "Which protocols are used"
description = "Accepted bytes per IP protocol, both directions, each packet once; refusals apart: records and bytes."
*/
SELECT
    protocol,
    CASE protocol WHEN 1 THEN 'icmp' WHEN 6 THEN 'tcp' WHEN 17 THEN 'udp' WHEN 47 THEN 'gre' WHEN 50 THEN 'esp' WHEN 58 THEN 'icmp6' WHEN 132 THEN 'sctp' ELSE CAST(protocol AS VARCHAR) END AS name,
    SUM(sessions) AS sessions,
    SUM(bytes_out + bytes_in) AS bytes,
    SUM(packets_out + packets_in) AS packets,
    SUM(rejected) AS rejected,
    SUM(refused_bytes) AS refused_bytes
FROM volumes
WHERE hour > /*$since*/ 0 - 3600 AND hour < /*$until*/ 4102444800
GROUP BY protocol
ORDER BY bytes DESC, protocol
