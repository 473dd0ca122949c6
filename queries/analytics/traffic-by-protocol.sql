/* flowscan
id = "traffic-by-protocol"
title = "Which protocols are used"
description = "Traffic per IP protocol."
*/
SELECT
    protocol,
    CASE protocol WHEN 1 THEN 'icmp' WHEN 6 THEN 'tcp' WHEN 17 THEN 'udp' WHEN 47 THEN 'gre' WHEN 50 THEN 'esp' WHEN 58 THEN 'icmp6' WHEN 132 THEN 'sctp' ELSE CAST(protocol AS VARCHAR) END AS name,
    SUM(bytes) AS bytes,
    SUM(packets) AS packets,
    COUNT(*) AS flows,
    SUM(CASE WHEN action = 'REJECT' THEN 1 ELSE 0 END) AS rejected
FROM flows
WHERE "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
GROUP BY protocol
ORDER BY bytes DESC, protocol
