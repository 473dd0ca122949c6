/* flowscan
id = "address-story"
title = "What one address did"
description = "Hour by hour with whom one address talked: who called, on which port of the called side, what was accepted (bytes sent and received by it, each packet once) and what was refused."
[params.top]
type = "integer"
help = "rows to show"
[params.address]
type = "string"
help = "the address, as it stands in the log"
*/
WITH told AS (
    SELECT hour, 'called' AS direction, server AS peer, port, protocol, sessions,
        bytes_out AS sent, bytes_in AS received, packets_out + packets_in AS packets, rejected,
        refused_bytes
    FROM volumes
    WHERE client = /*$address*/ '10.20.1.10'
      AND hour > /*$since*/ 0 - 3600 AND hour < /*$until*/ 4102444800
    UNION ALL
    SELECT hour, 'was called', client, port, protocol, sessions, bytes_in, bytes_out,
        packets_out + packets_in, rejected, refused_bytes
    FROM volumes
    WHERE server = /*$address*/ '10.20.1.10' AND client <> server
      AND hour > /*$since*/ 0 - 3600 AND hour < /*$until*/ 4102444800
)
SELECT
    date_format(from_unixtime(hour), '%Y-%m-%dT%H:00Z') AS hour,
    direction,
    peer,
    port,
    protocol,
    SUM(sessions) AS sessions,
    SUM(packets) AS packets,
    SUM(sent) + SUM(received) AS bytes,
    SUM(sent) AS sent,
    SUM(received) AS received,
    SUM(rejected) AS rejected,
    SUM(refused_bytes) AS refused_bytes
FROM told
GROUP BY told.hour, direction, peer, port, protocol
ORDER BY told.hour, direction, peer, port, protocol
LIMIT /*$top*/ 500
