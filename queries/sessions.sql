/* flowscan
id = "sessions"
title = "Connections: records stitched over windows and both directions"
description = """
One row per connection. Records of one five-tuple are one connection while they are no further
apart than AWS's own connection tracking keeps it (TCP 350 s, UDP 180 s, others 60 s). Both
directions are paired, what two interfaces recorded is counted once, and the outer leg of a NAT
gateway is dropped. The client is, in this order: who sent SYN without ACK (syn); the only side
that sent anything (only); the side without the one well-known port (port); of a tiny exchange,
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
WITH addresses AS (
  -- Small numbers instead of texts: grouping millions of rows by them costs a third.
  SELECT address, row_number() OVER (ORDER BY address) AS id
  FROM (
    SELECT COALESCE(pkt_srcaddr, srcaddr) AS address FROM flows
    WHERE "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
    UNION
    SELECT COALESCE(pkt_dstaddr, dstaddr) FROM flows
    WHERE "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
  ) seen
  WHERE address IS NOT NULL
),
recorders AS (
  -- Who wrote records, and for a NAT gateway its own address: the one that stands for
  -- public addresses at packet level.
  SELECT recorder, account_id, nat, row_number() OVER (ORDER BY recorder) AS id
  FROM (
    SELECT
      COALESCE(interface_id, tgw_attachment_id, resource_id, '') AS recorder,
      min(account_id) AS account_id,
      max(CASE
        WHEN pkt_dstaddr IS NULL OR pkt_dstaddr = dstaddr THEN NULL
        WHEN regexp_like(dstaddr, '^(10\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\.)')
          AND NOT regexp_like(pkt_dstaddr, '^(10\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\.)')
        THEN dstaddr END) AS nat
    FROM flows
    WHERE "start" >= /*$since*/ 0 AND "start" < /*$until*/ 4102444800
    GROUP BY 1
  ) wrote
),
directed AS (
  SELECT
    s.id AS src, d.id AS dst, r.id AS recorder,
    COALESCE(f.srcport, 0) AS srcport,
    COALESCE(f.dstport, 0) AS dstport,
    COALESCE(f.protocol, 0) AS protocol,
    CASE f.protocol WHEN 6 THEN 350 WHEN 17 THEN 180 ELSE 60 END AS gap,
    f."start" AS s, f."end" AS e, f.packets, f.bytes, f.tcp_flags,
    CASE WHEN f.action = 'REJECT' THEN 1 ELSE 0 END AS rejected,
    CASE f.flow_direction WHEN 'egress' THEN 1 WHEN 'ingress' THEN -1 ELSE 0 END AS way,
    s.id < d.id OR (s.id = d.id AND COALESCE(f.srcport, 0) <= COALESCE(f.dstport, 0)) AS up
  FROM flows f
  JOIN addresses s ON s.address = COALESCE(f.pkt_srcaddr, f.srcaddr)
  JOIN addresses d ON d.address = COALESCE(f.pkt_dstaddr, f.dstaddr)
  JOIN recorders r ON r.recorder = COALESCE(f.interface_id, f.tgw_attachment_id, f.resource_id, '')
  WHERE f."start" >= /*$since*/ 0 AND f."start" < /*$until*/ 4102444800
    AND (r.nat IS NULL OR NOT (
      (f.srcaddr = r.nat AND COALESCE(f.pkt_srcaddr, f.srcaddr) = r.nat)
      OR (f.dstaddr = r.nat AND COALESCE(f.pkt_dstaddr, f.dstaddr) = r.nat
        AND f.action = 'ACCEPT')))
),
slices AS (
  -- Records of one key that start in one slice of the gap's length are one connection; the
  -- lower end of a connection is a, the higher b.
  SELECT
    CASE WHEN up THEN src ELSE dst END AS a,
    CASE WHEN up THEN dst ELSE src END AS b,
    CASE WHEN up THEN srcport ELSE dstport END AS ap,
    CASE WHEN up THEN dstport ELSE srcport END AS bp,
    protocol,
    recorder,
    CASE WHEN /*$by_day*/ 0 = 1 THEN s - mod(s, 86400) ELSE 0 END AS part,
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
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
),
breaks AS (
  SELECT *,
    CASE WHEN s > gap + max(e) OVER (
      PARTITION BY a, ap, b, bp, protocol, part ORDER BY s, recorder, slice
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) THEN 1 ELSE 0 END AS fresh
  FROM slices
),
numbered AS (
  SELECT *,
    sum(fresh) OVER (
      PARTITION BY a, ap, b, bp, protocol, part ORDER BY s, recorder, slice
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS n
  FROM breaks
),
recorded AS (
  SELECT
    a, ap, b, bp, protocol, part, n, recorder,
    min(s) AS s, max(e) AS e, sum(records) AS records, sum(rejected) AS rejected,
    sum(way) AS way, min(s_ab) AS s_ab, min(s_ba) AS s_ba,
    sum(packets_ab) AS packets_ab, sum(packets_ba) AS packets_ba,
    sum(bytes_ab) AS bytes_ab, sum(bytes_ba) AS bytes_ba,
    bitwise_or_agg(flags_ab) AS flags_ab, bitwise_or_agg(flags_ba) AS flags_ba
  FROM numbered
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
),
connections AS (
  -- What several interfaces saw of one connection: the one that saw most counts.
  SELECT
    a, ap, b, bp, protocol,
    min(recorder) AS recorder,
    min(s) AS s, max(e) AS e, max(records) AS records, max(rejected) AS rejected,
    max(way) AS way, min(s_ab) AS s_ab, min(s_ba) AS s_ba,
    max(packets_ab) AS packets_ab, max(packets_ba) AS packets_ba,
    max(bytes_ab) AS bytes_ab, max(bytes_ba) AS bytes_ba,
    COALESCE(bitwise_or_agg(flags_ab), 0) AS flags_ab,
    COALESCE(bitwise_or_agg(flags_ba), 0) AS flags_ba
  FROM recorded
  GROUP BY a, ap, b, bp, protocol, part, n
),
endpoints AS (
  -- How many exchanges with payload an endpoint with an unprivileged port took part in.
  SELECT address, port, protocol, count(*) AS degree
  FROM (
    SELECT a AS address, ap AS port, protocol FROM connections
    WHERE ap >= 1024 AND bp >= 1024 AND packets_ab >= 1 AND packets_ba >= 1
      AND (protocol <> 6 OR (packets_ab >= 3 AND packets_ba >= 3))
      AND bitwise_and(flags_ab + flags_ba, 2) = 0
    UNION ALL
    SELECT b, bp, protocol FROM connections
    WHERE ap >= 1024 AND bp >= 1024 AND packets_ab >= 1 AND packets_ba >= 1
      AND (protocol <> 6 OR (packets_ab >= 3 AND packets_ba >= 3))
      AND bitwise_and(flags_ab + flags_ba, 2) = 0
  ) exchanged
  GROUP BY 1, 2, 3
  HAVING count(*) >= 3
),
judged AS (
  -- up is true when a is the client; why says which of the signs decided.
  SELECT c.*,
    CASE
      WHEN bitwise_and(flags_ab, 18) = 2 AND bitwise_and(flags_ba, 18) <> 2 THEN 'syn>'
      WHEN bitwise_and(flags_ba, 18) = 2 AND bitwise_and(flags_ab, 18) <> 2 THEN 'syn<'
      WHEN bitwise_and(flags_ba, 18) = 18 AND bitwise_and(flags_ab, 18) <> 18 THEN 'syn>'
      WHEN bitwise_and(flags_ab, 18) = 18 AND bitwise_and(flags_ba, 18) <> 18 THEN 'syn<'
      WHEN packets_ba = 0 AND rejected = 0 AND ap BETWEEN 1 AND 1023 AND bp >= 1024 THEN 'only<'
      WHEN packets_ab = 0 AND rejected = 0 AND bp BETWEEN 1 AND 1023 AND ap >= 1024 THEN 'only>'
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
  LEFT JOIN endpoints ea ON ea.address = c.a AND ea.port = c.ap AND ea.protocol = c.protocol
  LEFT JOIN endpoints eb ON eb.address = c.b AND eb.port = c.bp AND eb.protocol = c.protocol
),
decided AS (
  SELECT j.*, na.address AS a_address, nb.address AS b_address, r.recorder AS interface,
    r.account_id,
    CASE WHEN sign = 'private' THEN
        regexp_like(na.address, '^(10\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.|fd)')
        OR NOT regexp_like(nb.address, '^(10\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.|fd)')
      ELSE substr(sign, length(sign), 1) = '>' END AS up
  FROM judged j
  JOIN addresses na ON na.id = j.a
  JOIN addresses nb ON nb.id = j.b
  JOIN recorders r ON r.id = j.recorder
)
SELECT
  account_id,
  CASE WHEN interface = '' THEN NULL ELSE interface END AS interface_id,
  CASE WHEN up THEN a_address ELSE b_address END AS client,
  CASE WHEN up THEN b_address ELSE a_address END AS server,
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
