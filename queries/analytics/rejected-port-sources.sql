/* flowscan
id = "rejected-port-sources"
title = "Who is behind the refused ports, in records"
description = "For every destination port of refused records, the sources with most of them."
[params.top]
type = "integer"
help = "rows to show"
[params.sources]
type = "integer"
help = "sources to show per port"
*/
WITH tries AS (
    SELECT
        dstport,
        protocol,
        srcaddr,
        COUNT(*) AS flows,
        COUNT(DISTINCT dstaddr) AS targets
    FROM flows
    WHERE action = 'REJECT'
      AND "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
    GROUP BY dstport, protocol, srcaddr
),
ranked AS (
    SELECT
        dstport,
        protocol,
        srcaddr,
        flows,
        targets,
        SUM(flows) OVER (PARTITION BY dstport, protocol) AS port_flows,
        ROW_NUMBER() OVER (
            PARTITION BY dstport, protocol ORDER BY flows DESC, srcaddr
        ) AS place
    FROM tries
)
SELECT dstport, protocol, port_flows, place, srcaddr, flows, targets
FROM ranked
WHERE place <= /*$sources*/ 3
ORDER BY port_flows DESC, dstport, protocol, place
LIMIT /*$top*/ 60
