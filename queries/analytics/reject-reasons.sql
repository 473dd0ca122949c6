/* flowscan
id = "reject-reasons"
title = "Why traffic is refused, in records"
description = "Records of refused traffic by reason: BPA is block public access, EC encryption controls; none is a security group or network ACL (needs reject-reason, version 8)."
*/
SELECT
    COALESCE(reject_reason, 'security group or network ACL') AS reason,
    COUNT(*) AS flows,
    SUM(packets) AS packets,
    COUNT(DISTINCT srcaddr) AS sources,
    COUNT(DISTINCT dstaddr) AS targets,
    COUNT(DISTINCT interface_id) AS interfaces
FROM flows
WHERE action = 'REJECT'
  AND "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
GROUP BY 1
ORDER BY flows DESC, reason
