/* flowscan
id = "cross-subnet"
title = "Which subnets talk to each other"
description = "Accepted traffic between interfaces of different subnets, told by the addresses that these interfaces own; without subnet-id, by their first three octets."
[params.top]
type = "integer"
help = "rows to show"
*/
WITH homes AS (
    SELECT
        address,
        COALESCE(MIN(subnet_id), regexp_replace(address, '[.][0-9]+$', '.0/24')) AS subnet_id
    FROM hosts
    GROUP BY address
)
SELECT
    a.subnet_id AS from_subnet,
    b.subnet_id AS to_subnet,
    SUM(f.bytes) AS bytes,
    SUM(f.packets) AS packets,
    COUNT(*) AS flows,
    COUNT(DISTINCT f.dstport) AS ports
FROM flows AS f
JOIN homes AS a ON a.address = f.srcaddr
JOIN homes AS b ON b.address = f.dstaddr
WHERE a.subnet_id <> b.subnet_id
  AND f.action = 'ACCEPT'
  AND f."start" >= /*$since*/ 0 AND f."start" < /*$until*/ 4102444800
GROUP BY a.subnet_id, b.subnet_id
ORDER BY bytes DESC, from_subnet, to_subnet
LIMIT /*$top*/ 20
