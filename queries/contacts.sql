/* flowscan
id = "contacts"
title = "Who called whom: sessions of one day, client, server, port and protocol"
description = """
One row per UTC day, client, server, server port and protocol, with how the sessions ended:
refused (what went out or came back was refused), silent (no answer), closed (answered by bare
resets), empty (a handshake without payload) and open (payload went over); late answers alone
count in none of these, nor does a session of which it is undecided who called. failed is refused,
silent and closed together. tries are open sessions of the size of one password guess, heavy the
ones that carried work. records are the flow records of the sessions, rejected those that say
REJECT. packets and bytes are all that was sent, refused ones too; packets_out to bytes_in only what
was accepted. Sides: ours (an interface's address or a private one), public, other (multicast,
link-local and the like).
"""
columns = ["day", "client", "server", "port", "protocol", "client_side", "server_side",
  "interface_id", "account_id", "sessions", "records", "rejected", "undecided", "refused",
  "silent", "closed", "empty", "open", "failed", "tries", "heavy", "packets_out", "packets_in",
  "bytes_out", "bytes_in", "packets", "bytes", "duration", "first_seen", "last_seen"]
*/
WITH ended AS (
  SELECT *,
    CASE
      WHEN initiator = 'undecided' THEN 'undecided'
      WHEN packets_out + refused_out = 0 THEN 'stray'
      WHEN packets_in = 0 AND rejected > 0 THEN 'refused'
      WHEN packets_in = 0 THEN 'silent'
      WHEN packets_out = 0 THEN 'refused'
      WHEN protocol <> 6 THEN 'open'
      WHEN packets_out <= 6 AND packets_in <= packets_out AND bytes_in <= (42 + six) * packets_in
        AND bytes_out <= (66 + six) * packets_out THEN 'closed'
      WHEN mod(flags_in, 8) IN (4, 5) THEN 'closed'  -- RST without SYN
      WHEN packets_out <= 6 AND bytes_out <= (66 + six) * packets_out
        AND bytes_in <= (66 + six) * packets_in THEN 'empty'
      ELSE 'open'
    END AS ending
  FROM (
    -- The header of IPv6 is 20 bytes longer.
    SELECT *, CASE WHEN strpos(server, ':') > 0 THEN 20 ELSE 0 END AS six FROM sessions
  ) headed
)
SELECT
  day, client, server, port, protocol, client_side, server_side, interface_id, account_id,
  sessions,
  CAST(records AS BIGINT) AS records, CAST(rejected AS BIGINT) AS rejected,
  CAST(undecided AS BIGINT) AS undecided,
  CAST(refused AS BIGINT) AS refused, CAST(silent AS BIGINT) AS silent,
  CAST(closed AS BIGINT) AS closed, CAST(empty AS BIGINT) AS empty,
  CAST(open AS BIGINT) AS open,
  CAST(refused + silent + closed AS BIGINT) AS failed,
  CAST(tries AS BIGINT) AS tries, CAST(heavy AS BIGINT) AS heavy,
  CAST(least(packets_out, 9.0E15) AS BIGINT) AS packets_out,
  CAST(least(packets_in, 9.0E15) AS BIGINT) AS packets_in,
  CAST(least(bytes_out, 9.0E15) AS BIGINT) AS bytes_out,
  CAST(least(bytes_in, 9.0E15) AS BIGINT) AS bytes_in,
  CAST(least(packets, 9.0E15) AS BIGINT) AS packets,
  CAST(least(bytes, 9.0E15) AS BIGINT) AS bytes,
  duration, first_seen, last_seen
FROM (
  SELECT
    first_seen - mod(first_seen, 86400) AS day,
    client, server,
    CASE WHEN protocol IN (6, 17, 132) THEN server_port ELSE 0 END AS port,
    protocol,
    max(client_side) AS client_side, max(server_side) AS server_side,
    max(interface_id) AS interface_id, max(account_id) AS account_id,
    count(*) AS sessions,
    sum(records) AS records,
    sum(rejected) AS rejected,
    sum(CASE WHEN ending = 'undecided' THEN 1 ELSE 0 END) AS undecided,
    sum(CASE WHEN ending = 'refused' THEN 1 ELSE 0 END) AS refused,
    sum(CASE WHEN ending = 'silent' THEN 1 ELSE 0 END) AS silent,
    sum(CASE WHEN ending = 'closed' THEN 1 ELSE 0 END) AS closed,
    sum(CASE WHEN ending = 'empty' THEN 1 ELSE 0 END) AS empty,
    sum(CASE WHEN ending = 'open' THEN 1 ELSE 0 END) AS open,
    sum(CASE WHEN ending = 'open' AND packets_out BETWEEN 5 AND 60
      AND bytes_out <= 12000 AND bytes_in <= 16000 AND last_seen - first_seen <= 180
      THEN 1 ELSE 0 END) AS tries,
    sum(CASE WHEN ending = 'open' AND packets_out > 60 THEN 1 ELSE 0 END) AS heavy,
    sum(CAST(packets_out AS DOUBLE)) AS packets_out,
    sum(CAST(packets_in AS DOUBLE)) AS packets_in,
    sum(CAST(bytes_out AS DOUBLE)) AS bytes_out,
    sum(CAST(bytes_in AS DOUBLE)) AS bytes_in,
    sum(CAST(packets_out + packets_in + refused_out + refused_in AS DOUBLE)) AS packets,
    sum(CAST(bytes_out + bytes_in + refused_bytes_out + refused_bytes_in AS DOUBLE)) AS bytes,
    max(last_seen - first_seen) AS duration,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen
  FROM ended
  GROUP BY 1, 2, 3, 4, 5
) counted
