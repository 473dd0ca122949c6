/* flowscan
id = "sessions"
title = "Connections: records stitched over windows and both directions"
description = """
One row per connection. Records of one five-tuple are one connection while they are no further
apart than AWS's own connection tracking keeps it (TCP 350 s, UDP 180 s, others 60 s). Both
directions are paired, what two interfaces recorded is counted once, and the outer leg of a NAT
gateway is dropped. The client is, in this order: who sent SYN without ACK (syn); the only side
that sent anything (only; a lone packet of a well-known port to a
dynamic one is a late answer); the side without the one well-known port (port); of a tiny exchange,
the side whose packets are larger than a bare RST (size); the side whose endpoint others do not
share (endpoint); the side without the one registered port (registered); who was seen first
(time); between two dynamic ports the inner side (inside); the side with the higher port (higher);
as flow-direction says (direction).
"""
columns = ["account_id", "interface_id", "client", "server", "client_port", "server_port",
  "protocol", "first_seen", "last_seen", "records", "rejected", "packets_out", "packets_in",
  "bytes_out", "bytes_in", "flags_out", "flags_in", "initiator"]
[params.by_day]
type = "integer"
help = "1 ends every connection at midnight UTC, so that days can be evaluated one by one"
*/
WITH pairs AS (
  -- Grouping millions of rows by small numbers costs a third of grouping them by texts.
  SELECT srcaddr, dstaddr, pkt_src, pkt_dst, src, dst, recorder,
    CASE WHEN /*$by_day*/ 0 = 1 THEN day ELSE 0 END AS part,
    min(account_id) AS account_id, sum(packets) AS packets, sum(rejected) AS rejected,
    sum(CASE way WHEN 'egress' THEN records WHEN 'ingress' THEN -records ELSE 0 END) AS way
  FROM edges
  WHERE day < /*$until*/ 4102444800 AND day > /*$since*/ 0 - 86400
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
),
gateways AS (
  -- NAT gateways: their own private address stands for public ones at packet level.
  SELECT recorder, max(dstaddr) AS nat
  FROM pairs
  WHERE dst <> dstaddr
    AND /*$private(dstaddr)*/ (dstaddr LIKE '10.%' OR dstaddr LIKE '192.168.%'
      OR (dstaddr BETWEEN '172.16.' AND '172.31.~' AND dstaddr LIKE '172.__.%')
      OR (dstaddr BETWEEN '100.64.' AND '100.99.~' AND dstaddr LIKE '100.__.%')
      OR (dstaddr BETWEEN '100.100.' AND '100.127.~' AND dstaddr LIKE '100.___.%')
      OR (dstaddr BETWEEN 'fc00:' AND 'fdff:~' AND position(':' IN dstaddr) = 5))
    AND NOT /*$private(dst)*/ (dst LIKE '10.%' OR dst LIKE '192.168.%'
      OR (dst BETWEEN '172.16.' AND '172.31.~' AND dst LIKE '172.__.%')
      OR (dst BETWEEN '100.64.' AND '100.99.~' AND dst LIKE '100.__.%')
      OR (dst BETWEEN '100.100.' AND '100.127.~' AND dst LIKE '100.___.%')
      OR (dst BETWEEN 'fc00:' AND 'fdff:~' AND position(':' IN dst) = 5))
  GROUP BY 1
),
inner_pairs AS (
  -- Without the outer leg of a NAT gateway. What it refuses came from outside and stays.
  SELECT p.*, CASE WHEN p.src < p.dst THEN p.src ELSE p.dst END AS a,
    CASE WHEN p.src < p.dst THEN p.dst ELSE p.src END AS b
  FROM pairs p
  LEFT JOIN gateways g ON g.recorder = p.recorder
  WHERE g.nat IS NULL OR NOT (
    (p.srcaddr = g.nat AND p.src = g.nat)
    OR (p.dstaddr = g.nat AND p.dst = g.nat AND p.rejected = 0))
),
witnesses AS (
  -- Two interfaces saw the same: the one that saw most packets speaks, of equals the one that
  -- refused some.
  SELECT a, b, part, recorder, account_id, way, row_number() OVER (ORDER BY a, b, part) AS pair
  FROM (
    SELECT a, b, part, recorder, min(account_id) AS account_id,
      sum(CASE WHEN src = a THEN way ELSE -way END) AS way,
      row_number() OVER (
        PARTITION BY a, b, part
        ORDER BY sum(packets) DESC, sum(rejected) DESC, recorder) AS place
    FROM inner_pairs
    GROUP BY a, b, part, recorder
  ) ranked
  WHERE place = 1
),
ends AS (
  SELECT part, address, row_number() OVER (ORDER BY part, address) AS n,
    /*$private(address)*/ (address LIKE '10.%' OR address LIKE '192.168.%'
      OR (address BETWEEN '172.16.' AND '172.31.~' AND address LIKE '172.__.%')
      OR (address BETWEEN '100.64.' AND '100.99.~' AND address LIKE '100.__.%')
      OR (address BETWEEN '100.100.' AND '100.127.~' AND address LIKE '100.___.%')
      OR (address BETWEEN 'fc00:' AND 'fdff:~' AND position(':' IN address) = 5))
      AS inside
  FROM (SELECT part, a AS address FROM witnesses UNION SELECT part, b FROM witnesses) named
),
numbered_witnesses AS (
  SELECT w.pair, w.a, w.b, w.recorder, w.account_id, w.way, ea.n AS a_n, eb.n AS b_n,
    CASE WHEN ea.inside = eb.inside THEN 0 WHEN ea.inside THEN 1 ELSE -1 END AS insider
  FROM witnesses w
  JOIN ends ea ON ea.part = w.part AND ea.address = w.a
  JOIN ends eb ON eb.part = w.part AND eb.address = w.b
),
lanes AS (
  -- The directed pairs that count; up is 1 when the source is the lower end, a.
  SELECT p.srcaddr, p.dstaddr, p.pkt_src, p.pkt_dst, p.recorder, p.part, w.pair,
    CASE WHEN p.src = p.a THEN 1 ELSE 0 END AS up, p.src = p.dst AS to_self
  FROM inner_pairs p
  JOIN witnesses w ON w.a = p.a AND w.b = p.b AND w.part = p.part AND w.recorder = p.recorder
),
directed AS (
  SELECT
    l.pair,
    CASE WHEN l.to_self AND f.srcport > f.dstport THEN 0 ELSE l.up END AS up,
    COALESCE(f.srcport, 0) AS srcport,
    COALESCE(f.dstport, 0) AS dstport,
    COALESCE(f.protocol, 0) AS protocol,
    CASE f.protocol WHEN 6 THEN 350 WHEN 17 THEN 180 ELSE 60 END AS gap,
    f."start" AS s, f."end" AS e, f.tcp_flags,
    CAST(COALESCE(f.packets, 0) AS DOUBLE) AS packets,
    CAST(COALESCE(f.bytes, 0) AS DOUBLE) AS bytes,
    CASE WHEN f.action = 'REJECT' THEN 1.0E0 ELSE 0.0E0 END AS rejected
  FROM flows f
  JOIN lanes l ON l.srcaddr = f.srcaddr AND l.dstaddr = f.dstaddr
    AND l.pkt_src = COALESCE(f.pkt_srcaddr, '') AND l.pkt_dst = COALESCE(f.pkt_dstaddr, '')
    AND l.recorder = COALESCE(f.interface_id, f.tgw_attachment_id, f.resource_id, '')
    AND l.part = CASE WHEN /*$by_day*/ 0 = 1 THEN f."start" - mod(f."start", 86400) ELSE 0 END
  WHERE f."start" >= /*$since*/ 0 AND f."start" < /*$until*/ 4102444800
),
slices AS (
  -- Records of one key that start in one slice of the gap's length are one connection. Pair and
  -- port of a are packed into k, slice, port of b and protocol into l; flags of b are shifted; a
  -- start beyond the year 30000 means that the direction has none. Products with up stand for
  -- CASE, which costs more.
  SELECT
    pair * 65536 + dstport + (srcport - dstport) * up AS k,
    (s - mod(s, gap)) * 16777216 + (srcport + (dstport - srcport) * up) * 256 + protocol AS l,
    max(e) AS e,
    count(*) AS records,
    sum(rejected) AS rejected,
    min(s + (1 - up) * 1000000000000) AS s_ab,
    min(s + up * 1000000000000) AS s_ba,
    sum(packets) AS packets,
    sum(packets * up) AS packets_ab,
    sum(bytes) AS bytes,
    sum(bytes * up) AS bytes_ab,
    bitwise_or_agg(tcp_flags * (256 - 255 * up)) AS flags
  FROM directed
  GROUP BY 1, 2
),
several AS (
  -- A key with one slice is one connection; only these may be more.
  SELECT k, mod(l, 16777216) AS m
  FROM slices
  GROUP BY 1, 2
  HAVING count(*) > 1
),
breaks AS (
  SELECT x.*, v.m,
    CASE WHEN least(x.s_ab, x.s_ba)
        > CASE mod(v.m, 256) WHEN 6 THEN 350 WHEN 17 THEN 180 ELSE 60 END
          + max(x.e) OVER (
            PARTITION BY x.k, v.m ORDER BY x.l
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) THEN 1 ELSE 0 END AS fresh
  FROM slices x
  JOIN several v ON v.k = x.k AND v.m = mod(x.l, 16777216)
),
numbered AS (
  SELECT *,
    sum(fresh) OVER (
      PARTITION BY k, m ORDER BY l
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS n
  FROM breaks
),
packed AS (
  SELECT x.k, mod(x.l, 16777216) AS m, least(x.s_ab, x.s_ba) AS s, x.e, x.records, x.rejected,
    x.s_ab, x.s_ba, x.packets, x.packets_ab, x.bytes, x.bytes_ab, x.flags
  FROM slices x
  LEFT JOIN several v ON v.k = x.k AND v.m = mod(x.l, 16777216)
  WHERE v.k IS NULL
  UNION ALL
  SELECT k, m, least(min(s_ab), min(s_ba)), max(e), sum(records), sum(rejected), min(s_ab),
    min(s_ba), sum(packets), sum(packets_ab), sum(bytes), sum(bytes_ab), bitwise_or_agg(flags)
  FROM numbered
  GROUP BY k, m, n
),
connections AS (
  SELECT
    (k - mod(k, 65536)) / 65536 AS pair,
    mod(k, 65536) AS ap,
    (m - mod(m, 256)) / 256 AS bp,
    mod(m, 256) AS protocol,
    s, e, records, rejected, s_ab, s_ba, packets_ab, packets - packets_ab AS packets_ba,
    bytes_ab, bytes - bytes_ab AS bytes_ba,
    bitwise_and(COALESCE(flags, 0), 255) AS flags_ab,
    bitwise_and(COALESCE(flags, 0), 65280) / 256 AS flags_ba
  FROM packed
),
plain AS (
  -- What the connection itself says. Positive when a is the client, negative when b is, 0 when it
  -- does not tell; the number names the sign.
  SELECT c.*, w.a_n, w.b_n, w.insider, w.way,
    CASE
      WHEN bitwise_and(flags_ab, 18) = 2 AND bitwise_and(flags_ba, 18) <> 2 THEN 1
      WHEN bitwise_and(flags_ba, 18) = 2 AND bitwise_and(flags_ab, 18) <> 2 THEN -1
      WHEN bitwise_and(flags_ba, 18) = 18 AND bitwise_and(flags_ab, 18) <> 18 THEN 1
      WHEN bitwise_and(flags_ab, 18) = 18 AND bitwise_and(flags_ba, 18) <> 18 THEN -1
      WHEN packets_ba = 0 AND ap BETWEEN /*$ports.well_known*/ 1 AND 1023 AND bp >= /*$ports.first_user*/ 1024
        AND (rejected = 0 OR bp >= /*$ports.first_dynamic*/ 32768 OR (protocol = 17 AND ap IN /*$ports.udp_answers*/ (53, 123, 443))) THEN -2
      WHEN packets_ab = 0 AND bp BETWEEN /*$ports.well_known*/ 1 AND 1023 AND ap >= /*$ports.first_user*/ 1024
        AND (rejected = 0 OR ap >= /*$ports.first_dynamic*/ 32768 OR (protocol = 17 AND bp IN /*$ports.udp_answers*/ (53, 123, 443))) THEN 2
      WHEN packets_ba = 0 THEN 2
      WHEN packets_ab = 0 THEN -2
      WHEN bp BETWEEN /*$ports.well_known*/ 1 AND 1023 AND ap NOT BETWEEN /*$ports.well_known*/ 1 AND 1023 THEN 3
      WHEN ap BETWEEN /*$ports.well_known*/ 1 AND 1023 AND bp NOT BETWEEN /*$ports.well_known*/ 1 AND 1023 THEN -3
      WHEN protocol = 6 AND packets_ab <= 3 AND packets_ba <= 3
        AND bytes_ba <= 40 * packets_ba AND bytes_ab > 40 * packets_ab THEN 4
      WHEN protocol = 6 AND packets_ab <= 3 AND packets_ba <= 3
        AND bytes_ab <= 40 * packets_ab AND bytes_ba > 40 * packets_ba THEN -4
      ELSE 0
    END AS sign
  FROM connections c
  JOIN numbered_witnesses w ON w.pair = c.pair
),
endpoints AS (
  -- How many exchanges with payload an endpoint took part in, of those that do not tell.
  SELECT n, port, protocol, count(*) AS degree
  FROM (
    SELECT a_n AS n, ap AS port, protocol FROM plain
    WHERE sign = 0 AND ap >= /*$ports.first_user*/ 1024 AND bp >= /*$ports.first_user*/ 1024
      AND (protocol <> 6 OR (packets_ab >= 3 AND packets_ba >= 3))
    UNION ALL
    SELECT b_n, bp, protocol FROM plain
    WHERE sign = 0 AND ap >= /*$ports.first_user*/ 1024 AND bp >= /*$ports.first_user*/ 1024
      AND (protocol <> 6 OR (packets_ab >= 3 AND packets_ba >= 3))
  ) exchanged
  GROUP BY 1, 2, 3
  HAVING count(*) >= 3
),
judged AS (
  SELECT p.*,
    CASE
      WHEN sign <> 0 THEN sign
      WHEN COALESCE(eb.degree, 0) > 2 * COALESCE(ea.degree, 0) THEN 5
      WHEN COALESCE(ea.degree, 0) > 2 * COALESCE(eb.degree, 0) THEN -5
      WHEN bp IN /*$ports.registered*/ (1433, 1521, 1883, 2049, 3128, 3306, 3389, 5060, 5432, 5672,
        5900, 5985, 5986, 6379, 6443, 6667, 8000, 8080, 8443, 8883, 9042, 9092, 9200, 9300, 11211,
        27017)
        AND ap NOT IN /*$ports.registered*/ (1433, 1521, 1883, 2049, 3128, 3306, 3389, 5060, 5432,
          5672, 5900, 5985, 5986, 6379, 6443, 6667, 8000, 8080, 8443, 8883, 9042, 9092, 9200, 9300,
          11211, 27017) THEN 6
      WHEN ap IN /*$ports.registered*/ (1433, 1521, 1883, 2049, 3128, 3306, 3389, 5060, 5432, 5672,
        5900, 5985, 5986, 6379, 6443, 6667, 8000, 8080, 8443, 8883, 9042, 9092, 9200, 9300, 11211,
        27017)
        AND bp NOT IN /*$ports.registered*/ (1433, 1521, 1883, 2049, 3128, 3306, 3389, 5060, 5432,
          5672, 5900, 5985, 5986, 6379, 6443, 6667, 8000, 8080, 8443, 8883, 9042, 9092, 9200, 9300,
          11211, 27017) THEN -6
      WHEN s_ab < s_ba THEN 7
      WHEN s_ba < s_ab THEN -7
      -- Between two dynamic ports the number says nothing: who is inside calls out.
      WHEN ap >= /*$ports.first_dynamic*/ 32768 AND bp >= /*$ports.first_dynamic*/ 32768 AND way > 0 THEN 9
      WHEN ap >= /*$ports.first_dynamic*/ 32768 AND bp >= /*$ports.first_dynamic*/ 32768 AND way < 0 THEN -9
      WHEN ap >= /*$ports.first_dynamic*/ 32768 AND bp >= /*$ports.first_dynamic*/ 32768 AND insider <> 0 THEN 10 * insider
      WHEN bp < ap THEN 8
      WHEN ap < bp THEN -8
      WHEN way > 0 THEN 9
      WHEN way < 0 THEN -9
      WHEN insider < 0 THEN -10
      ELSE 10
    END AS verdict
  FROM plain p
  LEFT JOIN endpoints ea ON ea.n = CASE WHEN p.sign = 0 THEN p.a_n END AND ea.port = p.ap
    AND ea.protocol = p.protocol
  LEFT JOIN endpoints eb ON eb.n = CASE WHEN p.sign = 0 THEN p.b_n END AND eb.port = p.bp
    AND eb.protocol = p.protocol
)
SELECT
  w.account_id,
  CASE WHEN w.recorder = '' THEN NULL ELSE w.recorder END AS interface_id,
  CASE WHEN j.verdict > 0 THEN w.a ELSE w.b END AS client,
  CASE WHEN j.verdict > 0 THEN w.b ELSE w.a END AS server,
  CAST(CASE WHEN j.verdict > 0 THEN j.ap ELSE j.bp END AS INTEGER) AS client_port,
  CAST(CASE WHEN j.verdict > 0 THEN j.bp ELSE j.ap END AS INTEGER) AS server_port,
  CAST(j.protocol AS INTEGER) AS protocol,
  j.s AS first_seen,
  j.e AS last_seen,
  CAST(j.records AS BIGINT) AS records,
  CAST(j.rejected AS BIGINT) AS rejected,
  CAST(CASE WHEN j.verdict > 0 THEN j.packets_ab ELSE j.packets_ba END AS BIGINT) AS packets_out,
  CAST(CASE WHEN j.verdict > 0 THEN j.packets_ba ELSE j.packets_ab END AS BIGINT) AS packets_in,
  CAST(CASE WHEN j.verdict > 0 THEN j.bytes_ab ELSE j.bytes_ba END AS BIGINT) AS bytes_out,
  CAST(CASE WHEN j.verdict > 0 THEN j.bytes_ba ELSE j.bytes_ab END AS BIGINT) AS bytes_in,
  CASE WHEN j.verdict > 0 THEN j.flags_ab ELSE j.flags_ba END AS flags_out,
  CASE WHEN j.verdict > 0 THEN j.flags_ba ELSE j.flags_ab END AS flags_in,
  CASE abs(j.verdict) WHEN 1 THEN 'syn' WHEN 2 THEN 'only' WHEN 3 THEN 'port' WHEN 4 THEN 'size'
    WHEN 5 THEN 'endpoint' WHEN 6 THEN 'registered' WHEN 7 THEN 'time' WHEN 8 THEN 'higher'
    WHEN 9 THEN 'direction' ELSE 'inside' END AS initiator
FROM judged j
JOIN numbered_witnesses w ON w.pair = j.pair
