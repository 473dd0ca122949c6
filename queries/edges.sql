/* flowscan
id = "edges"
title = "Which interface recorded traffic between which addresses"
description = """
One row per UTC day, recorder (interface, gateway attachment or resource), pair of addresses as
recorded and at packet level, direction and path. Few rows, from which `hosts` and `lanes` learn
whose addresses there are and which recorder speaks, without reading all flows again.
"""
columns = ["day", "recorder", "srcaddr", "dstaddr", "pkt_src", "pkt_dst", "src", "dst", "way",
  "path", "records", "packets", "bytes", "rejected", "account_id", "region", "vpc_id", "subnet_id",
  "instance_id"]
*/
SELECT day, recorder, srcaddr, dstaddr,
  COALESCE(pkt_srcaddr, '') AS pkt_src,
  COALESCE(pkt_dstaddr, '') AS pkt_dst,
  COALESCE(pkt_srcaddr, srcaddr) AS src,
  COALESCE(pkt_dstaddr, dstaddr) AS dst,
  way, path,
  CAST(sum(records) AS BIGINT) AS records, sum(packets) AS packets, sum(bytes) AS bytes,
  CAST(sum(rejected) AS BIGINT) AS rejected,
  max(account_id) AS account_id,
  max(region) AS region,
  max(vpc_id) AS vpc_id,
  max(subnet_id) AS subnet_id,
  max(instance_id) AS instance_id
FROM (
  -- Grouped by the fields as they are, whatever each record is about: a field that is absent or
  -- ever the same costs nothing, max() of a text for each record does.
  SELECT
    "start" - mod("start", 86400) AS day,
    COALESCE(interface_id, tgw_attachment_id, resource_id, '') AS recorder,
    srcaddr, dstaddr, pkt_srcaddr, pkt_dstaddr,
    flow_direction AS way,
    traffic_path AS path,
    account_id, region, vpc_id, subnet_id, instance_id,
    count(*) AS records,
    sum(CAST(least(COALESCE(packets, 0), 35184372088832) AS DOUBLE)) AS packets,
    sum(CAST(least(COALESCE(bytes, 0), 35184372088832) AS DOUBLE)) AS bytes,
    sum(CASE WHEN action = 'REJECT' THEN 1 ELSE 0 END) AS rejected
  FROM flows
  WHERE "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
    AND srcaddr IS NOT NULL AND dstaddr IS NOT NULL
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13
) grouped
GROUP BY 1, 2, 3, 4, pkt_srcaddr, pkt_dstaddr, way, path
