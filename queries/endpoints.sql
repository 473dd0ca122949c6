/* flowscan
id = "endpoints"
title = "What speaks for an address and port being a service"
description = """
One row per address (by its number in `pairs`), port and protocol that took part in two or more
connections of the day: exchanges with payload (open), those that SYN flags call its own service
(served), whether the peers are several, what it tried in vain (only it sent, or its bare packets
met a reset), how often it was tried so, tries that do not tell who made them (equal), and how
many of its vain and equal ones went to ports below the dynamic range, which tells a scan from one
source port; likewise of those that tried it (hit_low, hit_spread).
"""
columns = ["n", "port", "protocol", "open", "served", "peers", "tried", "hit", "equal", "low",
  "spread", "hit_low", "hit_spread"]
*/
SELECT n, port, protocol,
  sum(CASE WHEN kind = 0 THEN 1 ELSE 0 END) AS open,
  sum(CASE WHEN told < 0 THEN 1 ELSE 0 END) AS served,
  CASE WHEN min(peer) = max(peer) THEN 1 ELSE 2 END AS peers,
  sum(CASE WHEN kind = 1 THEN 1 ELSE 0 END) AS tried,
  sum(CASE WHEN kind = 2 THEN 1 ELSE 0 END) AS hit,
  sum(CASE WHEN kind = 3 THEN 1 ELSE 0 END) AS equal,
  sum(CASE WHEN kind IN (1, 3) AND peer_port < /*$ports.first_dynamic*/ 32768 THEN 1 ELSE 0 END) AS low,
  COALESCE(max(CASE WHEN kind IN (1, 3) THEN peer_port END)
    - min(CASE WHEN kind IN (1, 3) THEN peer_port END), 0) AS spread,
  sum(CASE WHEN kind = 2 AND peer_port < /*$ports.first_dynamic*/ 32768 THEN 1 ELSE 0 END)
    AS hit_low,
  COALESCE(max(CASE WHEN kind = 2 THEN peer_port END)
    - min(CASE WHEN kind = 2 THEN peer_port END), 0) AS hit_spread
FROM (
  SELECT p.a_n AS n, c.ap AS port, c.protocol, c.told, p.b_n AS peer, c.bp AS peer_port,
    CASE c.tries WHEN 0 THEN CASE WHEN c.shape = 'open' THEN 0 ELSE 3 END WHEN 1 THEN 1 ELSE 2 END
      AS kind
  FROM connections c
  JOIN pairs p ON p.pair = c.pair
  UNION ALL
  SELECT p.b_n, c.bp, c.protocol, -c.told, p.a_n, c.ap,
    CASE c.tries WHEN 0 THEN CASE WHEN c.shape = 'open' THEN 0 ELSE 3 END WHEN 1 THEN 2 ELSE 1 END
  FROM connections c
  JOIN pairs p ON p.pair = c.pair
) used
GROUP BY 1, 2, 3
HAVING count(*) >= 2
