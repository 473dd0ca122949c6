/* flowscan
id = "endpoints"
title = "What speaks for an address and port being a service"
description = """
One row per address, port and protocol that took part in two or more connections of the day; key
packs the address's number in `pairs`, the port and the protocol. Exchanges with payload (open),
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
FROM (
  SELECT (n * 65536 + port) * 256 + protocol AS key, min(port) AS port,
    min(CASE WHEN kind = 0 THEN peer_port END) AS first_port,
    max(CASE WHEN kind = 0 THEN peer_port END) AS last_port,
    sum(CASE WHEN kind = 0 THEN 1.0E0 ELSE 0.0E0 END) AS open,
    sum(CASE WHEN told < 0 THEN 1.0E0 ELSE 0.0E0 END) AS served,
    CASE WHEN min(peer) = max(peer) THEN 1 ELSE 2 END AS peers,
    sum(CASE WHEN kind = 1 THEN 1.0E0 ELSE 0.0E0 END) AS tried,
    sum(CASE WHEN kind = 2 THEN 1.0E0 ELSE 0.0E0 END) AS hit,
    sum(CASE WHEN kind = 3 THEN 1.0E0 ELSE 0.0E0 END) AS equal,
    sum(CASE WHEN kind IN (1, 3) AND peer_port < /*$ports.first_dynamic*/ 32768 THEN 1.0E0
      ELSE 0.0E0 END) AS low,
    COALESCE(max(CASE WHEN kind IN (1, 3) THEN peer_port END)
      - min(CASE WHEN kind IN (1, 3) THEN peer_port END), 0) AS spread,
    sum(CASE WHEN kind = 2 AND peer_port < /*$ports.first_dynamic*/ 32768 THEN 1.0E0
      ELSE 0.0E0 END) AS hit_low,
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
  GROUP BY 1
  HAVING count(*) >= 2
) counted
