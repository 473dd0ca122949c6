/* flowscan
id = "docs-records-of-a-range"
title = "Records of a range of sources"
description = "Sources whose address begins with two given octets, split into its parts."
[params.first]
type = "string"
help = "first octet"
[params.second]
type = "string"
help = "second octet"
[params.from_day]
type = "string"
help = "first day, YYYY/MM/DD"
[params.to_day]
type = "string"
help = "day after the last, YYYY/MM/DD"
[params.top]
type = "integer"
help = "rows to show"
*/
SELECT
    split_part(srcaddr, '.', 1) AS octet1,
    split_part(srcaddr, '.', 2) AS octet2,
    split_part(srcaddr, '.', 3) AS octet3,
    split_part(srcaddr, '.', 4) AS octet4,
    COUNT(*) AS records,
    SUM(bytes) AS bytes
FROM test_table_vpclogs
WHERE split_part(srcaddr, '.', 1) = /*$first*/ '10'
  AND split_part(srcaddr, '.', 2) = /*$second*/ '20'
  AND day >= /*$from_day*/ '2026/08/03' AND day < /*$to_day*/ '2026/08/05'
GROUP BY 1, 2, 3, 4
ORDER BY records DESC, octet3, octet4
LIMIT /*$top*/ 100
