/* flowscan
id = "connections"
title = "Connections, stitched from slices, before it is said who called"
description = """
One row per UTC day and connection between a and b. Slices of one five-tuple are one connection
while they are no further apart than the idle time (TCP 350 s, UDP 180 s, others 60 s); a SYN after
more than a retransmission's wait begins a new one. What is known of a connection in the period of
15 minutes in which it began is what tells who called: s_ab to flags_ba, shape, told and tries are
of that period, sums and flags of the whole connection are named total. Packets and bytes are those
accepted, what was refused stands apart. shape is one (only one side sent), blocked (what one side
sent was all refused), tiny (a handshake or a reset without payload) or open (an exchange). told is
what SYN flags tell, tries who tried in vain. Connections of one five-tuple that follow each other
within four hours (TCP) or 15 minutes are a run, turn is 0 for its first; again is 0 where the five-tuple has one slice
only, and so no other connection. kept and what is given come from `carried`.
"""
columns = ["k", "ap", "bp", "protocol", "pair", "s", "e", "records", "rejected", "s_ab", "s_ba",
  "packets_ab", "packets_ba", "bytes_ab", "bytes_ba", "refused_ab", "refused_ba",
  "refused_bytes_ab", "refused_bytes_ba", "total_packets_ab", "total_packets_ba",
  "total_bytes_ab", "total_bytes_ba", "total_refused_ab", "total_refused_ba",
  "total_refused_bytes_ab", "total_refused_bytes_ba", "began", "last", "period", "run", "turn",
  "again", "flagged", "flags_ab", "flags_ba", "total_flags", "path", "kept", "given_score",
  "given_by", "run_score", "shape", "told", "tries"]

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
    flags, path, 0 AS kept, CAST(NULL AS DOUBLE) AS given_score, CAST(NULL AS VARCHAR) AS given_by,
    CAST(NULL AS DOUBLE) AS run_score
  FROM (
    SELECT *, mod(l, 4) AS code, (l - mod(l, 67108864)) / 67108864 AS t,
      CASE mod(l, 4) WHEN 0 THEN 1.0E0 WHEN 1 THEN 0.0E0 ELSE -1.0E0 END AS passed,
      CASE mod(l, 4) WHEN 0 THEN 0.0E0 ELSE 1.0E0 END AS refused
    FROM slices
  ) weighed
  WHERE t < /*$before*/ 99999999999
  UNION ALL
  SELECT k, m, t, last, 0, e, records, rejected, s, s, packets_ab, packets_ba, bytes_ab, bytes_ba,
    refused_ab, refused_ba, refused_bytes_ab, refused_bytes_ba, flags, path, kept, given_score,
    given_by, run_score
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
      PARTITION BY x.k, x.m ORDER BY x.t, x.code
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
  FROM coded x
  JOIN several v ON v.k = x.k AND v.m = x.m
),
parted AS (
  SELECT *,
    CASE WHEN before IS NULL OR kept > 0 OR s > before + idle OR (s > before + 75 AND (bitwise_and(flags, 18) = 2
      OR bitwise_and(flags, 4608) = 512)) THEN 1 ELSE 0 END AS begins,
    CASE WHEN before IS NULL OR s > before + CASE mod(m, 256) WHEN 6 THEN 14400 ELSE 900 END
      THEN 1 ELSE 0 END AS fresh
  FROM ordered
),
numbered AS (
  SELECT *, sum(begins) OVER five AS n, sum(fresh) OVER five AS run,
    max(CASE WHEN begins = 1 THEN t END) OVER five AS began
  FROM parted
  WINDOW five AS (PARTITION BY k, m ORDER BY t, code
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
early AS (
  SELECT *, CASE WHEN t - mod(t, /*$period*/ 900) = began - mod(began, /*$period*/ 900) THEN 1.0E0
    ELSE 0.0E0 END AS early
  FROM numbered
),
packed AS (
  SELECT x.k, x.m, least(x.s_ab, x.s_ba) AS s, x.e, x.records, x.rejected, x.s_ab, x.s_ba,
    greatest(x.packets_ab, 0.0E0) AS packets_ab, greatest(x.packets_ba, 0.0E0) AS packets_ba,
    greatest(x.bytes_ab, 0.0E0) AS bytes_ab, greatest(x.bytes_ba, 0.0E0) AS bytes_ba,
    x.refused_ab, x.refused_ba, x.refused_bytes_ab, x.refused_bytes_ba,
    x.packets_ab AS total_packets_ab, x.packets_ba AS total_packets_ba,
    x.bytes_ab AS total_bytes_ab, x.bytes_ba AS total_bytes_ba,
    x.refused_ab AS total_refused_ab, x.refused_ba AS total_refused_ba,
    x.refused_bytes_ab AS total_refused_bytes_ab, x.refused_bytes_ba AS total_refused_bytes_ba,
    x.flags, x.flags AS total_flags, x.path, x.t AS began, x.last, CAST(1 AS BIGINT) AS run,
    0 AS turn, 0 AS again, x.kept, x.given_score, x.given_by, x.run_score
  FROM coded x
  LEFT JOIN several v ON v.k = x.k AND v.m = x.m
  WHERE v.k IS NULL
  UNION ALL
  SELECT k, m, least(min(s_ab), min(s_ba)), max(e), CAST(sum(records) AS BIGINT),
    CAST(sum(rejected) AS BIGINT),
    min(CASE WHEN early = 1 THEN s_ab END), min(CASE WHEN early = 1 THEN s_ba END),
    greatest(sum(packets_ab * early), 0.0E0), greatest(sum(packets_ba * early), 0.0E0),
    greatest(sum(bytes_ab * early), 0.0E0), greatest(sum(bytes_ba * early), 0.0E0),
    sum(refused_ab * early), sum(refused_ba * early),
    sum(refused_bytes_ab * early), sum(refused_bytes_ba * early),
    sum(packets_ab), sum(packets_ba), sum(bytes_ab), sum(bytes_ba),
    sum(refused_ab), sum(refused_ba), sum(refused_bytes_ab), sum(refused_bytes_ba),
    bitwise_or_agg(CASE WHEN early = 1 THEN flags END), bitwise_or_agg(flags), max(path),
    min(began), max(last), CAST(max(run) AS BIGINT), 1 - max(fresh), 1, max(kept),
    max(given_score), max(given_by), max(run_score)
  FROM early
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
    refused_ba, refused_bytes_ab, refused_bytes_ba, total_packets_ab, total_packets_ba,
    total_bytes_ab, total_bytes_ba, total_refused_ab, total_refused_ba, total_refused_bytes_ab,
    total_refused_bytes_ba, began, last,
    mod(began, 86400) / /*$period*/ 900 AS period, run, turn, again,
    CASE WHEN flags IS NULL THEN 0 ELSE 1 END AS flagged,
    bitwise_and(COALESCE(flags, 0), 255) AS flags_ab,
    bitwise_and(COALESCE(flags, 0), 65280) / 256 AS flags_ba,
    total_flags, path, kept, given_score, given_by, run_score,
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
