/* flowscan
id = "inbound-sensitive"
title = "Which sensitive ports the internet reaches"
description = "Accepted traffic from public addresses to remote-access, file-sharing and database ports."
[params.top]
type = "integer"
help = "rows to show"
*/
SELECT
    dstaddr,
    dstport,
    COUNT(DISTINCT srcaddr) AS sources,
    COUNT(*) AS flows,
    SUM(packets) AS packets,
    SUM(bytes) AS bytes,
    date_format(from_unixtime(MIN("start")), '%Y-%m-%dT%H:%i:%sZ') AS first_seen,
    date_format(from_unixtime(MAX("end")), '%Y-%m-%dT%H:%i:%sZ') AS last_seen
FROM flows
WHERE action = 'ACCEPT'
  AND protocol = 6
  AND dstport IN (
      21, 22, 23, 135, 139, 445, 1433, 1521, 2375, 2379, 3306, 3389, 5432, 5601, 5900, 5985, 5986,
      6379, 6443, 9042, 9092, 9200, 10250, 11211, 27017
  )
  AND NOT regexp_like(srcaddr, '^(10\.|127\.|0\.|169\.254\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\.|22[4-9]\.|2[345][0-9]\.|[fF][cCdDeEfF]|::1$)')
  AND "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
GROUP BY dstaddr, dstport
ORDER BY sources DESC, flows DESC, dstaddr, dstport
LIMIT /*$top*/ 50
