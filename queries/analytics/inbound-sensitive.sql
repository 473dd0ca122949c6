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
  AND dstport IN /*$ports.sensitive*/ (21, 22, 23, 111, 135, 137, 139, 161, 389, 445, 512, 513, 514,
    873, 1433, 1521, 2049, 2375, 2376, 2379, 3306, 3389, 5432, 5439, 5601, 5900, 5984, 5985, 5986,
    6379, 6443, 7001, 8088, 9042, 9092, 9200, 9300, 10250, 11211, 27017)
  AND NOT /*$private(srcaddr)*/ (srcaddr LIKE '10.%' OR srcaddr LIKE '192.168.%'
    OR (srcaddr BETWEEN '172.16.' AND '172.31.~' AND srcaddr LIKE '172.__.%')
    OR (srcaddr BETWEEN '100.64.' AND '100.99.~' AND srcaddr LIKE '100.__.%')
    OR (srcaddr BETWEEN '100.100.' AND '100.127.~' AND srcaddr LIKE '100.___.%')
    OR (srcaddr BETWEEN 'fc00:' AND 'fdff:~' AND position(':' IN srcaddr) = 5))
  AND NOT /*$special(srcaddr)*/ (srcaddr LIKE '0.%' OR srcaddr LIKE '127.%'
    OR srcaddr LIKE '169.254.%' OR (srcaddr BETWEEN '224.' AND '255.~' AND srcaddr LIKE '___.%')
    OR (srcaddr BETWEEN 'fe80:' AND 'febf:~' AND position(':' IN srcaddr) = 5)
    OR (srcaddr BETWEEN 'ff00:' AND 'ffff:~' AND position(':' IN srcaddr) = 5)
    OR srcaddr IN ('::', '::1'))
  AND "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
GROUP BY dstaddr, dstport
ORDER BY sources DESC, flows DESC, dstaddr, dstport
LIMIT /*$top*/ 50
