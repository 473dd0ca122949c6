/* flowscan
id = "longest-sessions"
title = "Which connections last longest"
description = "Connections by duration, records stitched over aggregation windows and both directions."
[params.top]
type = "integer"
help = "rows to show"
*/
SELECT
    client,
    server,
    server_port,
    protocol,
    last_seen - first_seen AS seconds,
    bytes_out,
    bytes_in,
    records,
    date_format(from_unixtime(first_seen), '%Y-%m-%dT%H:%i:%sZ') AS first_seen_at,
    date_format(from_unixtime(last_seen), '%Y-%m-%dT%H:%i:%sZ') AS last_seen_at
FROM sessions
WHERE first_seen >= /*$since*/ 0 AND first_seen < /*$until*/ 4102444800
  AND rejected = 0
ORDER BY seconds DESC, client, server, server_port, protocol, first_seen, client_port
LIMIT /*$top*/ 20
