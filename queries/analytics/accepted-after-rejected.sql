/* flowscan
id = "accepted-after-rejected"
title = "Who got in after being refused"
description = "Sources whose traffic to an address was refused first and accepted later: a rule that was opened, or an attacker who found the open port."
[params.top]
type = "integer"
help = "rows to show"
[params.refusals]
type = "integer"
help = "refused flows that the pair must have"
*/
WITH pairs AS (
    SELECT
        srcaddr,
        dstaddr,
        SUM(CASE WHEN action = 'REJECT' THEN 1 ELSE 0 END) AS rejected,
        MIN(CASE WHEN action = 'REJECT' THEN "start" END) AS first_rejected,
        MAX(CASE WHEN action = 'ACCEPT' THEN "start" END) AS last_accepted
    FROM flows
    WHERE "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
    GROUP BY srcaddr, dstaddr
)
SELECT
    f.srcaddr,
    f.dstaddr,
    f.dstport,
    f.protocol,
    p.rejected,
    COUNT(*) AS accepted,
    SUM(f.bytes) AS bytes,
    date_format(from_unixtime(p.first_rejected), '%Y-%m-%dT%H:%i:%sZ') AS first_rejected,
    date_format(from_unixtime(MIN(f."start")), '%Y-%m-%dT%H:%i:%sZ') AS first_accepted
FROM flows AS f
JOIN pairs AS p ON p.srcaddr = f.srcaddr AND p.dstaddr = f.dstaddr
WHERE p.rejected >= /*$refusals*/ 3
  AND f.action = 'ACCEPT'
  AND f."start" > p.first_rejected
  AND p.last_accepted > p.first_rejected
  AND f."start" >= /*$since*/ 0 AND f."start" < /*$until*/ 4102444800
GROUP BY f.srcaddr, f.dstaddr, f.dstport, f.protocol, p.rejected, p.first_rejected
ORDER BY p.rejected DESC, f.srcaddr, f.dstaddr, f.dstport, f.protocol
LIMIT /*$top*/ 50
