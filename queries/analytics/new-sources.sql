/* flowscan
id = "new-sources"
title = "Which sources were never seen before"
description = "Public sources whose first flow in the lake is not before the given moment, by what was accepted from them."
[params.top]
type = "integer"
help = "rows to show"
[params.new_since]
type = "integer"
help = "epoch seconds; sources seen before are left out"
*/
WITH seen AS (
    SELECT
        srcaddr,
        MIN("start") AS first_start,
        MAX("end") AS last_end,
        COUNT(*) AS flows,
        SUM(CASE WHEN action = 'ACCEPT' THEN 1 ELSE 0 END) AS accepted,
        SUM(bytes) AS bytes,
        COUNT(DISTINCT dstaddr) AS targets
    FROM flows
    WHERE "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
    GROUP BY srcaddr
)
SELECT
    srcaddr,
    flows,
    accepted,
    bytes,
    targets,
    date_format(from_unixtime(first_start), '%Y-%m-%dT%H:%i:%sZ') AS first_seen,
    date_format(from_unixtime(last_end), '%Y-%m-%dT%H:%i:%sZ') AS last_seen
FROM seen
WHERE first_start >= /*$new_since*/ 0
  AND NOT /*$private(srcaddr)*/ (srcaddr LIKE '10.%' OR srcaddr LIKE '192.168.%'
    OR (srcaddr BETWEEN '172.16.' AND '172.31.~' AND srcaddr LIKE '172.__.%')
    OR (srcaddr BETWEEN '100.64.' AND '100.99.~' AND srcaddr LIKE '100.__.%')
    OR (srcaddr BETWEEN '100.100.' AND '100.127.~' AND srcaddr LIKE '100.___.%')
    OR (srcaddr BETWEEN 'fc00:' AND 'fdff:~' AND position(':' IN srcaddr) = 5))
  AND NOT /*$special(srcaddr)*/ (srcaddr LIKE '0.%' OR srcaddr LIKE '127.%'
    OR srcaddr LIKE '169.254.%' OR (srcaddr BETWEEN '224.' AND '255.~' AND srcaddr LIKE '___.%')
    OR (srcaddr BETWEEN 'fe80:' AND 'febf:~' AND position(':' IN srcaddr) = 5)
    OR (srcaddr BETWEEN 'ff00:' AND 'ffff:~' AND position(':' IN srcaddr) = 5)
    OR srcaddr IN ('::', '::1'))
ORDER BY accepted DESC, flows DESC, srcaddr
LIMIT /*$top*/ 50
