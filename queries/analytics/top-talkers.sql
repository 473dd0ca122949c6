/* flowscan
id = "top-talkers"
title = "Which addresses move most"
description = "Bytes, packets and flows that each address sent and received, largest first."
[params.top]
type = "integer"
help = "rows to show"
*/
WITH sides AS (
    SELECT srcaddr AS address, bytes AS sent, 0 AS received, packets
    FROM flows
    WHERE action = 'ACCEPT' AND "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
    UNION ALL
    SELECT dstaddr AS address, 0 AS sent, bytes AS received, packets
    FROM flows
    WHERE action = 'ACCEPT' AND "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
)
SELECT
    address,
    SUM(sent) + SUM(received) AS bytes,
    SUM(sent) AS sent,
    SUM(received) AS received,
    SUM(packets) AS packets,
    COUNT(*) AS flows
FROM sides
WHERE address IS NOT NULL
GROUP BY address
ORDER BY bytes DESC, address
LIMIT /*$top*/ 20
