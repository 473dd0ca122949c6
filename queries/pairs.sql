/* flowscan
id = "pairs"
title = "Pairs of addresses, numbered, with whose they are"
description = """
One row per UTC day and unordered pair of addresses. a_n and b_n number the addresses of the day;
a side is ours (an interface's address or a private one), public, or other (multicast, link-local
and the like). leg is as in `lanes`; gateway is 1 when a is a NAT gateway, -1 when b is one.
"""
columns = ["day", "pair", "a", "b", "a_n", "b_n", "a_side", "b_side", "a_home", "b_home",
  "account_id", "recorder", "leg", "gateway"]
*/
WITH named AS (
  SELECT day, pair, a, b, max(leg) AS leg, max(account_id) AS account_id,
    max(recorder) AS recorder
  FROM lanes
  GROUP BY 1, 2, 3, 4
),
ends AS (
  SELECT x.day, x.address, row_number() OVER (ORDER BY x.day, x.address) AS n,
    h.interface_id AS home, h.account_id, COALESCE(h.gateway, 0) AS gateway,
    CASE
      WHEN h.address IS NOT NULL OR /*$private(x.address)*/ (x.address LIKE '10.%'
        OR x.address LIKE '192.168.%'
        OR (x.address BETWEEN '172.16.' AND '172.31.~' AND x.address LIKE '172.__.%')
        OR (x.address BETWEEN '100.64.' AND '100.99.~' AND x.address LIKE '100.__.%')
        OR (x.address BETWEEN '100.100.' AND '100.127.~' AND x.address LIKE '100.___.%')
        OR (x.address BETWEEN 'fc00:' AND 'fdff:~' AND position(':' IN x.address) = 5))
        THEN 'ours'
      WHEN /*$special(x.address)*/ (x.address LIKE '0.%' OR x.address LIKE '127.%'
        OR x.address LIKE '169.254.%'
        OR (x.address BETWEEN '224.' AND '255.~' AND x.address LIKE '___.%')
        OR (x.address BETWEEN 'fe80:' AND 'febf:~' AND position(':' IN x.address) = 5)
        OR (x.address BETWEEN 'ff00:' AND 'ffff:~' AND position(':' IN x.address) = 5)
        OR x.address IN ('::', '::1'))
        THEN 'other'
      ELSE 'public'
    END AS side
  FROM (SELECT day, a AS address FROM named UNION SELECT day, b FROM named) x
  LEFT JOIN hosts h ON h.day = x.day AND h.address = x.address
)
SELECT p.day, p.pair, p.a, p.b, ea.n AS a_n, eb.n AS b_n, ea.side AS a_side, eb.side AS b_side,
  ea.home AS a_home, eb.home AS b_home, COALESCE(ea.account_id, eb.account_id, p.account_id)
    AS account_id,
  p.recorder, p.leg,
  CASE WHEN ea.gateway = 1 THEN 1 WHEN eb.gateway = 1 THEN -1 ELSE 0 END AS gateway
FROM named p
JOIN ends ea ON ea.day = p.day AND ea.address = p.a
JOIN ends eb ON eb.day = p.day AND eb.address = p.b
