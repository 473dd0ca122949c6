/* flowscan
id = "firsts"
title = "What speaks for the first connection of each run"
description = """
One row per run of connections (see there) of a five-tuple that may have several: the evidence for
the first, in units of log-odds, positive when a called.
"""
columns = ["k", "bp", "protocol", "run", "first_score"]
*/
SELECT k, bp, protocol, run, COALESCE(run_score, own_score) AS first_score
FROM evidence
WHERE again = 1 AND turn = 0 AND protocol IN (6, 17, 132) AND (kept < 3 OR run_score IS NOT NULL)
