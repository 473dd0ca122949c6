/* flowscan
id = "contacts"
title = "Who called whom: sessions of one day, client, server, port and protocol"
description = """
One row per UTC day, client, server, server port and protocol, with how the sessions ended:
refused (REJECT), silent (no answer), closed (answered by bare resets), empty (a handshake without
payload) and open (payload went over); late answers alone count in none of these. failed is refused, silent and closed together. tries are
open sessions of the size of one password guess, heavy the ones that carried work. Sides: ours (an
interface's address or a private one), public, other (multicast, link-local and the like).
"""
columns = ["day", "client", "server", "port", "protocol", "client_side", "server_side",
  "sessions", "refused", "silent", "closed", "empty", "open", "failed", "tries", "heavy",
  "packets_out", "packets_in", "bytes_out", "bytes_in", "duration", "first_seen", "last_seen"]
*/
WITH ended AS (
  SELECT
    first_seen - mod(first_seen, 86400) AS day,
    client, server,
    CASE WHEN protocol IN (6, 17, 132) THEN server_port ELSE 0 END AS port,
    protocol, packets_out, packets_in, bytes_out, bytes_in, first_seen, last_seen,
    CASE
      WHEN packets_out = 0 THEN 'stray'
      WHEN packets_in = 0 AND rejected > 0 THEN 'refused'
      WHEN packets_in = 0 THEN 'silent'
      WHEN protocol <> 6 THEN 'open'
      WHEN packets_out <= 6 AND packets_in <= packets_out AND bytes_in <= 42 * packets_in
        AND bytes_out <= 66 * packets_out THEN 'closed'
      WHEN bitwise_and(flags_in, 6) = 4 THEN 'closed'
      WHEN packets_out <= 6 AND bytes_out <= 66 * packets_out AND bytes_in <= 66 * packets_in
        THEN 'empty'
      ELSE 'open'
    END AS ending
  FROM sessions
),
counted AS (
  SELECT
    day, client, server, port, protocol,
    count(*) AS sessions,
    sum(CASE WHEN ending = 'refused' THEN 1 ELSE 0 END) AS refused,
    sum(CASE WHEN ending = 'silent' THEN 1 ELSE 0 END) AS silent,
    sum(CASE WHEN ending = 'closed' THEN 1 ELSE 0 END) AS closed,
    sum(CASE WHEN ending = 'empty' THEN 1 ELSE 0 END) AS empty,
    sum(CASE WHEN ending = 'open' THEN 1 ELSE 0 END) AS open,
    sum(CASE WHEN ending = 'open' AND packets_out BETWEEN 5 AND 60
      AND bytes_out <= 12000 AND bytes_in <= 16000 AND last_seen - first_seen <= 180
      THEN 1 ELSE 0 END) AS tries,
    sum(CASE WHEN ending = 'open' AND packets_out > 60 THEN 1 ELSE 0 END) AS heavy,
    sum(packets_out) AS packets_out,
    sum(packets_in) AS packets_in,
    sum(bytes_out) AS bytes_out,
    sum(bytes_in) AS bytes_in,
    max(last_seen - first_seen) AS duration,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen
  FROM ended
  GROUP BY 1, 2, 3, 4, 5
),
addresses AS (
  SELECT day, address,
    CASE
      WHEN /*$private(address)*/ (address LIKE '10.%' OR address LIKE '192.168.%'
        OR (address BETWEEN '172.16.' AND '172.31.~' AND address LIKE '172.__.%')
        OR (address BETWEEN '100.64.' AND '100.99.~' AND address LIKE '100.__.%')
        OR (address BETWEEN '100.100.' AND '100.127.~' AND address LIKE '100.___.%')
        OR (address BETWEEN 'fc00:' AND 'fdff:~' AND position(':' IN address) = 5)) THEN 'ours'
      WHEN /*$special(address)*/ (address LIKE '0.%' OR address LIKE '127.%'
        OR address LIKE '169.254.%' OR (address BETWEEN '224.' AND '255.~' AND address LIKE '___.%')
        OR (address BETWEEN 'fe80:' AND 'febf:~' AND position(':' IN address) = 5)
        OR (address BETWEEN 'ff00:' AND 'ffff:~' AND position(':' IN address) = 5)
        OR address IN ('::', '::1'))
        THEN 'other'
      ELSE 'public'
    END AS side
  FROM (SELECT day, client AS address FROM counted UNION SELECT day, server FROM counted) seen
),
sided AS (
  SELECT a.day, a.address, CASE WHEN h.address IS NOT NULL THEN 'ours' ELSE a.side END AS side
  FROM addresses a
  LEFT JOIN hosts h ON h.day = a.day AND h.address = a.address
)
SELECT
  c.day, c.client, c.server, c.port, c.protocol,
  sc.side AS client_side, ss.side AS server_side,
  c.sessions,
  CAST(c.refused AS BIGINT) AS refused, CAST(c.silent AS BIGINT) AS silent,
  CAST(c.closed AS BIGINT) AS closed, CAST(c.empty AS BIGINT) AS empty,
  CAST(c.open AS BIGINT) AS open,
  CAST(c.refused + c.silent + c.closed AS BIGINT) AS failed,
  CAST(c.tries AS BIGINT) AS tries, CAST(c.heavy AS BIGINT) AS heavy,
  CAST(c.packets_out AS BIGINT) AS packets_out, CAST(c.packets_in AS BIGINT) AS packets_in,
  CAST(c.bytes_out AS BIGINT) AS bytes_out, CAST(c.bytes_in AS BIGINT) AS bytes_in,
  c.duration, c.first_seen, c.last_seen
FROM counted c
JOIN sided sc ON sc.day = c.day AND sc.address = c.client
JOIN sided ss ON ss.day = c.day AND ss.address = c.server
