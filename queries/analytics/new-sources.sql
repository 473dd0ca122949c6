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
  AND NOT regexp_like(srcaddr, '^(10\.|127\.|0\.|169\.254\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\.|22[4-9]\.|2[345][0-9]\.|[fF][cCdDeEfF]|::1$)')
ORDER BY accepted DESC, flows DESC, srcaddr
LIMIT /*$top*/ 50
