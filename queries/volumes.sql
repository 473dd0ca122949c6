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

[params.least]
help = "lowest packets and bytes of a row, below 0 for one part of an hour"
*/
SELECT
  day, hour, interface_id, account_id, client, server, client_side, server_side, port, protocol,
  path,
  CAST(sum(sessions) AS BIGINT) AS sessions, CAST(sum(records) AS BIGINT) AS records,
  CAST(sum(rejected) AS BIGINT) AS rejected,
  CAST(greatest(least(sum(packets_out), 9.0E15), /*$least*/ 0.0) AS BIGINT) AS packets_out,
  CAST(greatest(least(sum(packets_in), 9.0E15), /*$least*/ 0.0) AS BIGINT) AS packets_in,
  CAST(greatest(least(sum(bytes_out), 9.0E15), /*$least*/ 0.0) AS BIGINT) AS bytes_out,
  CAST(greatest(least(sum(bytes_in), 9.0E15), /*$least*/ 0.0) AS BIGINT) AS bytes_in,
  CAST(least(sum(refused_packets), 9.0E15) AS BIGINT) AS refused_packets,
  CAST(least(sum(refused_bytes), 9.0E15) AS BIGINT) AS refused_bytes,
  min(first_seen) AS first_seen, max(last_seen) AS last_seen
FROM (
  SELECT
    p.day, x.hour, x.interface_id, x.account_id,
    CASE WHEN x.verdict > 0 THEN p.a ELSE p.b END AS client,
    CASE WHEN x.verdict > 0 THEN p.b ELSE p.a END AS server,
    CASE WHEN x.verdict > 0 THEN p.a_side ELSE p.b_side END AS client_side,
    CASE WHEN x.verdict > 0 THEN p.b_side ELSE p.a_side END AS server_side,
    CAST(x.port AS INTEGER) AS port, CAST(x.protocol AS INTEGER) AS protocol, x.path,
    x.sessions, x.records, x.rejected,
    CASE WHEN x.verdict > 0 THEN x.packets_ab ELSE x.packets_ba END AS packets_out,
    CASE WHEN x.verdict > 0 THEN x.packets_ba ELSE x.packets_ab END AS packets_in,
    CASE WHEN x.verdict > 0 THEN x.bytes_ab ELSE x.bytes_ba END AS bytes_out,
    CASE WHEN x.verdict > 0 THEN x.bytes_ba ELSE x.bytes_ab END AS bytes_in,
    x.refused_packets, x.refused_bytes, x.first_seen, x.last_seen
  FROM amounts x
  JOIN pairs p ON p.pair = x.pair
) named
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
