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
(time); the side with the higher port (higher); as flow-direction says (direction).
"""
columns = ["account_id", "interface_id", "client", "server", "client_port", "server_port",
  "protocol", "first_seen", "last_seen", "records", "rejected", "packets_out", "packets_in",
  "bytes_out", "bytes_in", "flags_out", "flags_in", "initiator"]
[params.by_day]
type = "integer"
help = "1 ends every connection at midnight UTC, so that days can be evaluated one by one"
*/
WITH pairs AS (
  -- Who recorded what between which addresses: few rows, from which the rest is numbered, since
  -- grouping millions of rows by small numbers costs a third of grouping them by texts.
  SELECT
    srcaddr, dstaddr,
    COALESCE(pkt_srcaddr, srcaddr) AS src,
    COALESCE(pkt_dstaddr, dstaddr) AS dst,
    COALESCE(interface_id, tgw_attachment_id, resource_id, '') AS recorder,
    CASE WHEN /*$by_day*/ 0 = 1 THEN "start" - mod("start", 86400) ELSE 0 END AS part,
    min(account_id) AS account_id,
    sum(CAST(packets AS DOUBLE)) AS packets,
    sum(CASE WHEN action = 'REJECT' THEN 1 ELSE 0 END) AS rejected
  FROM flows
  WHERE "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
    AND srcaddr IS NOT NULL AND dstaddr IS NOT NULL
  GROUP BY 1, 2, 3, 4, 5, 6
),
gateways AS (
  -- NAT gateways: their own private address stands for public ones at packet level.
  SELECT recorder, max(dstaddr) AS nat
  FROM pairs
  WHERE dst <> dstaddr
    AND regexp_like(dstaddr, '^(10\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\.)')
    AND NOT regexp_like(dst, '^(10\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\.)')
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
  SELECT a, b, part, recorder, account_id, row_number() OVER (ORDER BY a, b, part) AS pair
  FROM (
    SELECT a, b, part, recorder, min(account_id) AS account_id,
      row_number() OVER (
        PARTITION BY a, b, part
        ORDER BY sum(packets) DESC, sum(rejected) DESC, recorder) AS place
    FROM inner_pairs
    GROUP BY a, b, part, recorder
  ) ranked
  WHERE place = 1
),
lanes AS (
  -- The directed pairs that count; up means that the source is the lower end, a.
  SELECT p.srcaddr, p.dstaddr, p.src, p.dst, p.recorder, p.part, w.pair, p.src = p.a AS up
  FROM inner_pairs p
  JOIN witnesses w ON w.a = p.a AND w.b = p.b AND w.part = p.part AND w.recorder = p.recorder
),
directed AS (
  SELECT
    l.pair,
    l.up AND (l.src <> l.dst OR f.srcport <= f.dstport) AS up,
    COALESCE(f.srcport, 0) AS srcport,
    COALESCE(f.dstport, 0) AS dstport,
    COALESCE(f.protocol, 0) AS protocol,
    CASE f.protocol WHEN 6 THEN 350 WHEN 17 THEN 180 ELSE 60 END AS gap,
    f."start" AS s, f."end" AS e, f.tcp_flags,
    CAST(f.packets AS DOUBLE) AS packets,
    CAST(f.bytes AS DOUBLE) AS bytes,
    CASE WHEN f.action = 'REJECT' THEN 1 ELSE 0 END AS rejected,
    CASE f.flow_direction WHEN 'egress' THEN 1 WHEN 'ingress' THEN -1 ELSE 0 END AS way
  FROM flows f
  JOIN lanes l ON l.srcaddr = f.srcaddr AND l.dstaddr = f.dstaddr
    AND l.src = COALESCE(f.pkt_srcaddr, f.srcaddr) AND l.dst = COALESCE(f.pkt_dstaddr, f.dstaddr)
    AND l.recorder = COALESCE(f.interface_id, f.tgw_attachment_id, f.resource_id, '')
    AND l.part = CASE WHEN /*$by_day*/ 0 = 1 THEN f."start" - mod(f."start", 86400) ELSE 0 END
  WHERE f."start" >= /*$since*/ 0 AND f."start" < /*$until*/ 4102444800
),
slices AS (
  -- Records of one key that start in one slice of the gap's length are one connection.
  SELECT
    pair,
    CASE WHEN up THEN srcport ELSE dstport END AS ap,
    CASE WHEN up THEN dstport ELSE srcport END AS bp,
    protocol,
    s - mod(s, gap) AS slice,
    min(gap) AS gap,
    min(s) AS s,
    max(e) AS e,
    count(*) AS records,
    sum(rejected) AS rejected,
    sum(CASE WHEN up THEN way ELSE -way END) AS way,
    min(CASE WHEN up THEN s END) AS s_ab,
    min(CASE WHEN up THEN NULL ELSE s END) AS s_ba,
    sum(CASE WHEN up THEN packets ELSE 0 END) AS packets_ab,
    sum(CASE WHEN up THEN 0 ELSE packets END) AS packets_ba,
    sum(CASE WHEN up THEN bytes ELSE 0 END) AS bytes_ab,
    sum(CASE WHEN up THEN 0 ELSE bytes END) AS bytes_ba,
    bitwise_or_agg(CASE WHEN up THEN tcp_flags ELSE 0 END) AS flags_ab,
    bitwise_or_agg(CASE WHEN up THEN 0 ELSE tcp_flags END) AS flags_ba
  FROM directed
  GROUP BY 1, 2, 3, 4, 5
),
whole AS (
  SELECT pair, ap, bp, protocol, min(gap) AS gap, min(s) AS s, max(e) AS e,
    sum(records) AS records, sum(rejected) AS rejected, sum(way) AS way,
    min(s_ab) AS s_ab, min(s_ba) AS s_ba,
    sum(packets_ab) AS packets_ab, sum(packets_ba) AS packets_ba,
    sum(bytes_ab) AS bytes_ab, sum(bytes_ba) AS bytes_ba,
    bitwise_or_agg(flags_ab) AS flags_ab, bitwise_or_agg(flags_ba) AS flags_ba
  FROM slices
  GROUP BY 1, 2, 3, 4
),
breaks AS (
  -- Only a key that lasted longer than the gap can hold two connections.
  SELECT x.*,
    CASE WHEN x.s > x.gap + max(x.e) OVER (
      PARTITION BY x.pair, x.ap, x.bp, x.protocol ORDER BY x.slice
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) THEN 1 ELSE 0 END AS fresh
  FROM slices x
  JOIN whole w ON w.pair = x.pair AND w.ap = x.ap AND w.bp = x.bp
    AND w.protocol = x.protocol
  WHERE w.e - w.s > w.gap
),
numbered AS (
  SELECT *,
    sum(fresh) OVER (
      PARTITION BY pair, ap, bp, protocol ORDER BY slice
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS n
  FROM breaks
),
connections AS (
  SELECT pair, ap, bp, protocol, s, e, records, rejected, way, s_ab, s_ba, packets_ab,
    packets_ba, bytes_ab, bytes_ba,
    COALESCE(flags_ab, 0) AS flags_ab, COALESCE(flags_ba, 0) AS flags_ba
  FROM whole
  WHERE e - s <= gap
  UNION ALL
  SELECT pair, ap, bp, protocol, min(s), max(e), sum(records), sum(rejected), sum(way), min(s_ab),
    min(s_ba), sum(packets_ab), sum(packets_ba), sum(bytes_ab), sum(bytes_ba),
    COALESCE(bitwise_or_agg(flags_ab), 0), COALESCE(bitwise_or_agg(flags_ba), 0)
  FROM numbered
  GROUP BY pair, ap, bp, protocol, n
),
endpoints AS (
  -- How many exchanges with payload an endpoint with an unprivileged port took part in.
  SELECT part, address, port, protocol, count(*) AS degree
  FROM (
    SELECT w.part, w.a AS address, c.ap AS port, c.protocol
    FROM connections c JOIN witnesses w ON w.pair = c.pair
    WHERE c.ap >= 1024 AND c.bp >= 1024 AND c.packets_ab >= 1 AND c.packets_ba >= 1
      AND (c.protocol <> 6 OR (c.packets_ab >= 3 AND c.packets_ba >= 3))
      AND bitwise_and(c.flags_ab, 2) = 0 AND bitwise_and(c.flags_ba, 2) = 0
    UNION ALL
    SELECT w.part, w.b, c.bp, c.protocol
    FROM connections c JOIN witnesses w ON w.pair = c.pair
    WHERE c.ap >= 1024 AND c.bp >= 1024 AND c.packets_ab >= 1 AND c.packets_ba >= 1
      AND (c.protocol <> 6 OR (c.packets_ab >= 3 AND c.packets_ba >= 3))
      AND bitwise_and(c.flags_ab, 2) = 0 AND bitwise_and(c.flags_ba, 2) = 0
  ) exchanged
  GROUP BY 1, 2, 3, 4
  HAVING count(*) >= 3
),
judged AS (
  -- up is true when a is the client; why says which of the signs decided.
  SELECT c.*, w.a, w.b, w.recorder, w.account_id,
    CASE
      WHEN bitwise_and(flags_ab, 18) = 2 AND bitwise_and(flags_ba, 18) <> 2 THEN 'syn>'
      WHEN bitwise_and(flags_ba, 18) = 2 AND bitwise_and(flags_ab, 18) <> 2 THEN 'syn<'
      WHEN bitwise_and(flags_ba, 18) = 18 AND bitwise_and(flags_ab, 18) <> 18 THEN 'syn>'
      WHEN bitwise_and(flags_ab, 18) = 18 AND bitwise_and(flags_ba, 18) <> 18 THEN 'syn<'
      WHEN packets_ba = 0 AND ap BETWEEN 1 AND 1023 AND bp >= 1024
        AND (rejected = 0 OR bp >= 32768) THEN 'only<'
      WHEN packets_ab = 0 AND bp BETWEEN 1 AND 1023 AND ap >= 1024
        AND (rejected = 0 OR ap >= 32768) THEN 'only>'
      WHEN packets_ba = 0 THEN 'only>'
      WHEN packets_ab = 0 THEN 'only<'
      WHEN bp BETWEEN 1 AND 1023 AND ap NOT BETWEEN 1 AND 1023 THEN 'port>'
      WHEN ap BETWEEN 1 AND 1023 AND bp NOT BETWEEN 1 AND 1023 THEN 'port<'
      WHEN c.protocol = 6 AND packets_ab <= 3 AND packets_ba <= 3
        AND bytes_ba <= 40 * packets_ba AND bytes_ab > 40 * packets_ab THEN 'size>'
      WHEN c.protocol = 6 AND packets_ab <= 3 AND packets_ba <= 3
        AND bytes_ab <= 40 * packets_ab AND bytes_ba > 40 * packets_ba THEN 'size<'
      WHEN COALESCE(eb.degree, 0) > 2 * COALESCE(ea.degree, 0) THEN 'endpoint>'
      WHEN COALESCE(ea.degree, 0) > 2 * COALESCE(eb.degree, 0) THEN 'endpoint<'
      WHEN bp IN (1433, 1521, 1883, 2049, 3128, 3306, 3389, 5060, 5432, 5672, 5900, 5985, 5986,
          6379, 6443, 6667, 8000, 8080, 8443, 8883, 9042, 9092, 9200, 9300, 11211, 27017)
        AND ap NOT IN (1433, 1521, 1883, 2049, 3128, 3306, 3389, 5060, 5432, 5672, 5900, 5985, 5986,
          6379, 6443, 6667, 8000, 8080, 8443, 8883, 9042, 9092, 9200, 9300, 11211, 27017)
        THEN 'registered>'
      WHEN ap IN (1433, 1521, 1883, 2049, 3128, 3306, 3389, 5060, 5432, 5672, 5900, 5985, 5986,
          6379, 6443, 6667, 8000, 8080, 8443, 8883, 9042, 9092, 9200, 9300, 11211, 27017)
        AND bp NOT IN (1433, 1521, 1883, 2049, 3128, 3306, 3389, 5060, 5432, 5672, 5900, 5985, 5986,
          6379, 6443, 6667, 8000, 8080, 8443, 8883, 9042, 9092, 9200, 9300, 11211, 27017)
        THEN 'registered<'
      WHEN s_ab < s_ba THEN 'time>'
      WHEN s_ba < s_ab THEN 'time<'
      WHEN bp < ap THEN 'higher>'
      WHEN ap < bp THEN 'higher<'
      WHEN way > 0 THEN 'direction>'
      WHEN way < 0 THEN 'direction<'
      ELSE 'private'
    END AS sign
  FROM connections c
  JOIN witnesses w ON w.pair = c.pair
  LEFT JOIN endpoints ea ON ea.address = w.a AND ea.port = c.ap
    AND ea.protocol = c.protocol AND ea.part = w.part
  LEFT JOIN endpoints eb ON eb.address = w.b AND eb.port = c.bp
    AND eb.protocol = c.protocol AND eb.part = w.part
),
decided AS (
  SELECT *,
    CASE WHEN sign = 'private' THEN
        regexp_like(a, '^(10\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.|f[cd])')
        OR NOT regexp_like(b, '^(10\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.|f[cd])')
      ELSE substr(sign, length(sign), 1) = '>' END AS up
  FROM judged
)
SELECT
  account_id,
  CASE WHEN recorder = '' THEN NULL ELSE recorder END AS interface_id,
  CASE WHEN up THEN a ELSE b END AS client,
  CASE WHEN up THEN b ELSE a END AS server,
  CASE WHEN up THEN ap ELSE bp END AS client_port,
  CASE WHEN up THEN bp ELSE ap END AS server_port,
  protocol,
  s AS first_seen,
  e AS last_seen,
  CAST(records AS BIGINT) AS records,
  CAST(rejected AS BIGINT) AS rejected,
  CAST(CASE WHEN up THEN packets_ab ELSE packets_ba END AS BIGINT) AS packets_out,
  CAST(CASE WHEN up THEN packets_ba ELSE packets_ab END AS BIGINT) AS packets_in,
  CAST(CASE WHEN up THEN bytes_ab ELSE bytes_ba END AS BIGINT) AS bytes_out,
  CAST(CASE WHEN up THEN bytes_ba ELSE bytes_ab END AS BIGINT) AS bytes_in,
  CASE WHEN up THEN flags_ab ELSE flags_ba END AS flags_out,
  CASE WHEN up THEN flags_ba ELSE flags_ab END AS flags_in,
  CASE WHEN sign = 'private' THEN sign ELSE substr(sign, 1, length(sign) - 1) END AS initiator
FROM decided
