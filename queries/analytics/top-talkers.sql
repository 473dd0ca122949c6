/* flowscan
id = "top-talkers"
title = "Which addresses move most"
description = "Accepted bytes that each address sent and received, largest first: each packet once for its sender and once for its receiver, however many interfaces recorded it. A NAT gateway moves nothing of its own."
[params.top]
type = "integer"
help = "rows to show"
*/
WITH sides AS (
    SELECT client AS address, bytes_out AS sent, bytes_in AS received,
        packets_out + packets_in AS packets, sessions
    FROM volumes
    WHERE packets_out + packets_in > 0 AND hour > /*$since*/ 0 - 3600 AND hour < /*$until*/ 4102444800
    UNION ALL
    SELECT server, bytes_in, bytes_out, packets_out + packets_in, sessions
    FROM volumes
    WHERE packets_out + packets_in > 0 AND hour > /*$since*/ 0 - 3600 AND hour < /*$until*/ 4102444800
)
SELECT
    address,
    SUM(sent) + SUM(received) AS bytes,
    SUM(sent) AS sent,
    SUM(received) AS received,
    SUM(packets) AS packets,
    SUM(sessions) AS sessions
FROM sides
GROUP BY address
ORDER BY bytes DESC, address
LIMIT /*$top*/ 20
