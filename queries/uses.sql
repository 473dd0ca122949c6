/* flowscan
id = "uses"
title = "What an address and port did in each period"
description = """
One row per address, port, protocol and period of `connections`, but for a single connection of a
dynamic port with a port that is none; key packs the address's number in `pairs`, the port and the
protocol.
Exchanges with payload (open) and the ports they were with, connections that SYN flags call its own
service (served), its peers by number, what it tried in vain (tried), what was tried in vain at it
(hit) and what may be either (equal), with the ports at the other side. Period -1 is what is
`remembered`.
"""
columns = ["key", "period", "port", "first_port", "last_port", "open", "served", "first_peer",
  "last_peer", "tried", "hit", "equal", "low", "first_tried", "last_tried", "hit_low", "first_hit",
  "last_hit"]

[params.period]
help = "seconds of the period in which a connection tells who called"
*/
WITH used AS (
  SELECT p.a_n AS n, mod(c.k, 65536) AS port, mod(c.m, 256) AS protocol,
    mod(c.began, 86400) / /*$period*/ 900 AS period, c.told, p.b_n AS peer,
    (c.m - mod(c.m, 256)) / 256 AS peer_port,
    CASE c.tries WHEN 0 THEN CASE WHEN c.shape = 'open' THEN 0 ELSE 3 END WHEN 1 THEN 1 ELSE 2 END
      AS kind
  FROM connections c
  JOIN pairs p ON p.pair = (c.k - mod(c.k, 65536)) / 65536
  WHERE c.kept = 0 AND c.late = 0
  UNION ALL
  SELECT p.b_n, (c.m - mod(c.m, 256)) / 256, mod(c.m, 256),
    mod(c.began, 86400) / /*$period*/ 900, -c.told, p.a_n, mod(c.k, 65536),
    CASE c.tries WHEN 0 THEN CASE WHEN c.shape = 'open' THEN 0 ELSE 3 END WHEN 1 THEN 2 ELSE 1 END
  FROM connections c
  JOIN pairs p ON p.pair = (c.k - mod(c.k, 65536)) / 65536
  WHERE c.kept = 0 AND c.late = 0
),
reused AS (
  -- Nearly all dynamic ports are used once, as a client's: they are not worth a sum each.
  SELECT ((n * 65536 + port) * 256 + protocol) * 128 + period AS key
  FROM used
  WHERE port >= /*$ports.first_dynamic*/ 32768 AND peer_port < /*$ports.first_dynamic*/ 32768
  GROUP BY 1
  HAVING count(*) >= 2
)
SELECT (n * 65536 + port) * 256 + protocol AS key, period, min(port) AS port,
  min(CASE WHEN kind = 0 THEN peer_port END) AS first_port,
  max(CASE WHEN kind = 0 THEN peer_port END) AS last_port,
  sum(CASE WHEN kind = 0 THEN 1.0E0 ELSE 0.0E0 END) AS open,
  sum(CASE WHEN told < 0 THEN 1.0E0 ELSE 0.0E0 END) AS served,
  min(peer) AS first_peer, max(peer) AS last_peer,
  sum(CASE WHEN kind = 1 THEN 1.0E0 ELSE 0.0E0 END) AS tried,
  sum(CASE WHEN kind = 2 THEN 1.0E0 ELSE 0.0E0 END) AS hit,
  sum(CASE WHEN kind = 3 THEN 1.0E0 ELSE 0.0E0 END) AS equal,
  sum(CASE WHEN kind IN (1, 3) AND peer_port < /*$ports.first_dynamic*/ 32768 THEN 1.0E0
    ELSE 0.0E0 END) AS low,
  min(CASE WHEN kind IN (1, 3) THEN peer_port END) AS first_tried,
  max(CASE WHEN kind IN (1, 3) THEN peer_port END) AS last_tried,
  sum(CASE WHEN kind = 2 AND peer_port < /*$ports.first_dynamic*/ 32768 THEN 1.0E0
    ELSE 0.0E0 END) AS hit_low,
  min(CASE WHEN kind = 2 THEN peer_port END) AS first_hit,
  max(CASE WHEN kind = 2 THEN peer_port END) AS last_hit
FROM used
WHERE port < /*$ports.first_dynamic*/ 32768 OR peer_port >= /*$ports.first_dynamic*/ 32768
  OR ((n * 65536 + port) * 256 + protocol) * 128 + period IN (SELECT key FROM reused)
GROUP BY 1, 2
UNION ALL
SELECT key, -1, port, first_port, last_port, open, served, first_peer, last_peer, tried, hit, equal,
  low, first_tried, last_tried, hit_low, first_hit, last_hit
FROM remembered
