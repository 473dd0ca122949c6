/* flowscan
id = "verdicts"
title = "Connections with the verdict on who called"
description = """
The rows of `evidence`, with verdict 1 when a called and -1 when b did, the strongest evidence
(initiator) and the sum of all (score). Flags decide where they speak; what a five-tuple goes on
with after a silence belongs to whoever called first in its run. What was decided in an
earlier part of the day stays. Packets and bytes can be below 0 where a receiver refused more than
the sender's interface let pass. first_score is what speaks for the first connection of the run.
"""
columns = ["k", "ap", "bp", "protocol", "pair", "s", "e", "records", "rejected", "packets_ab",
  "packets_ba", "bytes_ab", "bytes_ba", "refused_ab", "refused_ba", "refused_bytes_ab",
  "refused_bytes_ba", "last", "flags_ab", "flags_ba", "path", "kept", "verdict", "initiator",
  "score", "first_score"]
*/
WITH scored AS (
  SELECT x.*, COALESCE(f.first_score, x.run_score, x.own_score) AS first_score,
    CASE
      WHEN x.told <> 0 OR f.first_score IS NULL THEN 0.0E0
      WHEN f.first_score > 4 THEN 8.0E0
      WHEN f.first_score < -4 THEN -8.0E0
      ELSE 2 * f.first_score
    END AS w_before
  FROM evidence x
  LEFT JOIN firsts f ON f.k = CASE WHEN x.turn > 0 THEN x.k END AND f.bp = x.bp
    AND f.protocol = x.protocol AND f.run = x.run
  WHERE x.kept < 2
),
summed AS (
  SELECT *, COALESCE(given_score, own_score + w_before) AS score FROM scored
)
SELECT k, ap, bp, protocol, pair, s, e, records, rejected, packets_ab, packets_ba, bytes_ab,
  bytes_ba, refused_ab, refused_ba, refused_bytes_ab, refused_bytes_ba, last, flags_ab, flags_ba,
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
  score, first_score
FROM summed
