/* flowscan
id = "sessions"
title = "Connections: who called whom, stitched over windows and directions, each packet once"
description = """
One row per UTC day and connection. Each packet counts once whoever recorded it; packets_out,
bytes_out (from the client) and packets_in, bytes_in were accepted, refused_* were not. The client
is told by SYN flags where there are any; else independent evidence adds up: who alone sent, sizes
of a bare SYN and RST, how many exchanges each end's port took part in, well-known and dynamic
ports, failures of one port against many, who was first, whose answers were refused. initiator
names the strongest evidence and odds its strength in sum; below 1 it is undecided, and then the
client is never one of ours if the other side is not. Packets and bytes end at 9 * 10^15,
beyond which they would not be exact.
"""
columns = ["account_id", "interface_id", "client", "server", "client_side", "server_side",
  "client_port", "server_port", "protocol", "first_seen", "last_seen", "records", "rejected",
  "packets_out", "packets_in", "bytes_out", "bytes_in", "refused_out", "refused_in",
  "refused_bytes_out", "refused_bytes_in", "flags_out", "flags_in", "path", "initiator", "odds"]
*/
SELECT
  account_id,
  CASE
    WHEN verdict > 0 THEN COALESCE(a_home, b_home, recorder)
    ELSE COALESCE(b_home, a_home, recorder)
  END AS interface_id,
  CASE WHEN verdict > 0 THEN a ELSE b END AS client,
  CASE WHEN verdict > 0 THEN b ELSE a END AS server,
  CASE WHEN verdict > 0 THEN a_side ELSE b_side END AS client_side,
  CASE WHEN verdict > 0 THEN b_side ELSE a_side END AS server_side,
  CAST(CASE WHEN verdict > 0 THEN mod(k, 65536) ELSE (m - mod(m, 256)) / 256 END AS INTEGER)
    AS client_port,
  CAST(CASE WHEN verdict > 0 THEN (m - mod(m, 256)) / 256 ELSE mod(k, 65536) END AS INTEGER)
    AS server_port,
  CAST(mod(m, 256) AS INTEGER) AS protocol,
  s AS first_seen,
  e AS last_seen,
  CAST(records AS BIGINT) AS records,
  CAST(rejected AS BIGINT) AS rejected,
  CAST(greatest(least(CASE WHEN verdict > 0 THEN packets_ab ELSE packets_ba END, 9.0E15), 0.0E0)
    AS BIGINT) AS packets_out,
  CAST(greatest(least(CASE WHEN verdict > 0 THEN packets_ba ELSE packets_ab END, 9.0E15), 0.0E0)
    AS BIGINT) AS packets_in,
  CAST(greatest(least(CASE WHEN verdict > 0 THEN bytes_ab ELSE bytes_ba END, 9.0E15), 0.0E0)
    AS BIGINT) AS bytes_out,
  CAST(greatest(least(CASE WHEN verdict > 0 THEN bytes_ba ELSE bytes_ab END, 9.0E15), 0.0E0)
    AS BIGINT) AS bytes_in,
  CAST(least(CASE WHEN verdict > 0 THEN refused_ab ELSE refused_ba END, 9.0E15) AS BIGINT)
    AS refused_out,
  CAST(least(CASE WHEN verdict > 0 THEN refused_ba ELSE refused_ab END, 9.0E15) AS BIGINT)
    AS refused_in,
  CAST(least(CASE WHEN verdict > 0 THEN refused_bytes_ab ELSE refused_bytes_ba END, 9.0E15)
    AS BIGINT) AS refused_bytes_out,
  CAST(least(CASE WHEN verdict > 0 THEN refused_bytes_ba ELSE refused_bytes_ab END, 9.0E15)
    AS BIGINT) AS refused_bytes_in,
  bitwise_and(flags, CASE WHEN verdict > 0 THEN 255 ELSE 65280 END)
    / CASE WHEN verdict > 0 THEN 1 ELSE 256 END AS flags_out,
  bitwise_and(flags, CASE WHEN verdict > 0 THEN 65280 ELSE 255 END)
    / CASE WHEN verdict > 0 THEN 256 ELSE 1 END AS flags_in,
  path,
  initiator,
  abs(score) AS odds
FROM verdicts v
JOIN pairs p ON p.pair = (v.k - mod(v.k, 65536)) / 65536
