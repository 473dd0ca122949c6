/* flowscan
id = "longest-sessions"
title = "Which connections last longest"
description = "Connections of which something was accepted, by their length. A session is of one UTC day; those of one five-tuple that go on over midnight are told as one. Bytes are those accepted, each packet once."
[params.top]
type = "integer"
help = "rows to show"
*/
WITH whole AS (
    SELECT client, server, server_port, client_port, protocol, bytes_out, bytes_in, records,
        first_seen, last_seen,
        CASE WHEN mod(first_seen, 86400) < 600 THEN 1 ELSE 0 END AS early,
        CASE WHEN mod(last_seen, 86400) >= 85800 OR mod(first_seen, 86400) + last_seen
            - first_seen >= 85800 THEN 1 ELSE 0 END AS late
    FROM sessions
    WHERE protocol IN (6, 17)
      AND packets_out + packets_in > 0
      AND first_seen >= /*$since*/ 0 AND first_seen < /*$until*/ 4102444800
),
marked AS (
    SELECT client, server, server_port, client_port, protocol, bytes_out, bytes_in, records,
        first_seen, last_seen,
        CASE
            WHEN first_seen - LAG(last_seen) OVER (
                PARTITION BY client, server, client_port, server_port, protocol
                ORDER BY first_seen, last_seen
            ) <= CASE protocol WHEN 6 THEN 350 ELSE 180 END AND early = 1 THEN 0
            ELSE 1
        END AS opens
    FROM whole
    WHERE early = 1 OR late = 1
),
numbered AS (
    SELECT client, server, server_port, client_port, protocol, bytes_out, bytes_in, records,
        first_seen, last_seen,
        SUM(opens) OVER (
            PARTITION BY client, server, client_port, server_port, protocol
            ORDER BY first_seen, last_seen
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS place
    FROM marked
),
lasting AS (
    SELECT client, server, server_port, client_port, protocol, SUM(bytes_out) AS bytes_out,
        SUM(bytes_in) AS bytes_in, SUM(records) AS records, MIN(first_seen) AS first_seen,
        MAX(last_seen) AS last_seen
    FROM numbered
    GROUP BY client, server, server_port, client_port, protocol, place
    UNION ALL
    SELECT client, server, server_port, client_port, protocol, bytes_out, bytes_in, records,
        first_seen, last_seen
    FROM whole
    WHERE early = 0 AND late = 0
)
SELECT
    client,
    server,
    server_port,
    client_port,
    protocol,
    last_seen - first_seen AS seconds,
    bytes_out,
    bytes_in,
    records,
    date_format(from_unixtime(first_seen), '%Y-%m-%dT%H:%i:%sZ') AS first_seen,
    date_format(from_unixtime(last_seen), '%Y-%m-%dT%H:%i:%sZ') AS last_seen
FROM lasting
ORDER BY seconds DESC, client, server, server_port, client_port, protocol, lasting.first_seen
LIMIT /*$top*/ 20
