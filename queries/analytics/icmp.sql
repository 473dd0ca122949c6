/* flowscan
id = "icmp"
title = "Who uses ICMP"
description = "ICMP and ICMPv6 by the address that began it: pings, sweeps and tunnels. Large packets deserve a look. Packets and bytes are those accepted, both ways, each once; refusals apart."
[params.top]
type = "integer"
help = "rows to show"
*/
SELECT
    client AS srcaddr,
    COUNT(DISTINCT server) AS targets,
    SUM(sessions) AS sessions,
    SUM(rejected) AS rejected,
    SUM(refused_packets) AS refused_packets,
    SUM(packets_out + packets_in) AS packets,
    SUM(bytes_out + bytes_in) AS bytes,
    ROUND(CAST(SUM(bytes_out + bytes_in) AS DOUBLE) / NULLIF(SUM(packets_out + packets_in), 0), 1)
        AS bytes_per_packet
FROM volumes
WHERE protocol IN (1, 58)
  AND hour > /*$since*/ 0 - 3600 AND hour < /*$until*/ 4102444800
GROUP BY client
ORDER BY targets DESC, packets DESC, srcaddr
LIMIT /*$top*/ 50
