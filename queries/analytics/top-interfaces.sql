/* flowscan
id = "top-interfaces"
title = "Which interfaces are busiest"
description = "Traffic per network interface."
[params.top]
type = "integer"
help = "rows to show"
*/
SELECT
    account_id,
    interface_id,
    MAX(instance_id) AS instance_id,
    SUM(bytes) AS bytes,
    SUM(packets) AS packets,
    COUNT(*) AS flows,
    SUM(CASE WHEN action = 'REJECT' THEN 1 ELSE 0 END) AS rejected
FROM flows
WHERE "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
GROUP BY account_id, interface_id
ORDER BY bytes DESC, account_id, interface_id
LIMIT /*$top*/ 20
