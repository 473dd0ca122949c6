/* flowscan
id = "remembered"
title = "Addresses and ports as they were known from an earlier part of the day"
description = """
No rows where a day is derived at once, as here. Who derives a day part by part puts the sums of
`uses` here as they were at the end of the part before.
"""
columns = ["key", "port", "first_port", "last_port", "open", "served", "first_peer", "last_peer",
  "tried", "hit", "equal", "low", "first_tried", "last_tried", "hit_low", "first_hit", "last_hit"]
*/
SELECT
  CAST(NULL AS BIGINT) AS key,
  CAST(NULL AS BIGINT) AS port,
  CAST(NULL AS BIGINT) AS first_port,
  CAST(NULL AS BIGINT) AS last_port,
  CAST(NULL AS DOUBLE) AS open,
  CAST(NULL AS DOUBLE) AS served,
  CAST(NULL AS BIGINT) AS first_peer,
  CAST(NULL AS BIGINT) AS last_peer,
  CAST(NULL AS DOUBLE) AS tried,
  CAST(NULL AS DOUBLE) AS hit,
  CAST(NULL AS DOUBLE) AS equal,
  CAST(NULL AS DOUBLE) AS low,
  CAST(NULL AS BIGINT) AS first_tried,
  CAST(NULL AS BIGINT) AS last_tried,
  CAST(NULL AS DOUBLE) AS hit_low,
  CAST(NULL AS BIGINT) AS first_hit,
  CAST(NULL AS BIGINT) AS last_hit
WHERE 1 = 0
