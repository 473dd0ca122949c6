/* flowscan
id = "evidence"
title = "Connections with what speaks for each end as the caller"
description = """
The first rows of `connections` that are told under these ends (a NAT gateway's outer leg is not,
but what nobody behind it asked for is). own_score adds up independent evidence in units of log-odds,
positive when a is the client, from what is known until the end of the period in which the
connection began; strongest names what weighs most. stranger is 1 when a is public
and b ours, -1 when it is the other way. What the five-tuple did before is not in it.
"""
columns = ["k", "m", "s", "e", "began", "last", "records", "rejected", "net_packets_ab",
  "net_packets_ba", "net_bytes_ab", "net_bytes_ba", "refused_ab", "refused_ba",
  "refused_bytes_ab", "refused_bytes_ba", "flags", "path", "run", "turn", "again", "told",
  "stranger", "kept", "own_score", "strongest"]

[params.period]
help = "seconds of the period in which a connection tells who called"
*/
WITH known AS (
  SELECT c.*, p.a_side, p.b_side,
    CASE WHEN c.flags IS NULL THEN 0 ELSE 1 END AS flagged,
    bitwise_and(COALESCE(c.flags, 0), 255) AS flags_ab,
    bitwise_and(COALESCE(c.flags, 0), 65280) / 256 AS flags_ba,
    -- Where flags tell who called, nothing is looked up.
    CASE WHEN c.told = 0 AND c.kept = 0
      THEN ((p.a_n * 65536 + c.ap) * 256 + c.protocol) * 128 + mod(c.began, 86400) / /*$period*/ 900 END AS a_key,
    CASE WHEN c.told = 0 AND c.kept = 0
      THEN ((p.b_n * 65536 + c.bp) * 256 + c.protocol) * 128 + mod(c.began, 86400) / /*$period*/ 900 END AS b_key,
    CASE WHEN ap IN /*$ports.served*/ (7, 21, 22, 23, 25, 53, 67, 69, 80, 88, 110, 111, 123, 135,
      137, 138, 139, 143, 161, 162, 179, 389, 443, 445, 465, 500, 514, 515, 546, 547, 554, 587, 623,
      631, 636, 853, 873, 993, 995, 1080, 1194, 1433, 1434, 1521, 1701, 1723, 1812, 1883, 1900,
      2049, 2181, 2222, 2375, 2376, 2379, 2380, 3000, 3128, 3268, 3306, 3389, 3478, 4317, 4500,
      5000, 5044, 5060, 5061, 5353, 5432, 5601, 5671, 5672, 5683, 5900, 5985, 5986, 6379, 6443,
      6514, 6667, 8000, 8080, 8081, 8086, 8125, 8443, 8500, 8883, 8888, 9000, 9042, 9090, 9092,
      9093, 9100, 9200, 9300, 9443, 10250, 11211, 15672, 20048, 27017, 50051, 51820, 61616) THEN 2.0E0 WHEN ap BETWEEN /*$ports.well_known*/ 1 AND 1023 THEN 1.0E0 ELSE 0.0E0 END AS a_known,
    CASE WHEN bp IN /*$ports.served*/ (7, 21, 22, 23, 25, 53, 67, 69, 80, 88, 110, 111, 123, 135,
      137, 138, 139, 143, 161, 162, 179, 389, 443, 445, 465, 500, 514, 515, 546, 547, 554, 587, 623,
      631, 636, 853, 873, 993, 995, 1080, 1194, 1433, 1434, 1521, 1701, 1723, 1812, 1883, 1900,
      2049, 2181, 2222, 2375, 2376, 2379, 2380, 3000, 3128, 3268, 3306, 3389, 3478, 4317, 4500,
      5000, 5044, 5060, 5061, 5353, 5432, 5601, 5671, 5672, 5683, 5900, 5985, 5986, 6379, 6443,
      6514, 6667, 8000, 8080, 8081, 8086, 8125, 8443, 8500, 8883, 8888, 9000, 9042, 9090, 9092,
      9093, 9100, 9200, 9300, 9443, 10250, 11211, 15672, 20048, 27017, 50051, 51820, 61616) THEN 2.0E0 WHEN bp BETWEEN /*$ports.well_known*/ 1 AND 1023 THEN 1.0E0 ELSE 0.0E0 END AS b_known,
    CASE WHEN p.a_side = 'public' AND p.b_side = 'ours' THEN 1
      WHEN p.b_side = 'public' AND p.a_side = 'ours' THEN -1 ELSE 0 END AS stranger,
    CASE WHEN c.packets_ab + c.refused_ab = 0 THEN -1 WHEN c.packets_ba + c.refused_ba = 0 THEN 1
      ELSE 0 END AS lone
  FROM (
    SELECT k, m, s, e, began, last, records, rejected, run, turn, again, told, kept, first, shape,
      tries, flags, path, packets_ab AS net_packets_ab, packets_ba AS net_packets_ba,
      bytes_ab AS net_bytes_ab, bytes_ba AS net_bytes_ba,
      greatest(packets_ab, 0.0E0) AS packets_ab, greatest(packets_ba, 0.0E0) AS packets_ba,
      greatest(bytes_ab, 0.0E0) AS bytes_ab, greatest(bytes_ba, 0.0E0) AS bytes_ba,
      refused_ab, refused_ba, refused_bytes_ab, refused_bytes_ba, mod(k, 65536) AS ap,
      (m - mod(m, 256)) / 256 AS bp, mod(m, 256) AS protocol,
      (k - mod(k, 65536)) / 65536 AS pair
    FROM connections
    WHERE late = 0
  ) c
  JOIN pairs p ON p.pair = c.pair
  WHERE c.kept > 0 OR NOT (p.leg = 2 OR (p.leg = 1
    AND CASE WHEN p.gateway > 0 THEN c.packets_ab + c.refused_ab ELSE c.packets_ba + c.refused_ba END
      > 0))
),
seen AS (
  SELECT k.*,
    COALESCE(ea.open, CASE WHEN k.shape = 'open' THEN 1 ELSE 0 END) AS a_open,
    COALESCE(eb.open, CASE WHEN k.shape = 'open' THEN 1 ELSE 0 END) AS b_open,
    COALESCE(ea.served, 0) AS a_served, COALESCE(eb.served, 0) AS b_served,
    COALESCE(eb.weight, 1.7E0 * ln(CASE WHEN k.shape = 'open' THEN 1.5E0 ELSE 0.5E0 END))
      - COALESCE(ea.weight, 1.7E0 * ln(CASE WHEN k.shape = 'open' THEN 1.5E0 ELSE 0.5E0 END))
      + CASE WHEN eb.peers > COALESCE(ea.peers, 1) AND eb.open > 1 THEN 1.5E0
        WHEN ea.peers > COALESCE(eb.peers, 1) AND ea.open > 1 THEN -1.5E0 ELSE 0.0E0 END AS service,
    CASE WHEN k.protocol IN (6, 17, 132) THEN 0.0E0 ELSE
      1.7E0 * ln((COALESCE(ea.open, CASE WHEN k.shape = 'open' THEN 1 ELSE 0 END) + 0.5E0)
        / (COALESCE(eb.open, CASE WHEN k.shape = 'open' THEN 1 ELSE 0 END) + 0.5E0)) END AS ping,
    -- Of ours only what it alone sent speaks: a stranger can make equal packets.
    CASE WHEN ea.scans > CASE WHEN k.stranger < 0 THEN 1 ELSE 0 END
      AND (k.stranger > -1 OR k.a_known = 0) THEN 1 ELSE 0 END AS a_scans,
    CASE WHEN eb.scans > CASE WHEN k.stranger > 0 THEN 1 ELSE 0 END
      AND (k.stranger < 1 OR k.b_known = 0) THEN 1 ELSE 0 END AS b_scans,
    COALESCE(ea.answered, 0) AS a_answered, COALESCE(eb.answered, 0) AS b_answered,
    COALESCE(ea.answers, 0) AS a_answers, COALESCE(eb.answers, 0) AS b_answers,
    COALESCE(ea.pings, 0) AS a_pings, COALESCE(eb.pings, 0) AS b_pings
  FROM known k
  LEFT JOIN endpoints ea ON ea.key = k.a_key
  LEFT JOIN endpoints eb ON eb.key = k.b_key
),
weighed AS (
  -- Positive when a is the client. Units are log-odds, as far as they were measured.
  SELECT *,
    CASE
      WHEN told <> 0 THEN told * 20.0E0
      WHEN flagged = 0 OR protocol <> 6 OR turn > 0 THEN 0.0E0
      -- A SYN-ACK or a reset without anything before: ours answers, a stranger's is unasked.
      WHEN lone = 1 AND (bitwise_and(flags_ab, 18) = 18 OR bitwise_and(flags_ab, 4) = 4)
        THEN CASE WHEN a_side = 'ours' THEN -12.0E0 ELSE 12.0E0 END
      WHEN lone = -1 AND (bitwise_and(flags_ba, 18) = 18 OR bitwise_and(flags_ba, 4) = 4)
        THEN CASE WHEN b_side = 'ours' THEN 12.0E0 ELSE -12.0E0 END
      WHEN bitwise_and(flags_ab, 18) = 18 AND bitwise_and(flags_ba, 18) = 0
        THEN CASE WHEN packets_ba >= 3 AND bytes_ba > 40 * packets_ba OR a_side = 'ours' THEN -12.0E0
          ELSE 12.0E0 END
      WHEN bitwise_and(flags_ba, 18) = 18 AND bitwise_and(flags_ab, 18) = 0
        THEN CASE WHEN packets_ab >= 3 AND bytes_ab > 40 * packets_ab OR b_side = 'ours' THEN 12.0E0
          ELSE -12.0E0 END
      ELSE 0.0E0
    END AS w_syn,
    CASE
      WHEN lone = 0 THEN 0.0E0
      WHEN protocol NOT IN (6, 17, 132) THEN lone * 4.0E0
      -- A late answer of ours: from a port that serves to one that does not. A stranger's late
      -- answer goes on with a five-tuple, which w_before tells.
      WHEN lone = 1 AND bp >= /*$ports.first_user*/ 1024 AND b_known < a_known AND a_scans = 0
        AND a_side = 'ours' THEN -4.0E0
      WHEN lone = -1 AND ap >= /*$ports.first_user*/ 1024 AND a_known < b_known AND b_scans = 0
        AND b_side = 'ours' THEN 4.0E0
      WHEN lone = 1 AND a_open >= 3 AND a_open > b_open AND a_side = 'ours' THEN -4.0E0
      WHEN lone = -1 AND b_open >= 3 AND b_open > a_open AND b_side = 'ours' THEN 4.0E0
      -- Of ours to a stranger, without flags: bare packets are resets or bare SYNs.
      WHEN lone * stranger = -1 AND lone = 1 AND protocol = 6 AND flagged = 0
        AND bytes_ab + refused_bytes_ab <= 40 * (packets_ab + refused_ab)
        THEN CASE WHEN b_answered = 2 THEN -4.0E0
          WHEN b_known > 0 OR b_answered = 1 THEN 4.0E0 ELSE 0.5E0 END
      WHEN lone * stranger = -1 AND lone = -1 AND protocol = 6 AND flagged = 0
        AND bytes_ba + refused_bytes_ba <= 40 * (packets_ba + refused_ba)
        THEN CASE WHEN a_answered = 2 THEN 4.0E0
          WHEN a_known > 0 OR a_answered = 1 THEN -4.0E0 ELSE -0.5E0 END
      WHEN lone * stranger = -1 AND lone = 1 AND a_answers = 1
        AND (protocol = 17 OR bytes_ab > 66 * packets_ab) THEN -4.0E0
      WHEN lone * stranger = -1 AND lone = -1 AND b_answers = 1
        AND (protocol = 17 OR bytes_ba > 66 * packets_ba) THEN 4.0E0
      ELSE lone * 4.0E0
    END AS w_only,
    CASE WHEN shape <> 'blocked' THEN 0.0E0 WHEN packets_ab > 0 THEN 4.0E0 ELSE -4.0E0 END
      AS w_answer,
    CASE
      WHEN protocol <> 6 OR shape <> 'tiny' THEN 0.0E0
      WHEN tries = 1 AND b_scans = 0 THEN 6.0E0
      WHEN tries = -1 AND a_scans = 0 THEN -6.0E0
      -- SYN, SYN-ACK, RST: who scans sends two; a flood's SYN is answered again and again.
      WHEN packets_ab >= 3 * packets_ba AND packets_ab >= 3
        THEN CASE WHEN stranger < 1 THEN -2.0E0 ELSE 0.0E0 END
      WHEN packets_ba >= 3 * packets_ab AND packets_ba >= 3
        THEN CASE WHEN stranger > -1 THEN 2.0E0 ELSE 0.0E0 END
      -- Two of ours may be SYN-ACKs, but with fewer bytes one of them is a reset.
      WHEN packets_ab = 2 AND packets_ba = 1 AND (stranger > -1 OR bytes_ab < 88) THEN 1.5E0
      WHEN packets_ba = 2 AND packets_ab = 1 AND (stranger < 1 OR bytes_ba < 88) THEN -1.5E0
      WHEN bytes_ab <= 40 * packets_ab AND bytes_ba <= 40 * packets_ba THEN 1.2E0 * stranger
      ELSE 0.0E0
    END AS w_size,
    CASE WHEN lone <> 0 THEN 0.0E0
      -- A stranger of several of our hosts who got no answer at times pings.
      WHEN protocol NOT IN (6, 17, 132) AND stranger = 1 AND a_pings = 1 THEN 3.0E0
      WHEN protocol NOT IN (6, 17, 132) AND stranger = -1 AND b_pings = 1 THEN -3.0E0
      -- Whoever pings is the one that pings many.
      WHEN protocol NOT IN (6, 17, 132)
        THEN CASE WHEN ping > 4 THEN 4.0E0 WHEN ping < -4 THEN -4.0E0 ELSE ping END
      -- Against a known port of ours no port of a stranger's weighs as much.
      WHEN stranger = 1 AND b_known > a_known AND service < -3 THEN -3.0E0
      WHEN stranger = -1 AND a_known > b_known AND service > 3 THEN 3.0E0
      WHEN service > 6 THEN 6.0E0
      WHEN service < -6 THEN -6.0E0
      ELSE service END AS w_endpoint,
    CASE
      WHEN lone <> 0 THEN 0.0E0
      -- Active FTP: the server calls from its port 20.
      WHEN protocol = 6 AND ap = 20 AND bp >= /*$ports.first_user*/ 1024 THEN 3.0E0
      WHEN protocol = 6 AND bp = 20 AND ap >= /*$ports.first_user*/ 1024 THEN -3.0E0
      -- A port that a stranger chose is no service of his while no payload went over.
      WHEN b_known > a_known AND b_scans = 0 AND (stranger < 1 OR b_open + b_served > 0)
        AND (stranger > -1 OR shape = 'open' OR b_side = 'ours')
        THEN 1.5E0 * (b_known - a_known)
      WHEN a_known > b_known AND a_scans = 0 AND (stranger > -1 OR a_open + a_served > 0)
        AND (stranger < 1 OR shape = 'open' OR a_side = 'ours')
        THEN -1.5E0 * (a_known - b_known)
      ELSE 0.0E0
    END AS w_port,
    CASE
      WHEN lone <> 0 OR (shape = 'tiny' AND stranger <> 0) THEN 0.0E0
      WHEN ap >= /*$ports.first_dynamic*/ 32768 AND bp < /*$ports.first_dynamic*/ 32768 THEN 1.5E0
      WHEN bp >= /*$ports.first_dynamic*/ 32768 AND ap < /*$ports.first_dynamic*/ 32768 THEN -1.5E0
      -- Between two dynamic ports a long exchange is rather called from inside.
      WHEN ap >= /*$ports.first_dynamic*/ 32768 AND bp >= /*$ports.first_dynamic*/ 32768 AND stranger <> 0
        AND packets_ab >= 20 AND packets_ba >= 20 THEN -1.5E0 * stranger
      WHEN ap > bp THEN 0.3E0
      WHEN bp > ap THEN -0.3E0
      ELSE 0.0E0
    END AS w_dynamic,
    CASE WHEN a_scans = b_scans THEN 0.0E0 WHEN a_scans = 1 THEN 7.0E0 ELSE -7.0E0 END AS w_scan,
    CASE WHEN lone <> 0 THEN 0.0E0 ELSE 2.5E0 * first END
      AS w_time
  FROM seen
)
SELECT k, m, s, e, began, last, records, rejected, net_packets_ab, net_packets_ba, net_bytes_ab,
  net_bytes_ba, refused_ab, refused_ba, refused_bytes_ab, refused_bytes_ba, flags, path, run, turn,
  again, told, stranger, kept,
  w_syn + w_only + w_answer + w_size + w_endpoint + w_port + w_dynamic + w_scan + w_time
    AS own_score,
  CASE
    WHEN w_syn <> 0 THEN 'syn'
    WHEN w_scan <> 0 THEN 'scan'
    WHEN w_only <> 0 THEN 'only'
    WHEN w_answer <> 0 THEN 'answer'
    WHEN abs(w_size) > abs(w_endpoint) AND abs(w_size) > abs(w_port) THEN 'size'
    WHEN abs(w_endpoint) >= abs(w_port) AND abs(w_endpoint) >= abs(w_time)
      AND abs(w_endpoint) >= abs(w_dynamic) THEN 'endpoint'
    WHEN abs(w_port) >= abs(w_time) AND abs(w_port) >= abs(w_dynamic) THEN 'port'
    WHEN abs(w_time) >= abs(w_dynamic) THEN 'time'
    ELSE 'dynamic'
  END AS strongest
FROM weighed
