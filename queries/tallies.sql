/* flowscan
id = "tallies"
title = "Records by hour: how many each interface wrote"
description = """
One row per UTC hour and interface: the records that AWS wrote, and how many of them were refused.
A packet that two interfaces saw is in the records of both; what counts each packet once is
`volumes`. interface_id is NULL for records of a transit gateway.
"""
columns = ["day", "hour", "interface_id", "records", "rejected"]
*/
SELECT hour - mod(hour, 86400) AS day, hour, interface_id, records, rejected
FROM (
  SELECT "start" - mod("start", 3600) AS hour, interface_id, count(*) AS records,
    CAST(sum(CASE WHEN action = 'REJECT' THEN 1 ELSE 0 END) AS BIGINT) AS rejected
  FROM flows
  WHERE "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
  GROUP BY 1, 2
) grouped
