/* flowscan
id = "rejected-by-interface"
title = "Which interfaces refuse most, in records"
description = "Records of refused traffic per network interface, with their share of all records of the interface."
[params.top]
type = "integer"
help = "rows to show"
*/
SELECT
    account_id,
    interface_id,
    COUNT(*) AS flows,
    SUM(CASE WHEN action = 'REJECT' THEN 1 ELSE 0 END) AS rejected,
    ROUND(100e0 * SUM(CASE WHEN action = 'REJECT' THEN 1 ELSE 0 END) / COUNT(*), 2) AS percent,
    COUNT(DISTINCT CASE WHEN action = 'REJECT' THEN srcaddr END) AS sources,
    COUNT(DISTINCT CASE WHEN action = 'REJECT' THEN dstport END) AS ports
FROM flows
WHERE "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
GROUP BY account_id, interface_id
HAVING SUM(CASE WHEN action = 'REJECT' THEN 1 ELSE 0 END) > 0
ORDER BY rejected DESC, account_id, interface_id
LIMIT /*$top*/ 20
