/* flowscan
id = "new-sources"
title = "Which callers were never seen before"
description = "Public addresses whose first call to us in the lake is not before the given moment, by what got through: accepted are sessions of which something was let in. Bytes are those accepted from them. Of the UTC days that the window touches."
[params.top]
type = "integer"
help = "rows to show"
[params.new_since]
type = "integer"
help = "epoch seconds; callers seen before are left out"
*/
WITH seen AS (
    SELECT
        client AS srcaddr,
        MIN(first_seen) AS first_start,
        MAX(last_seen) AS last_end,
        SUM(sessions) AS sessions,
        SUM(CASE WHEN packets_out > 0 THEN sessions - refused ELSE 0 END) AS accepted,
        SUM("open") AS answered,
        SUM(bytes_out) AS bytes,
        COUNT(DISTINCT server) AS targets
    FROM contacts
    WHERE client_side = 'public' AND server_side = 'ours'
      AND day > /*$since*/ 0 - 86400 AND day < /*$until*/ 4102444800
    GROUP BY client
)
SELECT
    srcaddr,
    sessions,
    accepted,
    answered,
    bytes,
    targets,
    date_format(from_unixtime(first_start), '%Y-%m-%dT%H:%i:%sZ') AS first_seen,
    date_format(from_unixtime(last_end), '%Y-%m-%dT%H:%i:%sZ') AS last_seen
FROM seen
WHERE first_start >= /*$new_since*/ 0
ORDER BY answered DESC, accepted DESC, sessions DESC, srcaddr
LIMIT /*$top*/ 50
