/* flowscan
id = "volumes"
title = "Bytes by hour: who called whom, through which interface, each packet once"
description = """
One row per UTC hour, interface, client, server, server port, protocol and path: sessions that
began, records, and packets and bytes in the hour in which they were recorded. packets_out to
bytes_in were accepted, refused_packets and refused_bytes were not, both ways together.
"""
columns = ["day", "hour", "interface_id", "account_id", "client", "server", "client_side",
  "server_side", "port", "protocol", "path", "sessions", "records", "rejected", "packets_out",
  "packets_in", "bytes_out", "bytes_in", "refused_packets", "refused_bytes", "first_seen",
  "last_seen"]
*/
WITH counted AS (
  SELECT v.*, p.account_id,
    CASE WHEN verdict > 0 THEN COALESCE(a_home, b_home, recorder)
      ELSE COALESCE(b_home, a_home, recorder) END AS interface_id,
    CASE WHEN protocol IN (6, 17, 132) THEN CASE WHEN verdict > 0 THEN bp ELSE ap END ELSE 0 END
      AS port,
    s - mod(s, 3600) AS hour
  FROM verdicts v
  JOIN pairs p ON p.pair = v.pair
),
parts AS (
  -- Most connections lie within one hour.
  SELECT pair, verdict, interface_id, account_id, port, protocol, path, hour, 1 AS sessions, records, rejected,
    packets_ab, packets_ba, bytes_ab, bytes_ba, refused_ab + refused_ba AS refused_packets,
    refused_bytes_ab + refused_bytes_ba AS refused_bytes, s, e
  FROM counted
  WHERE last < hour + 3600
  UNION ALL
  SELECT c.pair, c.verdict, c.interface_id, c.account_id, c.port, c.protocol, c.path, x.hour,
    CASE WHEN x.hour = c.hour THEN 1 ELSE 0 END, x.records, x.rejected,
    x.packets_ab, x.packets_ba, x.bytes_ab, x.bytes_ba, x.refused_packets, x.refused_bytes, x.s, x.e
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
  ) x ON x.k = c.k AND x.m = c.bp * 256 + c.protocol AND x.slice <= c.last
    AND x.slice > c.s - 300 AND x.e >= c.s
  WHERE c.last >= c.hour + 3600
),
summed AS (
  SELECT hour, interface_id, account_id, pair, verdict, port, protocol, path,
    sum(sessions) AS sessions, sum(records) AS records, sum(rejected) AS rejected,
    sum(packets_ab) AS packets_ab, sum(packets_ba) AS packets_ba, sum(bytes_ab) AS bytes_ab,
    sum(bytes_ba) AS bytes_ba, sum(refused_packets) AS refused_packets,
    sum(refused_bytes) AS refused_bytes, min(s) AS first_seen, max(e) AS last_seen
  FROM parts
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
)
SELECT
  p.day, x.hour, x.interface_id, x.account_id,
  CASE WHEN x.verdict > 0 THEN p.a ELSE p.b END AS client,
  CASE WHEN x.verdict > 0 THEN p.b ELSE p.a END AS server,
  CASE WHEN x.verdict > 0 THEN p.a_side ELSE p.b_side END AS client_side,
  CASE WHEN x.verdict > 0 THEN p.b_side ELSE p.a_side END AS server_side,
  CAST(x.port AS INTEGER) AS port, CAST(x.protocol AS INTEGER) AS protocol, x.path,
  CAST(x.sessions AS BIGINT) AS sessions, CAST(x.records AS BIGINT) AS records,
  CAST(x.rejected AS BIGINT) AS rejected,
  CAST(least(CASE WHEN x.verdict > 0 THEN x.packets_ab ELSE x.packets_ba END, 9.0E15) AS BIGINT)
    AS packets_out,
  CAST(least(CASE WHEN x.verdict > 0 THEN x.packets_ba ELSE x.packets_ab END, 9.0E15) AS BIGINT)
    AS packets_in,
  CAST(least(CASE WHEN x.verdict > 0 THEN x.bytes_ab ELSE x.bytes_ba END, 9.0E15) AS BIGINT)
    AS bytes_out,
  CAST(least(CASE WHEN x.verdict > 0 THEN x.bytes_ba ELSE x.bytes_ab END, 9.0E15) AS BIGINT)
    AS bytes_in,
  CAST(least(x.refused_packets, 9.0E15) AS BIGINT) AS refused_packets,
  CAST(least(x.refused_bytes, 9.0E15) AS BIGINT) AS refused_bytes, x.first_seen, x.last_seen
FROM summed x
JOIN pairs p ON p.pair = x.pair
