/* flowscan
id = "endpoints"
title = "What speaks for an address and port being a service"
description = """
One row per address, port, protocol and period of `uses`, with all that was seen of it in the UTC
day until the end of that period, so that nothing later changes what is said of a connection; key
packs the key of `uses` and the period. Exchanges with payload (open),
connections that SYN flags call its own service (served), weight (their logarithm in units of
log-odds), whether the peers are several, and scans: it tried more in vain than it was tried or
exchanged, a good part of it below the dynamic range, which tells a scan from one source port; 2
when so by tries that only it sent or that met a reset, 1 with those that do not tell who made
them. answered: several ports, nearly all below the dynamic range, sent to this one,
which sent nothing that was logged (2), or a hundred of any (1: it is flooded); answers: it sends
to many peers' many ports, and nothing comes back; pings: it tried several peers, once in vain.
"""
columns = ["key", "open", "served", "weight", "peers", "scans", "answered", "answers", "pings"]
*/
WITH seen AS (
  SELECT key * 128 + period AS key, period, port,
    min(first_port) OVER until AS first_port, max(last_port) OVER until AS last_port,
    sum(open) OVER until AS open, sum(served) OVER until AS served,
    CASE WHEN min(first_peer) OVER until = max(last_peer) OVER until THEN 1 ELSE 2 END AS peers,
    sum(tried) OVER until AS tried, sum(hit) OVER until AS hit, sum(equal) OVER until AS equal,
    sum(low) OVER until AS low,
    COALESCE(max(last_tried) OVER until - min(first_tried) OVER until, 0) AS spread,
    sum(hit_low) OVER until AS hit_low,
    COALESCE(max(last_hit) OVER until - min(first_hit) OVER until, 0) AS hit_spread
  FROM uses
  WINDOW until AS (PARTITION BY key ORDER BY period
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
)
SELECT key, CAST(open AS INTEGER) AS open, CAST(served AS INTEGER) AS served,
  -- One port that speaks with the same port of several is a client of theirs.
  CASE WHEN peers > 1 AND open > 1 AND first_port = last_port AND first_port <> port
    THEN 1.7E0 * ln(1.5E0 + 3 * served)
    ELSE 1.7E0 * ln(open + 3 * served + 0.5E0) END AS weight,
  CASE WHEN open > 1 AND first_port = last_port AND first_port <> port THEN 1 ELSE peers END
    AS peers,
  CASE
    WHEN spread = 0 AND peers = 1 OR low * 4 < tried + equal THEN 0
    WHEN tried >= 4 AND tried > open AND tried >= 2 * hit THEN 2
    WHEN tried + equal >= 4 AND tried + equal > open AND tried + equal >= 2 * hit THEN 1
    ELSE 0
  END AS scans,
  CASE
    WHEN hit < 4 OR hit_spread = 0 THEN 0
    WHEN hit_low * 4 >= 3 * hit THEN 2
    WHEN hit >= 100 THEN 1
    ELSE 0
  END AS answered,
  CASE WHEN tried >= 3 AND peers > 1 AND spread > 1000 THEN 1 ELSE 0 END AS answers,
  CASE WHEN tried > 0 AND peers > 1 THEN 1 ELSE 0 END AS pings
FROM seen
WHERE period >= 0
