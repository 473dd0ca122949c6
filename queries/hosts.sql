/* flowscan
id = "hosts"
title = "Addresses that are ours: those that the recording interfaces belong to"
description = """
One row per UTC day and address of our own. With flow-direction, an interface's addresses are the sources of
its egress and the destinations of its ingress. Without it, the address that stands in nearly all
records of the interface; of two such, the one with more peers, then the private one. An interface
that records a whole network (a mirror, a converted capture) owns that address's /16. gateway is
1 for a NAT gateway, told by packet addresses or, without them, by clients whose own interfaces
never recorded it and by passing on as much as it gets; 2 for another address that stands for
others on one interface only, such as a transit gateway's or the node's of pods.
"""
columns = ["day", "address", "interface_id", "gateway", "account_id", "region", "vpc_id",
  "subnet_id", "instance_id"]
*/
WITH legs AS (
  SELECT day, recorder, srcaddr, dstaddr, pkt_src, src, dst, way,
    CASE WHEN strpos(srcaddr, ':') > 0 THEN 6 ELSE 4 END AS family, sum(records) AS records,
    sum(packets) AS packets, sum(rejected) AS rejected,
    max(account_id) AS account_id, max(region) AS region, max(vpc_id) AS vpc_id,
    max(subnet_id) AS subnet_id, max(instance_id) AS instance_id
  FROM edges
  WHERE recorder <> ''
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
),
recorders AS (
  SELECT day, recorder, family, sum(records) AS records,
    sum(CASE WHEN way IS NULL THEN 0 ELSE records END) AS ways, max(account_id) AS account_id,
    max(region) AS region, max(vpc_id) AS vpc_id, max(subnet_id) AS subnet_id,
    max(instance_id) AS instance_id
  FROM legs
  GROUP BY 1, 2, 3
),
sides AS (
  SELECT day, recorder, family, srcaddr AS address, dstaddr AS peer, records,
    CASE WHEN way IS NULL THEN 0 ELSE records END AS known,
    CASE WHEN way = 'egress' THEN records ELSE 0 END AS own
  FROM legs
  UNION ALL
  SELECT day, recorder, family, dstaddr, srcaddr, records,
    CASE WHEN way IS NULL THEN 0 ELSE records END,
    CASE WHEN way = 'ingress' THEN records ELSE 0 END
  FROM legs
  WHERE dstaddr <> srcaddr
),
sums AS (
  SELECT day, recorder, family, address, sum(records) AS records, sum(own) AS own,
    sum(known) AS known
  FROM sides
  GROUP BY 1, 2, 3, 4
),
most AS (
  SELECT day, recorder, family, max(records) AS records FROM sums GROUP BY 1, 2, 3
),
foremost AS (
  -- Only what stands in much of a recorder's records can be its address.
  SELECT s.day, s.recorder, s.family, s.address, s.records, s.own, r.records AS total, r.ways
  FROM sums s
  JOIN recorders r ON r.day = s.day AND r.recorder = s.recorder AND r.family = s.family
  JOIN most m ON m.day = s.day AND m.recorder = s.recorder AND m.family = s.family
  WHERE s.records * 20 >= r.records OR s.records = m.records
),
candidates AS (
  SELECT l.day, l.recorder, l.family, l.address, max(l.records) AS records, max(l.own) AS own,
    max(l.total) AS total, max(l.ways) AS ways, count(DISTINCT s.peer) AS peers
  FROM foremost l
  JOIN sides s ON s.day = l.day AND s.recorder = l.recorder AND s.address = l.address
  GROUP BY 1, 2, 3, 4
),
ranked AS (
  SELECT *,
    row_number() OVER (
      PARTITION BY day, recorder, family
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
  SELECT day, recorder, family, address, total, records, ways,
    split_part(address, '.', 1) AS part1, split_part(address, '.', 2) AS part2
  FROM ranked
  WHERE place = 1
),
owned AS (
  SELECT r.day, r.recorder, r.family, r.address, r.records
  FROM sums r
  JOIN firsts f ON f.day = r.day AND f.recorder = r.recorder AND f.family = r.family
  WHERE (r.known > 0 AND r.own * 10 >= r.known * 4)
    OR (f.ways * 2 < f.total AND r.address = f.address)
    OR (f.ways * 2 < f.total AND f.records * 10 < f.total * 9 AND f.family = 4
      AND split_part(r.address, '.', 1) = f.part1 AND split_part(r.address, '.', 2) = f.part2)
  UNION ALL
  -- Secondary addresses, such as those of pods: only the packet level shows them.
  SELECT day, recorder, family, address, sum(records)
  FROM (
    SELECT day, recorder, family, src AS address, records FROM legs
    WHERE way = 'egress' AND src <> srcaddr
    UNION ALL
    SELECT day, recorder, family, dst, records FROM legs
    WHERE way = 'ingress' AND dst <> dstaddr
  ) hidden
  WHERE /*$private(address)*/ (address LIKE '10.%' OR address LIKE '192.168.%'
    OR (address BETWEEN '172.16.' AND '172.31.~' AND address LIKE '172.__.%')
    OR (address BETWEEN '100.64.' AND '100.99.~' AND address LIKE '100.__.%')
    OR (address BETWEEN '100.100.' AND '100.127.~' AND address LIKE '100.___.%')
    OR (address BETWEEN 'fc00:' AND 'fdff:~' AND position(':' IN address) = 5))
  GROUP BY 1, 2, 3, 4
),
best AS (
  SELECT day, address, family, recorder,
    row_number() OVER (PARTITION BY day, address ORDER BY records DESC, recorder) AS place
  FROM owned
  WHERE address IS NOT NULL
),
-- With packet addresses: what a recorder's address stood for on one leg is its peer on the other.
stood AS (
  SELECT day, recorder, dstaddr AS own, dst AS other FROM legs WHERE dst <> dstaddr
  UNION
  SELECT day, recorder, srcaddr, src FROM legs WHERE src <> srcaddr
),
translated AS (
  SELECT DISTINCT s.day, s.recorder, s.own AS address
  FROM stood s
  JOIN legs p ON p.day = s.day AND p.recorder = s.recorder AND p.src = p.srcaddr
    AND p.dst = p.dstaddr AND ((p.srcaddr = s.own AND p.dstaddr = s.other)
      OR (p.dstaddr = s.own AND p.srcaddr = s.other))
),
homes AS (
  -- A NAT gateway's recorder owns none of the addresses that it stands for.
  SELECT b.day, b.address, b.family, b.recorder
  FROM best b
  LEFT JOIN stood s ON s.day = b.day AND s.recorder = b.recorder AND s.other = b.address
  LEFT JOIN translated t ON t.day = s.day AND t.recorder = s.recorder AND t.address = s.own
  WHERE b.place = 1 AND t.address IS NULL
),
-- Without them: an address that nearly all of our own interfaces which it recorded never recorded.
plain AS (
  SELECT p.day, p.recorder, p.srcaddr AS own, p.dstaddr AS peer, p.records - p.rejected AS accepted
  FROM legs p
  JOIN homes h ON h.day = p.day AND h.address = p.srcaddr AND h.recorder = p.recorder
  WHERE p.pkt_src = '' AND p.records > p.rejected
  UNION ALL
  SELECT p.day, p.recorder, p.dstaddr, p.srcaddr, p.records - p.rejected
  FROM legs p
  JOIN homes h ON h.day = p.day AND h.address = p.dstaddr AND h.recorder = p.recorder
  WHERE p.pkt_src = '' AND p.records > p.rejected
),
met AS (
  -- Whom a recorder recorded, in whatever format: interfaces of one pair may log in two.
  SELECT day, recorder, srcaddr AS own, dstaddr AS peer FROM legs WHERE records > rejected
  UNION
  SELECT day, recorder, dstaddr, srcaddr FROM legs WHERE records > rejected
),
crossed AS (
  -- A NAT gateway passes on what it gets: as much from inside as to outside.
  SELECT l.day, l.recorder,
    sum(CASE WHEN h.address IS NOT NULL AND /*$private(l.srcaddr)*/ (l.srcaddr LIKE '10.%'
      OR l.srcaddr LIKE '192.168.%'
      OR (l.srcaddr BETWEEN '172.16.' AND '172.31.~' AND l.srcaddr LIKE '172.__.%')
      OR (l.srcaddr BETWEEN '100.64.' AND '100.99.~' AND l.srcaddr LIKE '100.__.%')
      OR (l.srcaddr BETWEEN '100.100.' AND '100.127.~' AND l.srcaddr LIKE '100.___.%')
      OR (l.srcaddr BETWEEN 'fc00:' AND 'fdff:~' AND position(':' IN l.srcaddr) = 5))
      THEN l.packets ELSE 0 END) AS entered,
    sum(CASE WHEN h.address IS NULL AND NOT /*$private(l.dstaddr)*/ (l.dstaddr LIKE '10.%'
      OR l.dstaddr LIKE '192.168.%'
      OR (l.dstaddr BETWEEN '172.16.' AND '172.31.~' AND l.dstaddr LIKE '172.__.%')
      OR (l.dstaddr BETWEEN '100.64.' AND '100.99.~' AND l.dstaddr LIKE '100.__.%')
      OR (l.dstaddr BETWEEN '100.100.' AND '100.127.~' AND l.dstaddr LIKE '100.___.%')
      OR (l.dstaddr BETWEEN 'fc00:' AND 'fdff:~' AND position(':' IN l.dstaddr) = 5))
      THEN l.packets ELSE 0 END) AS left_out
  FROM legs l
  LEFT JOIN homes h ON h.day = l.day AND h.recorder = l.recorder AND h.address = l.dstaddr
  GROUP BY 1, 2
),
relayed AS (
  SELECT p.day, p.own AS address, max(x.entered) AS entered, max(x.left_out) AS left_out
  FROM plain p
  JOIN crossed x ON x.day = p.day AND x.recorder = p.recorder
  JOIN homes h ON h.day = p.day AND h.address = p.peer AND h.recorder <> p.recorder
  LEFT JOIN met q ON q.day = h.day AND q.recorder = h.recorder AND q.own = p.peer
    AND q.peer = p.own
  GROUP BY 1, 2
  HAVING sum(CASE WHEN q.own IS NULL THEN p.accepted ELSE 0 END) * 10 >= 9 * sum(p.accepted)
    AND sum(CASE WHEN q.own IS NULL THEN p.accepted ELSE 0 END) >= 4
)
SELECT b.day, b.address, b.recorder AS interface_id,
  CASE
    WHEN t.address IS NOT NULL THEN 1
    WHEN n.address IS NULL THEN 0
    WHEN n.entered BETWEEN 0.9E0 * n.left_out AND 1.1E0 * n.left_out THEN 1
    ELSE 2
  END AS gateway,
  r.account_id, r.region, r.vpc_id, r.subnet_id, r.instance_id
FROM homes b
JOIN recorders r ON r.day = b.day AND r.recorder = b.recorder AND r.family = b.family
LEFT JOIN translated t ON t.day = b.day AND t.address = b.address AND t.recorder = b.recorder
LEFT JOIN relayed n ON n.day = b.day AND n.address = b.address
