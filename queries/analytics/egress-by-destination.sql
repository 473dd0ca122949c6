/* flowscan
id = "egress-by-destination"
title = "Where data leaves to"
description = "Bytes accepted on their way from our addresses to the internet, by destination, each packet once whoever called: behind a NAT gateway the true source and destination, IPv6 too. What a gateway endpoint carries (traffic-path 7) does not leave to the internet and is left out: see traffic-paths. Ports are those of the services."
[params.top]
type = "integer"
help = "rows to show"
*/
WITH sent AS (
    SELECT server AS dstaddr, client AS srcaddr, port, sessions, bytes_out AS bytes,
        packets_out AS packets, first_seen, last_seen
    FROM volumes
    WHERE client_side = 'ours' AND server_side = 'public' AND COALESCE(path, 0) <> 7
      AND hour > /*$since*/ 0 - 3600 AND hour < /*$until*/ 4102444800
    UNION ALL
    SELECT client, server, port, sessions, bytes_in, packets_in, first_seen, last_seen
    FROM volumes
    WHERE client_side = 'public' AND server_side = 'ours' AND COALESCE(path, 0) <> 7
      AND hour > /*$since*/ 0 - 3600 AND hour < /*$until*/ 4102444800
)
SELECT
    dstaddr,
    SUM(bytes) AS bytes,
    SUM(packets) AS packets,
    SUM(sessions) AS sessions,
    COUNT(DISTINCT srcaddr) AS sources,
    MIN(port) AS lowest_port,
    COUNT(DISTINCT port) AS ports,
    date_format(from_unixtime(MIN(first_seen)), '%Y-%m-%dT%H:%i:%sZ') AS first_seen,
    date_format(from_unixtime(MAX(last_seen)), '%Y-%m-%dT%H:%i:%sZ') AS last_seen
FROM sent
WHERE packets > 0
GROUP BY dstaddr
ORDER BY bytes DESC, dstaddr
LIMIT /*$top*/ 20
