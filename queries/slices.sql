/* flowscan
id = "slices"
title = "Records of one five-tuple within a few minutes, added up, each packet once"
description = """
One row per five-tuple, slice of time (TCP 300 s, UDP 180 s, others 60 s) and code: 0 accepted, 1
refused, 2 refused by the receiver after the sender's interface had let it pass. k packs the pair and
the port of a; l the slice's start, the port of b, the protocol and the code; flags of b are shifted
by eight bits; a start beyond the year 30000 means that the direction has none. A record
counts no more than 2^45 packets or bytes, ten minutes of 400 Gbit/s, so that sums hold a lie.
"""
columns = ["k", "l", "e", "records", "s_ab", "s_ba", "packets", "packets_ab", "bytes", "bytes_ab",
  "flags", "path"]
*/
SELECT
  pair * 65536 + dstport + (srcport - dstport) * up AS k,
  (((s - mod(s, length)) * 65536 + srcport + (dstport - srcport) * up) * 256 + protocol) * 4 + code
    AS l,
  max(e) AS e,
  count(*) AS records,
  -- Products with up stand for CASE, which costs more.
  min(s + (1 - up) * 1000000000000) AS s_ab,
  min(s + up * 1000000000000) AS s_ba,
  sum(packets) AS packets,
  sum(packets * up) AS packets_ab,
  sum(bytes) AS bytes,
  sum(bytes * up) AS bytes_ab,
  bitwise_or_agg(tcp_flags * (256 - 255 * up)) AS flags,
  max(path) AS path
FROM (
  SELECT
    l.pair,
    CASE WHEN l.to_self = 1 AND f.srcport > f.dstport THEN 0 ELSE l.up END AS up,
    COALESCE(f.srcport, 0) AS srcport,
    COALESCE(f.dstport, 0) AS dstport,
    COALESCE(f.protocol, 0) AS protocol,
    CASE f.protocol WHEN 6 THEN 300 WHEN 17 THEN 180 ELSE 60 END AS length,
    f."start" AS s, greatest(COALESCE(f."end", f."start"), f."start") AS e,
    f.tcp_flags, f.traffic_path AS path,
    CAST(least(COALESCE(f.packets, 0), 35184372088832) AS DOUBLE) AS packets,
    CAST(least(COALESCE(f.bytes, 0), 35184372088832) AS DOUBLE) AS bytes,
    CASE WHEN f.action = 'REJECT' THEN l.speaks ELSE 0 END AS code
  FROM flows f
  JOIN lanes l ON l.srcaddr = f.srcaddr AND l.dstaddr = f.dstaddr
    AND l.pkt_src = COALESCE(f.pkt_srcaddr, '') AND l.pkt_dst = COALESCE(f.pkt_dstaddr, '')
    AND l.recorder = COALESCE(f.interface_id, f.tgw_attachment_id, f.resource_id, '')
    AND l.day = f."start" - mod(f."start", 86400)
  WHERE f."start" >= /*$since*/ 0 AND f."start" < /*$until*/ 4102444800
    AND (l.speaks = 1 OR f.action = 'REJECT')
) directed
GROUP BY 1, 2
