/* flowscan
id = "carried"
title = "Connections that go on from an earlier part of the day"
description = """
No rows where a day is derived at once, as here. Who derives a day part by part puts connections
here as they were at the end of the part before, with what was decided: kept is 1 for one that may
go on, 2 for one that only a run goes on from, 3 and 4 for the same of one that is not told. t and
last are its first and last slice, s its first second. run_score is what speaks for the first
connection of its run.
"""
columns = ["k", "m", "t", "last", "s", "e", "records",
  "rejected", "packets_ab", "packets_ba", "bytes_ab", "bytes_ba", "refused_ab", "refused_ba",
  "refused_bytes_ab", "refused_bytes_ba", "flags", "path", "kept", "given_score", "given_by",
  "run_score"]
*/
SELECT
  CAST(NULL AS BIGINT) AS k,
  CAST(NULL AS BIGINT) AS m,
  CAST(NULL AS BIGINT) AS t,
  CAST(NULL AS BIGINT) AS last,
  CAST(NULL AS BIGINT) AS s,
  CAST(NULL AS BIGINT) AS e,
  CAST(NULL AS BIGINT) AS records,
  CAST(NULL AS BIGINT) AS rejected,
  CAST(NULL AS DOUBLE) AS packets_ab,
  CAST(NULL AS DOUBLE) AS packets_ba,
  CAST(NULL AS DOUBLE) AS bytes_ab,
  CAST(NULL AS DOUBLE) AS bytes_ba,
  CAST(NULL AS DOUBLE) AS refused_ab,
  CAST(NULL AS DOUBLE) AS refused_ba,
  CAST(NULL AS DOUBLE) AS refused_bytes_ab,
  CAST(NULL AS DOUBLE) AS refused_bytes_ba,
  CAST(NULL AS BIGINT) AS flags,
  CAST(NULL AS INTEGER) AS path,
  CAST(NULL AS INTEGER) AS kept,
  CAST(NULL AS DOUBLE) AS given_score,
  CAST(NULL AS VARCHAR) AS given_by,
  CAST(NULL AS DOUBLE) AS run_score
WHERE 1 = 0
