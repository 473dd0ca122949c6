"""The SQL of a match: contacts of the days that touch a listed address, ranked.

Run by the engine over the tables of traffic and three more. `listed`: text (as traffic writes
it), address (canonical). `owners`: address, feed, category, confidence, indicator. `days`: day,
part (true where the window holds only some hours of it). Who called, which side is ours and what
counts once is traffic's to say; nothing here looks at ports or flags.
"""

from __future__ import annotations

from typing import Final

DISTINCT: Final = """
SELECT client AS text FROM contacts WHERE day IN (SELECT day FROM days)
UNION
SELECT server FROM contacts WHERE day IN (SELECT day FROM days)
"""
"""Distinct addresses of the days."""

MET: Final = """
CREATE OR REPLACE TEMP TABLE met AS
SELECT l.address, true AS theirs, c.server AS local_address, c.client_side AS listed_side,
  c.server_side AS local_side, days.part, c.*
FROM contacts c JOIN listed l ON l.text = c.client JOIN days ON days.day = c.day
UNION ALL
SELECT l.address, false, c.client, c.server_side, c.client_side, days.part, c.*
FROM contacts c JOIN listed l ON l.text = c.server JOIN days ON days.day = c.day
"""
"""Contacts of a listed address, with the whole day's outcome; `theirs`: it is the client."""

NARROW: Final = """
CREATE OR REPLACE TEMP TABLE met AS
SELECT * FROM met WHERE NOT part
UNION ALL
SELECT met.* REPLACE (
  v.records AS records, v.rejected AS rejected, v.packets_out AS packets_out,
  v.packets_in AS packets_in, v.bytes_out AS bytes_out, v.bytes_in AS bytes_in,
  v.packets AS packets, v.bytes AS bytes, v.first_seen AS first_seen, v.last_seen AS last_seen)
FROM met JOIN (
  SELECT day, client, server, port, protocol,
    sum(records) AS records, sum(rejected) AS rejected, sum(packets_out) AS packets_out,
    sum(packets_in) AS packets_in, sum(bytes_out) AS bytes_out, sum(bytes_in) AS bytes_in,
    sum(packets_out + packets_in + refused_packets) AS packets,
    sum(bytes_out + bytes_in + refused_bytes) AS bytes,
    min(first_seen) AS first_seen, max(last_seen) AS last_seen
  FROM volumes
  WHERE day IN (SELECT day FROM days WHERE part)
    AND (client IN (SELECT text FROM listed) OR server IN (SELECT text FROM listed))
  GROUP BY ALL
) v USING (day, client, server, port, protocol)
WHERE met.part
"""
"""Of days that the window holds in part, what was recorded in its hours."""

MATCHES: Final = """
WITH told AS (
  SELECT *,
    packets_out + packets_in AS accepted_packets,
    CASE
      WHEN listed_side = 'ours' THEN 'own'
      WHEN undecided = sessions OR (NOT theirs AND local_side <> 'ours') THEN 'undecided'
      WHEN theirs THEN 'inbound'
      ELSE 'outbound'
    END AS direction,
    CASE WHEN undecided < sessions THEN "open" + empty > 0
      ELSE packets_out > 0 AND packets_in > 0 AND (protocol <> 6
        OR bytes_out > (66 + six) * packets_out OR bytes_in > (66 + six) * packets_in)
    END AS answered
  FROM (
    -- The header of IPv6 is 20 bytes longer.
    SELECT *, CASE WHEN strpos(server, ':') > 0 THEN 20 ELSE 0 END AS six FROM met
  ) headed
), parts AS (
  -- What was refused at one end only stands in records of both kinds: its packets were refused.
  SELECT *, 'ACCEPT' AS action, accepted_packets AS n, bytes_out + bytes_in AS size,
    CASE WHEN theirs = (listed_side = 'ours') THEN bytes_out ELSE bytes_in END AS ours,
    records - rejected AS counted
  FROM told WHERE accepted_packets > 0 OR rejected = 0
  UNION ALL
  SELECT *, 'REJECT', packets - accepted_packets, bytes - bytes_out - bytes_in, 0,
    CASE WHEN accepted_packets > 0 THEN rejected ELSE records END
  FROM told WHERE rejected > 0
)
SELECT
  CASE
    WHEN action = 'REJECT' THEN CASE direction WHEN 'outbound' THEN 5 ELSE 6 END
    WHEN direction = 'own' THEN 4
    WHEN direction = 'outbound' THEN CASE WHEN answered THEN 1 ELSE 5 END
    WHEN answered THEN 2
    ELSE 3
  END AS rank,
  address, feed, category, confidence, indicator, direction, local_address, account_id,
  interface_id, protocol, CASE WHEN protocol IN (6, 17, 132) THEN port END AS port, action,
  strftime(make_timestamp(day * 1000000), '%Y-%m-%d') AS "date",
  CAST(sum(counted) AS BIGINT) AS flows,
  CAST(sum(n) AS BIGINT) AS packets,
  CAST(sum(size) AS BIGINT) AS bytes,
  CAST(sum(ours) AS BIGINT) AS bytes_out,
  min(first_seen) AS first_seen,
  max(last_seen) AS last_seen
FROM parts JOIN owners USING (address)
GROUP BY ALL
"""
"""Rows of `matches`: what was accepted and what was refused of a contact stand apart."""

FLOWS: Final = "SELECT CAST(coalesce(sum(records), 0) AS BIGINT) AS flows FROM met"
