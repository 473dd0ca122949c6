/* flowscan
id = "tcp-flags"
title = "How TCP connections open and end, in records"
description = "Records of TCP traffic by the flags that were seen in their window: SYN alone is an attempt, RST a refusal by the host (needs tcp-flags, version 3)."
*/
SELECT
    tcp_flags,
    concat(
        CASE WHEN bitwise_and(tcp_flags, 2) > 0 THEN 'SYN ' ELSE '' END,
        CASE WHEN bitwise_and(tcp_flags, 16) > 0 THEN 'ACK ' ELSE '' END,
        CASE WHEN bitwise_and(tcp_flags, 1) > 0 THEN 'FIN ' ELSE '' END,
        CASE WHEN bitwise_and(tcp_flags, 4) > 0 THEN 'RST ' ELSE '' END
    ) AS flags,
    action,
    COUNT(*) AS flows,
    -- A record counts no more than 2^45 packets, so that the sum holds a lie.
    CAST(least(SUM(CAST(least(COALESCE(packets, 0), 35184372088832) AS DOUBLE)), 9.0E15) AS BIGINT)
        AS packets,
    COUNT(DISTINCT srcaddr) AS sources
FROM flows
WHERE protocol = 6
  AND tcp_flags IS NOT NULL
  AND "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
GROUP BY tcp_flags, action
ORDER BY flows DESC, tcp_flags, action
