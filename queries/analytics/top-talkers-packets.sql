/* flowscan
id = "top-talkers-packets"
title = "Which sources send most packets"
description = "Addresses by the packets they sent that were accepted, each once, with the mean packet size: many small packets are scans, floods or chatter. Sessions are those that began and in which it sent, whoever called. What was refused is in rejected-sources."
[params.top]
type = "integer"
help = "rows to show"
*/
WITH sent AS (
    SELECT client AS srcaddr, server AS dstaddr, port, sessions, bytes_out AS bytes,
        packets_out AS packets
    FROM volumes
    WHERE packets_out > 0 AND hour > /*$since*/ 0 - 3600 AND hour < /*$until*/ 4102444800
    UNION ALL
    SELECT server, client, port, sessions, bytes_in, packets_in
    FROM volumes
    WHERE packets_in > 0 AND hour > /*$since*/ 0 - 3600 AND hour < /*$until*/ 4102444800
)
SELECT
    srcaddr,
    SUM(packets) AS packets,
    SUM(bytes) AS bytes,
    ROUND(CAST(SUM(bytes) AS DOUBLE) / NULLIF(SUM(packets), 0), 1) AS bytes_per_packet,
    SUM(sessions) AS sessions
FROM sent
GROUP BY srcaddr
ORDER BY packets DESC, srcaddr
LIMIT /*$top*/ 20
