/* flowscan
id = "verdicts"
title = "Connections with the verdict on who called"
description = """
One row per connection of `evidence` as a whole, with verdict 1 when a called and -1 when b did, the
strongest evidence (initiator) and the sum of all (score). Flags decide where they speak; what a
five-tuple goes on with after a silence belongs to whoever called first in its run. What was decided
in an earlier part of the day stays.
"""
columns = ["k", "m", "s", "e", "last", "records", "rejected", "packets_ab", "packets_ba",
  "bytes_ab", "bytes_ba", "refused_ab", "refused_ba", "refused_bytes_ab", "refused_bytes_ba",
  "flags", "path", "kept", "verdict", "initiator", "score"]
*/
WITH scored AS (
  SELECT x.*, l.last AS late_last, l.e AS late_e, l.records AS late_records,
    l.rejected AS late_rejected, l.packets_ab AS late_packets_ab, l.packets_ba AS late_packets_ba,
    l.bytes_ab AS late_bytes_ab, l.bytes_ba AS late_bytes_ba, l.refused_ab AS late_refused_ab,
    l.refused_ba AS late_refused_ba, l.refused_bytes_ab AS late_refused_bytes_ab,
    l.refused_bytes_ba AS late_refused_bytes_ba, l.flags AS late_flags,
    c.given_by,
    CASE
      WHEN x.told <> 0 OR f.first_score IS NULL THEN 0.0E0
      WHEN f.first_score > 4 THEN 8.0E0
      WHEN f.first_score < -4 THEN -8.0E0
      ELSE 2 * f.first_score
    END AS w_before,
    c.given_score
  FROM evidence x
  LEFT JOIN firsts f ON f.k = CASE WHEN x.turn > 0 THEN x.k END AND f.m = x.m AND f.run = x.run
  LEFT JOIN carried c ON c.k = CASE WHEN x.kept = 1 THEN x.k END AND c.m = x.m AND c.s = x.began
  LEFT JOIN later l
    ON l.k = CASE WHEN x.again = 1 THEN x.k END AND l.m = x.m AND l.began = x.began
  WHERE x.kept < 2
),
summed AS (
  SELECT *, COALESCE(given_score, own_score + w_before) AS score FROM scored
)
SELECT k, m, s,
  greatest(e, COALESCE(late_e, e)) AS e,
  COALESCE(late_last, last) AS last,
  records + COALESCE(late_records, 0) AS records,
  rejected + COALESCE(late_rejected, 0) AS rejected,
  net_packets_ab + COALESCE(late_packets_ab, 0.0E0) AS packets_ab,
  net_packets_ba + COALESCE(late_packets_ba, 0.0E0) AS packets_ba,
  net_bytes_ab + COALESCE(late_bytes_ab, 0.0E0) AS bytes_ab,
  net_bytes_ba + COALESCE(late_bytes_ba, 0.0E0) AS bytes_ba,
  refused_ab + COALESCE(late_refused_ab, 0.0E0) AS refused_ab,
  refused_ba + COALESCE(late_refused_ba, 0.0E0) AS refused_ba,
  refused_bytes_ab + COALESCE(late_refused_bytes_ab, 0.0E0) AS refused_bytes_ab,
  refused_bytes_ba + COALESCE(late_refused_bytes_ba, 0.0E0) AS refused_bytes_ba,
  bitwise_or(COALESCE(flags, 0), COALESCE(late_flags, 0)) AS flags,
  path, kept,
  CASE
    WHEN score >= 1 THEN 1
    WHEN score <= -1 THEN -1
    WHEN stranger <> 0 THEN stranger
    WHEN score >= 0 THEN 1
    ELSE -1
  END AS verdict,
  CASE
    WHEN given_by IS NOT NULL THEN given_by
    WHEN abs(score) < 1 THEN 'undecided'
    WHEN abs(w_before) > abs(own_score) THEN 'before'
    ELSE strongest
  END AS initiator,
  score
FROM summed
