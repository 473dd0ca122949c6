/* flowscan
id = "egress-by-destination"
title = "Where data leaves to"
description = "Accepted traffic from private to public addresses, by destination."
[params.top]
type = "integer"
help = "rows to show"
*/
SELECT
    dstaddr,
    SUM(bytes) AS bytes,
    SUM(packets) AS packets,
    COUNT(*) AS flows,
    COUNT(DISTINCT srcaddr) AS sources,
    MIN(dstport) AS lowest_port,
    COUNT(DISTINCT dstport) AS ports,
    date_format(from_unixtime(MIN("start")), '%Y-%m-%dT%H:%i:%sZ') AS first_seen,
    date_format(from_unixtime(MAX("end")), '%Y-%m-%dT%H:%i:%sZ') AS last_seen
FROM flows
WHERE action = 'ACCEPT'
  AND /*$private(srcaddr)*/ (srcaddr LIKE '10.%' OR srcaddr LIKE '192.168.%'
    OR (srcaddr BETWEEN '172.16.' AND '172.31.~' AND srcaddr LIKE '172.__.%')
    OR (srcaddr BETWEEN '100.64.' AND '100.99.~' AND srcaddr LIKE '100.__.%')
    OR (srcaddr BETWEEN '100.100.' AND '100.127.~' AND srcaddr LIKE '100.___.%')
    OR (srcaddr BETWEEN 'fc00:' AND 'fdff:~' AND position(':' IN srcaddr) = 5))
  AND NOT /*$private(dstaddr)*/ (dstaddr LIKE '10.%' OR dstaddr LIKE '192.168.%'
    OR (dstaddr BETWEEN '172.16.' AND '172.31.~' AND dstaddr LIKE '172.__.%')
    OR (dstaddr BETWEEN '100.64.' AND '100.99.~' AND dstaddr LIKE '100.__.%')
    OR (dstaddr BETWEEN '100.100.' AND '100.127.~' AND dstaddr LIKE '100.___.%')
    OR (dstaddr BETWEEN 'fc00:' AND 'fdff:~' AND position(':' IN dstaddr) = 5))
  AND NOT /*$special(dstaddr)*/ (dstaddr LIKE '0.%' OR dstaddr LIKE '127.%'
    OR dstaddr LIKE '169.254.%' OR (dstaddr BETWEEN '224.' AND '255.~' AND dstaddr LIKE '___.%')
    OR (dstaddr BETWEEN 'fe80:' AND 'febf:~' AND position(':' IN dstaddr) = 5)
    OR (dstaddr BETWEEN 'ff00:' AND 'ffff:~' AND position(':' IN dstaddr) = 5)
    OR dstaddr IN ('::', '::1'))
  AND "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
GROUP BY dstaddr
ORDER BY bytes DESC, dstaddr
LIMIT /*$top*/ 20
