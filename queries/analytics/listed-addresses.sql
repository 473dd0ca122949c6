/* flowscan
id = "listed-addresses"
title = "Which listed addresses talked to us"
description = "Traffic with addresses of the threat feeds, straight from the tables volumes and indicators, so that it runs where flowscan does not. To it is what our side began, from it what the listed address began or nobody knows who did. Sent and received are the listed address's, as in lookup. Bytes are those accepted, each packet once, refusals apart. What got through to a listed address comes first. Trusted lists win."
[params.now]
type = "integer"
help = "epoch seconds; indicators that expired by then do not count"
[params.top]
type = "integer"
help = "rows to show"
*/
WITH seen AS (
    SELECT client AS address FROM volumes
    WHERE hour > /*$since*/ 0 - 3600 AND hour < /*$until*/ 4102444800
    UNION
    SELECT server AS address FROM volumes
    WHERE hour > /*$since*/ 0 - 3600 AND hour < /*$until*/ 4102444800
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
    SELECT l.address, l.feed, l.category, l.confidence, l.indicator, 'to it' AS direction,
        v.sessions, v.bytes_in AS sent, v.bytes_out AS received,
        v.packets_out + v.packets_in AS packets, v.rejected, v.first_seen, v.last_seen
    FROM volumes AS v
    INNER JOIN listed AS l ON v.server = l.address
    WHERE hour > /*$since*/ 0 - 3600 AND hour < /*$until*/ 4102444800
    UNION ALL
    SELECT l.address, l.feed, l.category, l.confidence, l.indicator, 'from it',
        v.sessions, v.bytes_out, v.bytes_in, v.packets_out + v.packets_in, v.rejected,
        v.first_seen, v.last_seen
    FROM volumes AS v
    INNER JOIN listed AS l ON v.client = l.address
    WHERE hour > /*$since*/ 0 - 3600 AND hour < /*$until*/ 4102444800
)
SELECT
    address,
    feed,
    category,
    confidence,
    indicator,
    direction,
    SUM(sessions) AS sessions,
    SUM(packets) AS packets,
    SUM(sent) + SUM(received) AS bytes,
    SUM(sent) AS sent,
    SUM(received) AS received,
    SUM(rejected) AS rejected,
    MIN(first_seen) AS first_seen,
    MAX(last_seen) AS last_seen
FROM touched
GROUP BY address, feed, category, confidence, indicator, direction
ORDER BY
    CASE
        WHEN SUM(touched.packets) = 0 THEN 3
        WHEN direction = 'to it' THEN 1
        ELSE 2
    END,
    bytes DESC, address, feed, direction, indicator
LIMIT /*$top*/ 50
