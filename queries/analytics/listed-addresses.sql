/* flowscan
id = "listed-addresses"
title = "Which listed addresses talked to us"
description = "Traffic with addresses of the threat feeds, straight from the tables flows and indicators, so that it runs where flowscan does not. Accepted traffic towards a listed address comes first. Trusted lists win. It says who sent, not who began the connection: flowscan match does."
[params.now]
type = "integer"
help = "epoch seconds; indicators that expired by then do not count"
[params.top]
type = "integer"
help = "rows to show"
*/
WITH seen AS (
    SELECT srcaddr AS address FROM flows
    WHERE "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
    UNION
    SELECT dstaddr AS address FROM flows
    WHERE "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
),
current AS (
    SELECT feed, category, confidence, trusted, indicator, "first", "last"
    FROM indicators
    WHERE expires IS NULL OR expires > /*$now*/ 0
),
found AS (
    SELECT seen.address, current.feed, current.category, current.confidence, current.trusted,
        current.indicator
    FROM seen
    INNER JOIN current ON seen.address = current."first" AND current."first" = current."last"
    UNION
    SELECT seen.address, current.feed, current.category, current.confidence, current.trusted,
        current.indicator
    FROM seen
    INNER JOIN current
        ON current."first" <> current."last"
        AND CAST(seen.address AS IPADDRESS)
            BETWEEN CAST(current."first" AS IPADDRESS) AND CAST(current."last" AS IPADDRESS)
),
listed AS (
    SELECT address, feed, MAX(category) AS category, MAX(confidence) AS confidence,
        MIN(indicator) AS indicator
    FROM found
    WHERE NOT trusted
        AND address NOT IN (SELECT address FROM found WHERE trusted AND address IS NOT NULL)
    GROUP BY address, feed
),
touched AS (
    SELECT listed.address, listed.feed, listed.category, listed.confidence, listed.indicator,
        'to it' AS direction, flows.action, flows.packets, flows.bytes, flows."start", flows."end"
    FROM flows
    INNER JOIN listed ON flows.dstaddr = listed.address
    WHERE flows."start" >= /*$since*/ 0 AND flows."start" < /*$until*/ 4102444800
    UNION ALL
    SELECT listed.address, listed.feed, listed.category, listed.confidence, listed.indicator,
        'from it' AS direction, flows.action, flows.packets, flows.bytes, flows."start",
        flows."end"
    FROM flows
    INNER JOIN listed ON flows.srcaddr = listed.address
    WHERE flows."start" >= /*$since*/ 0 AND flows."start" < /*$until*/ 4102444800
)
SELECT
    address,
    feed,
    category,
    confidence,
    indicator,
    direction,
    action,
    COUNT(*) AS flows,
    SUM(packets) AS packets,
    SUM(bytes) AS bytes,
    MIN("start") AS first_seen,
    MAX("end") AS last_seen
FROM touched
GROUP BY address, feed, category, confidence, indicator, direction, action
ORDER BY
    CASE
        WHEN action = 'REJECT' THEN 3
        WHEN direction = 'to it' THEN 1
        ELSE 2
    END,
    bytes DESC, address, feed, direction, indicator
LIMIT /*$top*/ 50
