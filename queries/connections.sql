/* flowscan
id = "connections"
title = "Connections, stitched from slices, before it is said who called"
description = """
One row per UTC day and connection between a and b. Slices of one five-tuple are one connection
while they are no further apart than the idle time (TCP 350 s, UDP 180 s, others 60 s); a SYN after
more than a retransmission's wait begins a new one. Packets and bytes are those accepted, what was
refused stands apart. shape is one (only one side sent), blocked (what one side sent was all
refused), tiny (a handshake or a reset without payload) or open (an exchange). told is what SYN
flags tell, tries who tried in vain, turn counts the connections of one five-tuple from 0;
again is 0 where it has one slice only, and so no other connection.
"""
columns = ["k", "ap", "bp", "protocol", "pair", "s", "e", "records", "rejected", "s_ab", "s_ba",
  "packets_ab", "packets_ba", "bytes_ab", "bytes_ba", "refused_ab", "refused_ba",
  "refused_bytes_ab", "refused_bytes_ba", "last", "turn", "again", "flagged", "flags_ab",
  "flags_ba", "path", "shape", "told", "tries"]
*/
WITH coded AS (
  SELECT k, mod(l, 4) AS code, (l - mod(l, 4)) / 4 AS l, e, records, s_ab, s_ba,
    packets_ab, packets - packets_ab AS packets_ba, bytes_ab, bytes - bytes_ab AS bytes_ba, flags,
    path
  FROM slices
),
several AS (
  -- A key with one row is one connection; only these may be more.
  SELECT k, mod(l, 16777216) AS m
  FROM coded
  GROUP BY 1, 2
  HAVING count(*) > 1
),
ordered AS (
  SELECT x.*, v.m, least(x.s_ab, x.s_ba) AS s,
    CASE mod(v.m, 256) WHEN 6 THEN 350 WHEN 17 THEN 180 ELSE 60 END AS idle,
    max(x.e) OVER (
      PARTITION BY x.k, v.m ORDER BY x.l, x.code
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
  FROM coded x
  JOIN several v ON v.k = x.k AND v.m = mod(x.l, 16777216)
),
numbered AS (
  SELECT *,
    COALESCE(sum(CASE WHEN s > before + idle OR (s > before + 75 AND (bitwise_and(flags, 18) = 2
      OR bitwise_and(flags, 4608) = 512)) THEN 1 ELSE 0 END) OVER (
      PARTITION BY k, m ORDER BY l, code
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW), 0) AS n
  FROM ordered
),
packed AS (
  SELECT x.k, mod(x.l, 16777216) AS m, least(x.s_ab, x.s_ba) AS s, x.e, x.records,
    CASE WHEN x.code = 0 THEN 0 ELSE x.records END AS rejected, x.s_ab, x.s_ba,
    CASE WHEN x.code = 0 THEN x.packets_ab ELSE 0.0E0 END AS packets_ab,
    CASE WHEN x.code = 0 THEN x.packets_ba ELSE 0.0E0 END AS packets_ba,
    CASE WHEN x.code = 0 THEN x.bytes_ab ELSE 0.0E0 END AS bytes_ab,
    CASE WHEN x.code = 0 THEN x.bytes_ba ELSE 0.0E0 END AS bytes_ba,
    CASE WHEN x.code = 0 THEN 0.0E0 ELSE x.packets_ab END AS refused_ab,
    CASE WHEN x.code = 0 THEN 0.0E0 ELSE x.packets_ba END AS refused_ba,
    CASE WHEN x.code = 0 THEN 0.0E0 ELSE x.bytes_ab END AS refused_bytes_ab,
    CASE WHEN x.code = 0 THEN 0.0E0 ELSE x.bytes_ba END AS refused_bytes_ba,
    x.flags, x.path, (x.l - mod(x.l, 16777216)) / 16777216 AS last, 0 AS turn,
    0 AS again
  FROM coded x
  LEFT JOIN several v ON v.k = x.k AND v.m = mod(x.l, 16777216)
  WHERE v.k IS NULL
  UNION ALL
  SELECT k, m, least(min(s_ab), min(s_ba)), max(e), CAST(sum(records) AS BIGINT),
    CAST(sum(CASE WHEN code = 0 THEN 0 ELSE records END) AS BIGINT), min(s_ab), min(s_ba),
    -- What the receiver refused, the sender's interface had counted as let through.
    greatest(sum(CASE code WHEN 0 THEN packets_ab WHEN 2 THEN -packets_ab ELSE 0.0E0 END), 0.0E0),
    greatest(sum(CASE code WHEN 0 THEN packets_ba WHEN 2 THEN -packets_ba ELSE 0.0E0 END), 0.0E0),
    greatest(sum(CASE code WHEN 0 THEN bytes_ab WHEN 2 THEN -bytes_ab ELSE 0.0E0 END), 0.0E0),
    greatest(sum(CASE code WHEN 0 THEN bytes_ba WHEN 2 THEN -bytes_ba ELSE 0.0E0 END), 0.0E0),
    sum(CASE WHEN code = 0 THEN 0.0E0 ELSE packets_ab END),
    sum(CASE WHEN code = 0 THEN 0.0E0 ELSE packets_ba END),
    sum(CASE WHEN code = 0 THEN 0.0E0 ELSE bytes_ab END),
    sum(CASE WHEN code = 0 THEN 0.0E0 ELSE bytes_ba END),
    bitwise_or_agg(flags), max(path), (max(l) - m) / 16777216, n, 1
  FROM numbered
  GROUP BY k, m, n
),
shaped AS (
  SELECT
    k,
    mod(k, 65536) AS ap,
    (m - mod(m, 256)) / 256 AS bp,
    mod(m, 256) AS protocol,
    (k - mod(k, 65536)) / 65536 AS pair,
    s, e, records, rejected, s_ab, s_ba, packets_ab, packets_ba, bytes_ab, bytes_ba, refused_ab,
    refused_ba, refused_bytes_ab, refused_bytes_ba, last, turn, again,
    CASE WHEN flags IS NULL THEN 0 ELSE 1 END AS flagged,
    bitwise_and(COALESCE(flags, 0), 255) AS flags_ab,
    bitwise_and(COALESCE(flags, 0), 65280) / 256 AS flags_ba,
    path,
    CASE
      WHEN packets_ab + refused_ab = 0 THEN 'one'
      WHEN packets_ba + refused_ba = 0 THEN 'one'
      WHEN packets_ab = 0 OR packets_ba = 0 THEN 'blocked'
      WHEN mod(m, 256) <> 6 THEN 'open'
      -- Whoever sent bare packets only sent resets, or SYNs without options: no exchange.
      WHEN packets_ab <= 12 AND packets_ba <= 12
        AND (bytes_ab <= 40 * packets_ab OR bytes_ba <= 40 * packets_ba) THEN 'tiny'
      WHEN packets_ab <= 8 AND packets_ba <= 8 AND bytes_ab <= 66 * packets_ab
        AND bytes_ba <= 66 * packets_ba AND (packets_ab < 3 OR packets_ba < 3) THEN 'tiny'
      ELSE 'open'
    END AS shape,
    -- What SYN flags tell: 1 when a called, -1 when b did, 0 when they do not say.
    CASE
      WHEN bitwise_and(flags, 18) = 2 AND bitwise_and(flags, 4608) <> 512 THEN 1
      WHEN bitwise_and(flags, 4608) = 512 AND bitwise_and(flags, 18) <> 2 THEN -1
      ELSE 0
    END AS told
  FROM packed
)
SELECT *,
  -- Who tried in vain: 1 a, -1 b, 0 nobody or it cannot be told.
  CASE
    WHEN packets_ab + refused_ab = 0 THEN -1
    WHEN packets_ba + refused_ba = 0 THEN 1
    WHEN shape = 'blocked' THEN CASE WHEN packets_ab > 0 THEN 1 ELSE -1 END
    WHEN shape <> 'tiny' THEN 0
    -- Every SYN met a bare reset of 40 bytes (60 over IPv6), and had options itself.
    WHEN packets_ab <> packets_ba THEN 0
    WHEN bytes_ba <= 40 * packets_ba AND bytes_ab > 40 * packets_ab THEN 1
    WHEN bytes_ab <= 40 * packets_ab AND bytes_ba > 40 * packets_ba THEN -1
    ELSE 0
  END AS tries
FROM shaped
