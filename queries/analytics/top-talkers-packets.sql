/* flowscan
id = "top-talkers-packets"
title = "Which sources send most packets"
description = "Sources by packets, with the mean packet size: many small packets are scans, floods or chatter."
[params.top]
type = "integer"
help = "rows to show"
*/
SELECT
    srcaddr,
    SUM(packets) AS packets,
    SUM(bytes) AS bytes,
    ROUND(CAST(SUM(bytes) AS DOUBLE) / NULLIF(SUM(packets), 0), 1) AS bytes_per_packet,
    COUNT(*) AS flows
FROM flows
WHERE "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
GROUP BY srcaddr
ORDER BY packets DESC, srcaddr
LIMIT /*$top*/ 20
