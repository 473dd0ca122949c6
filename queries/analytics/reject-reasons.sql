/* flowscan
id = "reject-reasons"
title = "Why traffic is refused, in records"
description = "Records of refused traffic by reason: BPA is block public access, EC encryption controls; none is a security group or network ACL (needs reject-reason, version 8)."
*/
SELECT
    COALESCE(reject_reason, 'security group or network ACL') AS reason,
    COUNT(*) AS flows,
    -- A record counts no more than 2^45 packets, so that the sum holds a lie.
    CAST(least(SUM(CAST(least(COALESCE(packets, 0), 35184372088832) AS DOUBLE)), 9.0E15) AS BIGINT)
        AS packets,
    COUNT(DISTINCT srcaddr) AS sources,
    COUNT(DISTINCT dstaddr) AS targets,
    COUNT(DISTINCT interface_id) AS interfaces
FROM flows
WHERE action = 'REJECT'
  AND "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
GROUP BY 1
ORDER BY flows DESC, reason
