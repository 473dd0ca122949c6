/* flowscan
id = "hosts"
title = "Addresses that are ours: those that the recording interfaces belong to"
description = """
One row per UTC day and address of our own. With flow-direction, an interface's addresses are the sources of
its egress and the destinations of its ingress. Without it, the address that stands in nearly all
records of the interface; of two such, the one with more peers, then the private one. An interface
that records a whole network (a mirror, a converted capture) owns that address's /16.
"""
columns = ["day", "address", "interface_id", "account_id", "region", "vpc_id", "subnet_id",
  "instance_id"]
*/
WITH pairs AS (
  SELECT day, recorder, srcaddr, dstaddr, src, dst, way, records, account_id, region, vpc_id,
    subnet_id, instance_id
  FROM edges
  WHERE recorder <> ''
),
recorders AS (
  SELECT day, recorder, sum(records) AS records,
    sum(CASE WHEN way IS NULL THEN 0 ELSE records END) AS ways, max(account_id) AS account_id,
    max(region) AS region, max(vpc_id) AS vpc_id, max(subnet_id) AS subnet_id,
    max(instance_id) AS instance_id
  FROM pairs
  GROUP BY 1, 2
),
sides AS (
  SELECT day, recorder, srcaddr AS address, dstaddr AS peer, records,
    CASE WHEN way IS NULL THEN 0 ELSE records END AS known,
    CASE WHEN way = 'egress' THEN records ELSE 0 END AS own
  FROM pairs
  UNION ALL
  SELECT day, recorder, dstaddr, srcaddr, records,
    CASE WHEN way IS NULL THEN 0 ELSE records END,
    CASE WHEN way = 'ingress' THEN records ELSE 0 END
  FROM pairs
  WHERE dstaddr <> srcaddr
),
sums AS (
  SELECT day, recorder, address, sum(records) AS records, sum(own) AS own, sum(known) AS known
  FROM sides
  GROUP BY 1, 2, 3
),
most AS (
  SELECT day, recorder, max(records) AS records FROM sums GROUP BY 1, 2
),
leading AS (
  -- Only what stands in much of a recorder's records can be its address.
  SELECT s.day, s.recorder, s.address, s.records, s.own, r.records AS total, r.ways
  FROM sums s
  JOIN recorders r ON r.day = s.day AND r.recorder = s.recorder
  JOIN most m ON m.day = s.day AND m.recorder = s.recorder
  WHERE s.records * 20 >= r.records OR s.records = m.records
),
candidates AS (
  SELECT l.day, l.recorder, l.address, max(l.records) AS records, max(l.own) AS own,
    max(l.total) AS total, max(l.ways) AS ways, count(DISTINCT s.peer) AS peers
  FROM leading l
  JOIN sides s ON s.day = l.day AND s.recorder = l.recorder AND s.address = l.address
  GROUP BY 1, 2, 3
),
ranked AS (
  SELECT *,
    row_number() OVER (
      PARTITION BY day, recorder
      ORDER BY CASE WHEN records * 10 >= total * 9 THEN 0 ELSE 1 END,
        own DESC, peers DESC,
        CASE WHEN /*$private(address)*/ (address LIKE '10.%' OR address LIKE '192.168.%'
          OR (address BETWEEN '172.16.' AND '172.31.~' AND address LIKE '172.__.%')
          OR (address BETWEEN '100.64.' AND '100.99.~' AND address LIKE '100.__.%')
          OR (address BETWEEN '100.100.' AND '100.127.~' AND address LIKE '100.___.%')
          OR (address BETWEEN 'fc00:' AND 'fdff:~' AND position(':' IN address) = 5)) THEN 0 ELSE 1 END,
        records DESC, address) AS place
  FROM candidates
),
firsts AS (
  SELECT day, recorder, address, total, records, ways,
    split_part(address, '.', 1) AS part1, split_part(address, '.', 2) AS part2
  FROM ranked
  WHERE place = 1
),
owned AS (
  SELECT r.day, r.recorder, r.address, r.records
  FROM sums r
  JOIN firsts f ON f.day = r.day AND f.recorder = r.recorder
  WHERE (r.known > 0 AND r.own * 10 >= r.known * 4)
    OR (f.ways * 2 < f.total AND r.address = f.address)
    OR (f.ways * 2 < f.total AND f.records * 10 < f.total * 9
      AND split_part(r.address, '.', 1) = f.part1 AND split_part(r.address, '.', 2) = f.part2)
  UNION ALL
  -- Secondary addresses, such as those of pods: only the packet level shows them.
  SELECT day, recorder, src, sum(records)
  FROM pairs
  WHERE way = 'egress' AND src <> srcaddr
    AND /*$private(src)*/ (src LIKE '10.%' OR src LIKE '192.168.%'
      OR (src BETWEEN '172.16.' AND '172.31.~' AND src LIKE '172.__.%')
      OR (src BETWEEN '100.64.' AND '100.99.~' AND src LIKE '100.__.%')
      OR (src BETWEEN '100.100.' AND '100.127.~' AND src LIKE '100.___.%')
      OR (src BETWEEN 'fc00:' AND 'fdff:~' AND position(':' IN src) = 5))
  GROUP BY 1, 2, 3
),
best AS (
  SELECT day, address, recorder,
    row_number() OVER (PARTITION BY day, address ORDER BY records DESC, recorder) AS place
  FROM owned
  WHERE address IS NOT NULL
)
SELECT b.day, b.address, b.recorder AS interface_id, r.account_id, r.region, r.vpc_id, r.subnet_id,
  r.instance_id
FROM best b
JOIN recorders r ON r.day = b.day AND r.recorder = b.recorder
WHERE b.place = 1
