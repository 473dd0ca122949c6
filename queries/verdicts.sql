/* flowscan
id = "verdicts"
title = "Connections with the verdict on who called"
description = """
The rows of `evidence`, with verdict 1 when a called and -1 when b did, the strongest evidence
(initiator) and the sum of all (score). Flags decide where they speak; what a five-tuple goes on
with after a silence belongs to whoever called first.
"""
columns = ["k", "ap", "bp", "protocol", "pair", "s", "e", "records", "rejected", "packets_ab",
  "packets_ba", "bytes_ab", "bytes_ba", "refused_ab", "refused_ba", "refused_bytes_ab",
  "refused_bytes_ba", "last", "flags_ab", "flags_ba", "path", "verdict", "initiator", "score"]
*/
WITH scored AS (
  SELECT x.*,
    CASE WHEN f.first_score IS NULL THEN 0.0E0 ELSE f.first_score END AS w_before
  FROM evidence x
  LEFT JOIN (
    SELECT k, bp, protocol,
      CASE WHEN own_score > 4 THEN 8.0E0 WHEN own_score < -4 THEN -8.0E0 ELSE 2 * own_score END
        AS first_score
    FROM evidence
    WHERE again = 1 AND turn = 0 AND protocol IN (6, 17, 132)
  ) f ON f.k = CASE WHEN x.turn > 0 AND x.told = 0 THEN x.k END AND f.bp = x.bp
    AND f.protocol = x.protocol
),
summed AS (
  SELECT *, own_score + w_before AS score FROM scored
)
SELECT k, ap, bp, protocol, pair, s, e, records, rejected, packets_ab, packets_ba, bytes_ab,
  bytes_ba, refused_ab, refused_ba, refused_bytes_ab, refused_bytes_ba, last, flags_ab, flags_ba,
  path,
  CASE
    WHEN score >= 1 THEN 1
    WHEN score <= -1 THEN -1
    WHEN stranger <> 0 THEN stranger
    WHEN score >= 0 THEN 1
    ELSE -1
  END AS verdict,
  CASE
    WHEN abs(score) < 1 THEN 'undecided'
    WHEN abs(w_before) > abs(own_score) THEN 'before'
    ELSE strongest
  END AS initiator,
  score
FROM summed
