/* flowscan
id = "longest-sessions"
title = "Which connections last longest"
description = "Accepted records of one pair of endpoints in both directions, stitched while they are no further apart than AWS tracks an idle TCP connection (350 s). The side with the lower port counts as the server; the view sessions tells clients from servers with more care."
[params.top]
type = "integer"
help = "rows to show"
*/
WITH records AS (
    SELECT
        CASE WHEN dstport <= srcport THEN srcaddr ELSE dstaddr END AS client,
        CASE WHEN dstport <= srcport THEN dstaddr ELSE srcaddr END AS server,
        CASE WHEN dstport <= srcport THEN srcport ELSE dstport END AS client_port,
        CASE WHEN dstport <= srcport THEN dstport ELSE srcport END AS server_port,
        CASE WHEN dstport <= srcport THEN bytes ELSE 0 END AS bytes_out,
        CASE WHEN dstport <= srcport THEN 0 ELSE bytes END AS bytes_in,
        protocol,
        "start" AS first_second,
        "end" AS last_second
    FROM flows
    WHERE action = 'ACCEPT'
      AND protocol IN (6, 17)
      AND "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
),
marked AS (
    SELECT
        client, server, client_port, server_port, protocol, bytes_out, bytes_in, first_second,
        last_second,
        CASE
            WHEN first_second - MAX(last_second) OVER (
                PARTITION BY client, server, client_port, server_port, protocol
                ORDER BY first_second, last_second
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) <= 350 THEN 0
            ELSE 1
        END AS opens
    FROM records
),
numbered AS (
    SELECT
        client, server, client_port, server_port, protocol, bytes_out, bytes_in, first_second,
        last_second,
        SUM(opens) OVER (
            PARTITION BY client, server, client_port, server_port, protocol
            ORDER BY first_second, last_second
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS place
    FROM marked
)
SELECT
    client,
    server,
    server_port,
    client_port,
    protocol,
    MAX(last_second) - MIN(first_second) AS seconds,
    SUM(bytes_out) AS bytes_out,
    SUM(bytes_in) AS bytes_in,
    COUNT(*) AS records,
    date_format(from_unixtime(MIN(first_second)), '%Y-%m-%dT%H:%i:%sZ') AS first_seen,
    date_format(from_unixtime(MAX(last_second)), '%Y-%m-%dT%H:%i:%sZ') AS last_seen
FROM numbered
GROUP BY client, server, client_port, server_port, protocol, place
ORDER BY seconds DESC, client, server, server_port, client_port, protocol, first_seen
LIMIT /*$top*/ 20
