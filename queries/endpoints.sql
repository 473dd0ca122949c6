/* flowscan
id = "endpoints"
title = "What speaks for an address and port being a service"
description = """
One row per address (by its number in `pairs`), port and protocol that took part in two or more
connections of the day: exchanges with payload (open), of which those that SYN flags call its own
service (served), with how many kinds of peers; and what failed, also towards ports below the
dynamic range, which tells a scan from one source port.
"""
columns = ["n", "port", "protocol", "uses", "open", "served", "called", "peers", "failed",
  "failed_low", "failed_ports"]
*/
SELECT n, port, protocol,
  count(*) AS uses,
  sum(open) AS open,
  sum(CASE WHEN told < 0 THEN 1 ELSE 0 END) AS served,
  sum(CASE WHEN told > 0 THEN 1 ELSE 0 END) AS called,
  CASE WHEN min(peer) = max(peer) THEN 1 ELSE 2 END AS peers,
  sum(failed) AS failed,
  sum(CASE WHEN peer_port < 32768 THEN failed ELSE 0 END) AS failed_low,
  max(CASE WHEN failed = 1 THEN peer_port END) - min(CASE WHEN failed = 1 THEN peer_port END)
    AS failed_ports
FROM (
  SELECT p.a_n AS n, c.ap AS port, c.protocol, c.told, p.b_n AS peer, c.bp AS peer_port,
    CASE WHEN c.shape = 'open' THEN 1 ELSE 0 END AS open,
    CASE WHEN c.shape = 'open' THEN 0 ELSE 1 END AS failed
  FROM connections c
  JOIN pairs p ON p.pair = c.pair
  WHERE c.protocol IN (6, 17, 132)
  UNION ALL
  SELECT p.b_n, c.bp, c.protocol, -c.told, p.a_n, c.ap,
    CASE WHEN c.shape = 'open' THEN 1 ELSE 0 END,
    CASE WHEN c.shape = 'open' THEN 0 ELSE 1 END
  FROM connections c
  JOIN pairs p ON p.pair = c.pair
  WHERE c.protocol IN (6, 17, 132)
) used
GROUP BY 1, 2, 3
HAVING count(*) >= 2
