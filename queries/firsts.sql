/* flowscan
id = "firsts"
title = "What speaks for the first connection of each run"
description = """
One row per run of connections (see there) of a five-tuple that may have several: the evidence for
the first, in units of log-odds, positive when a called.
"""
columns = ["k", "m", "run", "first_score"]
*/
SELECT x.k, x.m, x.run,
  CASE WHEN x.kept > 0 THEN c.run_score ELSE x.own_score END AS first_score
FROM evidence x
LEFT JOIN carried c ON c.k = x.k AND c.m = x.m AND c.s = x.began
WHERE x.again = 1 AND x.turn = 0 AND mod(x.m, 256) IN (6, 17, 132)
  AND (x.kept = 0 OR c.run_score IS NOT NULL)
