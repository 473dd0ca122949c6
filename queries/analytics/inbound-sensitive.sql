/* flowscan
id = "inbound-sensitive"
title = "Which sensitive ports the internet reaches"
description = "Remote-access, file-sharing and database ports of ours at which something from a public address was let through, those that answered most first. Answered are sessions with a handshake or payload, closed those met by resets, silent those without answer: probes, which a NAT gateway lets in and drops. Of the UTC days that the window touches."
[params.top]
type = "integer"
help = "rows to show"
*/
SELECT
    server AS dstaddr,
    port AS dstport,
    COUNT(DISTINCT client) AS sources,
    SUM(sessions) AS sessions,
    SUM("open" + "empty") AS answered,
    SUM(closed) AS closed,
    SUM(silent) AS silent,
    SUM(packets_out) AS packets,
    SUM(bytes_out) AS bytes,
    SUM(bytes_in) AS bytes_back,
    date_format(from_unixtime(MIN(first_seen)), '%Y-%m-%dT%H:%i:%sZ') AS first_seen,
    date_format(from_unixtime(MAX(last_seen)), '%Y-%m-%dT%H:%i:%sZ') AS last_seen
FROM contacts
WHERE client_side = 'public' AND server_side = 'ours'
  AND protocol = 6
  AND packets_out > 0
  AND port IN /*$ports.sensitive*/ (21, 22, 23, 111, 135, 137, 139, 161, 389, 445, 512, 513, 514,
    873, 1433, 1521, 2049, 2375, 2376, 2379, 3306, 3389, 5432, 5439, 5601, 5900, 5984, 5985, 5986,
    6379, 6443, 7001, 8088, 9042, 9092, 9200, 9300, 10250, 11211, 27017)
  AND day > /*$since*/ 0 - 86400 AND day < /*$until*/ 4102444800
GROUP BY server, port
ORDER BY answered DESC, sources DESC, sessions DESC, dstaddr, dstport
LIMIT /*$top*/ 50
