/* flowscan
id = "connections"
title = "Connections, stitched from slices, before it is said who called"
description = """
One row per connection between a and b of a UTC day, as far as the period of 15 minutes reaches in
which it began: what it shows until then is what tells who called. What it did later is a second
row (late = 1), so that nothing later changes the first. Slices of one five-tuple are one connection
while they are no further apart than the idle time (TCP 350 s, UDP 180 s, others 60 s); a SYN after
more than a retransmission's wait begins a new one. k packs the pair and the port of a; m the port
of b and the protocol; began is when its first slice began to be seen, last its last slice. Packets and bytes are those
accepted, below 0 where a receiver refused more than was let through; what was refused stands apart.
first is 1 when a sent first, -1 when b did, 0 when both did or one alone. shape is one (only one
side sent), blocked (what one side sent was all refused), tiny (a handshake or a reset without
payload) or open (an exchange). told is what SYN flags tell, tries who tried in vain. Connections
of one five-tuple that follow each other within four hours (TCP) or 15 minutes are a run, turn is 0
for its first; again is 0 where the five-tuple has one slice only, and so no other connection. kept
is that of `carried`.
"""
columns = ["k", "m", "late", "s", "e", "began", "last", "records", "rejected", "packets_ab",
  "packets_ba", "bytes_ab", "bytes_ba", "refused_ab", "refused_ba", "refused_bytes_ab",
  "refused_bytes_ba", "flags", "path", "kept", "run", "turn", "again", "first", "shape", "told",
  "tries"]

[params.period]
help = "seconds of the period in which a connection tells who called"

[params.before]
help = "only slices that begin before this time"
*/
WITH coded AS (
  SELECT k, mod((l - code) / 4, 16777216) AS m, t, t AS last, code, e, records,
    CASE WHEN code = 0 THEN 0 ELSE records END AS rejected, s_ab, s_ba,
    -- What the receiver refused, the sender's interface had counted as let through.
    packets_ab * passed AS packets_ab, (packets - packets_ab) * passed AS packets_ba,
    bytes_ab * passed AS bytes_ab, (bytes - bytes_ab) * passed AS bytes_ba,
    packets_ab * refused AS refused_ab, (packets - packets_ab) * refused AS refused_ba,
    bytes_ab * refused AS refused_bytes_ab, (bytes - bytes_ab) * refused AS refused_bytes_ba,
    flags, path, 0 AS kept
  FROM (
    SELECT *, mod(l, 4) AS code, (l - mod(l, 67108864)) / 67108864 AS t,
      CASE mod(l, 4) WHEN 0 THEN 1.0E0 WHEN 1 THEN 0.0E0 ELSE -1.0E0 END AS passed,
      CASE mod(l, 4) WHEN 0 THEN 0.0E0 ELSE 1.0E0 END AS refused
    FROM slices
  ) weighed
  WHERE t < /*$before*/ 99999999999
  UNION ALL
  SELECT k, m, t, last, 0, e, records, rejected, s, s, packets_ab, packets_ba, bytes_ab, bytes_ba,
    refused_ab, refused_ba, refused_bytes_ab, refused_bytes_ba, flags, path, kept
  FROM carried
),
several AS (
  -- A key with one row is one connection; only these may be more.
  SELECT k, m
  FROM coded
  GROUP BY 1, 2
  HAVING count(*) > 1
),
ordered AS (
  SELECT x.*, least(x.s_ab, x.s_ba) AS s,
    CASE mod(x.m, 256) WHEN 6 THEN 350 WHEN 17 THEN 180 ELSE 60 END AS idle,
    max(x.e) OVER (
      PARTITION BY x.k, x.m ORDER BY x.t, x.code, least(x.s_ab, x.s_ba)
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
  FROM coded x
  JOIN several v ON v.k = x.k AND v.m = x.m
),
parted AS (
  SELECT *,
    CASE WHEN before IS NULL OR kept > 0 OR s > before + idle OR (s > before + 75
      AND (bitwise_and(flags, 18) = 2 OR bitwise_and(flags, 4608) = 512)) THEN 1 ELSE 0 END AS begins,
    CASE WHEN before IS NULL OR s > before + CASE mod(m, 256) WHEN 6 THEN 14400 ELSE 900 END
      THEN 1 ELSE 0 END AS fresh
  FROM ordered
),
numbered AS (
  SELECT *, sum(begins) OVER five AS n, sum(fresh) OVER five AS run,
    max(CASE WHEN begins = 1 THEN s END) OVER five AS began
  FROM parted
  WINDOW five AS (PARTITION BY k, m ORDER BY t, code, s
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
packed AS (
  SELECT x.k, x.m, 0 AS late, least(x.s_ab, x.s_ba) AS s, x.e, least(x.s_ab, x.s_ba) AS began, x.last, x.records,
    x.rejected, x.s_ab, x.s_ba, x.packets_ab, x.packets_ba, x.bytes_ab, x.bytes_ba, x.refused_ab,
    x.refused_ba, x.refused_bytes_ab, x.refused_bytes_ba, x.flags, x.path, x.kept, 1 AS run,
    0 AS turn, 0 AS again
  FROM coded x
  LEFT JOIN several v ON v.k = x.k AND v.m = x.m
  WHERE v.k IS NULL
  UNION ALL
  SELECT k, m, late, least(min(s_ab), min(s_ba)), max(e), min(began), max(last),
    CAST(sum(records) AS BIGINT), CAST(sum(rejected) AS BIGINT), min(s_ab), min(s_ba),
    sum(packets_ab), sum(packets_ba), sum(bytes_ab), sum(bytes_ba), sum(refused_ab),
    sum(refused_ba), sum(refused_bytes_ab), sum(refused_bytes_ba), bitwise_or_agg(flags),
    max(path), max(kept), CAST(max(run) AS INTEGER), 1 - max(fresh), 1
  FROM (
    SELECT *, CASE WHEN t - mod(t, /*$period*/ 900) > began THEN 1 ELSE 0 END AS late
    FROM numbered
  ) timed
  GROUP BY k, m, n, late
),
shaped AS (
  SELECT *,
    CASE WHEN s_ab = s_ba OR s_ab > 99999999999 OR s_ba > 99999999999 THEN 0
      WHEN s_ab < s_ba THEN 1 ELSE -1 END AS first,
    CASE
      WHEN sent_ab = 0 AND refused_ab = 0 THEN 'one'
      WHEN sent_ba = 0 AND refused_ba = 0 THEN 'one'
      WHEN sent_ab = 0 OR sent_ba = 0 THEN 'blocked'
      WHEN mod(m, 256) <> 6 THEN 'open'
      -- Whoever sent bare packets only sent resets, or SYNs without options: no exchange.
      WHEN sent_ab <= 12 AND sent_ba <= 12
        AND (bytes_ab <= 40 * sent_ab OR bytes_ba <= 40 * sent_ba) THEN 'tiny'
      WHEN sent_ab <= 8 AND sent_ba <= 8 AND bytes_ab <= 66 * sent_ab
        AND bytes_ba <= 66 * sent_ba AND (sent_ab < 3 OR sent_ba < 3) THEN 'tiny'
      ELSE 'open'
    END AS shape,
    -- What SYN flags tell: 1 when a called, -1 when b did, 0 when they do not say.
    CASE
      WHEN bitwise_and(flags, 18) = 2 AND bitwise_and(flags, 4608) <> 512 THEN 1
      WHEN bitwise_and(flags, 4608) = 512 AND bitwise_and(flags, 18) <> 2 THEN -1
      ELSE 0
    END AS told
  FROM (
    SELECT *, greatest(packets_ab, 0.0E0) AS sent_ab, greatest(packets_ba, 0.0E0) AS sent_ba
    FROM packed
  ) clipped
)
SELECT k, m, late, s, e, began, last, records, rejected, packets_ab, packets_ba, bytes_ab,
  bytes_ba, refused_ab, refused_ba, refused_bytes_ab, refused_bytes_ba, flags, path, kept, run,
  turn, again, first, shape, told,
  -- Who tried in vain: 1 a, -1 b, 0 nobody or it cannot be told.
  CASE
    WHEN sent_ab = 0 AND refused_ab = 0 THEN -1
    WHEN sent_ba = 0 AND refused_ba = 0 THEN 1
    WHEN shape = 'blocked' THEN CASE WHEN sent_ab > 0 THEN 1 ELSE -1 END
    WHEN shape <> 'tiny' THEN 0
    -- Every SYN met a bare reset of 40 bytes (60 over IPv6), and had options itself.
    WHEN sent_ab <> sent_ba THEN 0
    WHEN bytes_ba <= 40 * sent_ba AND bytes_ab > 40 * sent_ab THEN 1
    WHEN bytes_ab <= 40 * sent_ab AND bytes_ba > 40 * sent_ba THEN -1
    ELSE 0
  END AS tries
FROM shaped
