/* flowscan
id = "matches-by-address"
title = "Listed addresses, the worst first, as the last match run found them"
description = "One row per listed address and feed from the table matches, which flowscan match keeps: rank 1 is a call of ours that it answered, 2 and 3 what got in with and without an answer of a service, 4 our own address on a list, 5 a call of ours in vain, 6 refused noise."
[params.rank]
type = "integer"
help = "highest rank to show; 6 includes refused noise"
[params.top]
type = "integer"
help = "rows to show"
*/
SELECT
    MIN("rank") AS "rank",
    address,
    feed,
    category,
    MAX(confidence) AS confidence,
    COUNT(DISTINCT local_address) AS local_addresses,
    COUNT(DISTINCT port) AS ports,
    SUM(flows) AS flows,
    SUM(CASE WHEN action = 'REJECT' THEN flows ELSE 0 END) AS refused,
    SUM(bytes) AS bytes,
    SUM(bytes_out) AS bytes_out,
    MIN(first_seen) AS first_seen,
    MAX(last_seen) AS last_seen
FROM matches
WHERE "rank" <= /*$rank*/ 5
GROUP BY address, feed, category
ORDER BY 1, bytes_out DESC, bytes DESC, address, feed, category
LIMIT /*$top*/ 50
