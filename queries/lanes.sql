/* flowscan
id = "lanes"
title = "Which recorder speaks for the packets between two addresses"
description = """
One row per UTC day, pair of addresses as recorded and at packet level, and recorder whose records
count, so that each packet counts once. The sender's own interface speaks; if it is not logged the
receiver's; else whoever saw most on the way, of a transit gateway the attachment of the source.
Beside the sender's, the receiver's refusals count: what left and was refused there (speaks = 2).
leg marks a NAT gateway's own side of traffic that is told under the client's name: 1 when the
other end is outside, 2 when it is a client of the gateway.
"""
columns = ["day", "srcaddr", "dstaddr", "pkt_src", "pkt_dst", "recorder", "speaks", "pair", "up",
  "to_self", "a", "b", "leg", "account_id"]
*/
WITH routes AS (
  SELECT day, recorder, srcaddr, dstaddr, pkt_src, pkt_dst, src, dst,
    max(CASE WHEN way = 'ingress' THEN 1 ELSE 0 END) AS entering, sum(packets) AS packets,
    sum(rejected) AS rejected, max(account_id) AS account_id
  FROM edges
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
),
sided AS (
  SELECT r.*, s.interface_id AS src_home, d.interface_id AS dst_home,
    COALESCE(s.gateway, 0) AS src_gateway, COALESCE(d.gateway, 0) AS dst_gateway,
    CASE WHEN s.interface_id = r.recorder THEN 3 WHEN d.interface_id = r.recorder THEN 2 ELSE 1 END
      AS place
  FROM routes r
  LEFT JOIN hosts s ON s.day = r.day AND s.address = r.src
  LEFT JOIN hosts d ON d.day = r.day AND d.address = r.dst
),
recorded AS (
  SELECT day, src, dst, recorder, max(place) AS place,
    row_number() OVER (
      PARTITION BY day, src, dst
      ORDER BY max(place) DESC, max(entering) DESC, sum(packets) DESC, recorder) AS turn,
    max(max(place)) OVER (PARTITION BY day, src, dst) AS best
  FROM sided
  GROUP BY day, src, dst, recorder
),
outside AS (
  -- Whom our hosts, gateways left out, are seen to reach with their own interfaces.
  SELECT DISTINCT day, dst AS address FROM sided
  WHERE src_home = recorder AND src_gateway = 0 AND dst_home IS NULL AND pkt_src = ''
),
speaking AS (
  SELECT s.day, s.srcaddr, s.dstaddr, s.pkt_src, s.pkt_dst, s.recorder, s.src, s.dst,
    CASE WHEN r.turn = 1 THEN 1 ELSE 2 END AS speaks, s.account_id,
    CASE
      WHEN s.src_gateway = 0 AND s.dst_gateway = 0 THEN 0
      WHEN s.pkt_src <> '' THEN 1
      WHEN s.src_gateway > 0 AND s.dst_home IS NOT NULL THEN 2
      WHEN s.dst_gateway > 0 AND s.src_home IS NOT NULL THEN 2
      WHEN s.src_gateway = 1 AND od.address IS NOT NULL THEN 1
      WHEN s.dst_gateway = 1 AND os.address IS NOT NULL THEN 1
      ELSE 0
    END AS leg
  FROM sided s
  JOIN recorded r ON r.day = s.day AND r.src = s.src AND r.dst = s.dst AND r.recorder = s.recorder
  LEFT JOIN outside od ON od.day = s.day AND od.address = s.dst AND s.src_gateway = 1
  LEFT JOIN outside os ON os.day = s.day AND os.address = s.src AND s.dst_gateway = 1
  WHERE r.turn = 1 OR (r.place = 2 AND r.best = 3 AND s.rejected > 0)
),
couples AS (
  SELECT day, a, b, row_number() OVER (ORDER BY day, a, b) AS pair
  FROM (
    SELECT DISTINCT day, CASE WHEN src < dst THEN src ELSE dst END AS a,
      CASE WHEN src < dst THEN dst ELSE src END AS b
    FROM speaking
  ) named
)
SELECT s.day, s.srcaddr, s.dstaddr, s.pkt_src, s.pkt_dst, s.recorder, s.speaks, p.pair,
  CASE WHEN s.src = p.a THEN 1 ELSE 0 END AS up,
  CASE WHEN s.src = s.dst THEN 1 ELSE 0 END AS to_self,
  p.a, p.b, s.leg, s.account_id
FROM speaking s
JOIN couples p ON p.day = s.day AND p.a = CASE WHEN s.src < s.dst THEN s.src ELSE s.dst END
  AND p.b = CASE WHEN s.src < s.dst THEN s.dst ELSE s.src END
