/* flowscan
id = "top-interfaces"
title = "Which interfaces are busiest"
description = "Accepted bytes of the addresses of each network interface, each packet once per interface at which it began or ended. What passed through a NAT gateway is not its own. Records and rejected count what the interface wrote down in the UTC days that the window touches."
[params.top]
type = "integer"
help = "rows to show"
*/
WITH own AS (
    SELECT interface_id, sessions, bytes_out + bytes_in AS bytes,
        packets_out + packets_in AS packets
    FROM volumes
    WHERE hour > /*$since*/ 0 - 3600 AND hour < /*$until*/ 4102444800
    UNION ALL
    SELECT h.interface_id, v.sessions, v.bytes_out + v.bytes_in, v.packets_out + v.packets_in
    FROM volumes AS v
    JOIN hosts AS h ON h.day = v.day AND h.address = v.server
    WHERE h.interface_id <> v.interface_id
      AND hour > /*$since*/ 0 - 3600 AND hour < /*$until*/ 4102444800
),
moved AS (
    SELECT interface_id, SUM(sessions) AS sessions, SUM(bytes) AS bytes, SUM(packets) AS packets
    FROM own
    GROUP BY interface_id
),
wrote AS (
    SELECT recorder, MAX(account_id) AS account_id, MAX(instance_id) AS instance_id,
        SUM(records) AS records, SUM(rejected) AS rejected
    FROM edges
    WHERE day > /*$since*/ 0 - 86400 AND day < /*$until*/ 4102444800
    GROUP BY recorder
)
SELECT
    w.account_id,
    w.recorder AS interface_id,
    w.instance_id,
    COALESCE(m.bytes, 0) AS bytes,
    COALESCE(m.packets, 0) AS packets,
    COALESCE(m.sessions, 0) AS sessions,
    w.records,
    w.rejected
FROM wrote AS w
LEFT JOIN moved AS m ON m.interface_id = w.recorder
ORDER BY bytes DESC, records DESC, account_id, interface_id
LIMIT /*$top*/ 20
