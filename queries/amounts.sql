/* flowscan
id = "amounts"
title = "Bytes by hour, before they have names"
description = """
One row per UTC hour, interface, pair, verdict, port, protocol and path, as `volumes` shows them.
settled tells apart what was recorded before a given time, where a day is derived part by part.
"""
columns = ["hour", "settled", "interface_id", "account_id", "pair", "verdict", "port", "protocol",
  "path", "sessions", "records", "rejected", "packets_ab", "packets_ba", "bytes_ab", "bytes_ba",
  "refused_packets", "refused_bytes", "first_seen", "last_seen"]

[params.settled]
help = "what was recorded before this time stands apart"
*/
WITH counted AS (
  SELECT v.*, p.pair, p.account_id, mod(m, 256) AS protocol,
    CASE WHEN verdict > 0 THEN COALESCE(a_home, b_home, recorder)
      ELSE COALESCE(b_home, a_home, recorder) END AS interface_id,
    CASE WHEN mod(m, 256) NOT IN (6, 17, 132) THEN 0
      WHEN verdict > 0 THEN (m - mod(m, 256)) / 256 ELSE mod(k, 65536) END AS port,
    s - mod(s, 3600) AS hour,
    -- Most connections lie within one hour.
    CASE WHEN kept = 0 AND last < s - mod(s, 3600) + 3600
      AND (s >= /*$settled*/ 0 OR last < /*$settled*/ 0) THEN 1 ELSE 0 END AS within
  FROM verdicts v
  JOIN pairs p ON p.pair = (v.k - mod(v.k, 65536)) / 65536
),
parts AS (
  SELECT hour, CASE WHEN s < /*$settled*/ 0 THEN 1 ELSE 0 END AS settled, interface_id,
    account_id, pair, verdict, port, protocol, path, 1 AS sessions,
    records, rejected, packets_ab, packets_ba, bytes_ab, bytes_ba,
    refused_ab + refused_ba AS refused_packets,
    refused_bytes_ab + refused_bytes_ba AS refused_bytes, s, e
  FROM counted
  WHERE within = 1
  UNION ALL
  SELECT hour, CASE WHEN s < /*$settled*/ 0 THEN 1 ELSE 0 END, interface_id, account_id, pair,
    verdict, port, protocol, path, 1, 0, 0, 0.0E0, 0.0E0, 0.0E0, 0.0E0, 0.0E0, 0.0E0, s, s
  FROM counted
  WHERE within = 0 AND kept = 0
  UNION ALL
  SELECT x.hour, CASE WHEN x.slice < /*$settled*/ 0 THEN 1 ELSE 0 END, c.interface_id,
    c.account_id, c.pair, c.verdict, c.port, c.protocol, c.path, 0, x.records,
    x.rejected, x.packets_ab, x.packets_ba, x.bytes_ab, x.bytes_ba, x.refused_packets,
    x.refused_bytes, x.s, x.e
  FROM counted c
  JOIN (
    SELECT k, mod((l - code) / 4, 16777216) AS m, slice, slice - mod(slice, 3600) AS hour,
      records, CASE WHEN code = 0 THEN 0 ELSE records END AS rejected,
      packets_ab * weight AS packets_ab, (packets - packets_ab) * weight AS packets_ba,
      bytes_ab * weight AS bytes_ab, (bytes - bytes_ab) * weight AS bytes_ba,
      CASE WHEN code = 0 THEN 0.0E0 ELSE packets END AS refused_packets,
      CASE WHEN code = 0 THEN 0.0E0 ELSE bytes END AS refused_bytes,
      least(s_ab, s_ba) AS s, e
    FROM (
      SELECT *, mod(l, 4) AS code, (l - mod(l, 67108864)) / 67108864 AS slice,
        CASE mod(l, 4) WHEN 0 THEN 1.0E0 WHEN 1 THEN 0.0E0 ELSE -1.0E0 END AS weight
      FROM slices
    ) coded
  ) x ON x.k = c.k AND x.m = c.m AND x.slice <= c.last
    AND x.s >= c.s AND x.s <= c.e
  WHERE c.within = 0
)
SELECT hour, settled, interface_id, account_id, pair, verdict, port, protocol, path,
  sum(sessions) AS sessions, sum(records) AS records, sum(rejected) AS rejected,
  sum(packets_ab) AS packets_ab, sum(packets_ba) AS packets_ba, sum(bytes_ab) AS bytes_ab,
  sum(bytes_ba) AS bytes_ba, sum(refused_packets) AS refused_packets,
  sum(refused_bytes) AS refused_bytes, min(s) AS first_seen, max(e) AS last_seen
FROM parts
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
