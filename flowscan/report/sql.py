"""The SQL of the report: what it asks of the tables that it has made, which are in `folds`.

Each constant is trusted text with parameters ($name); no value is ever spliced in. Invariants: the
text means the same to DuckDB and to Trino, so a report is made on either; nothing here decides who
called, whose an address is or which packet counts, the tables of traffic say so, and flows are not
read.
"""

from __future__ import annotations

from typing import Final

from flowscan.net.ports import SENSITIVE
from flowscan.net.sql import values
from flowscan.report.folds import OTHER_HOURS, WHOLE_DAYS

SELECT_HOSTS = """
SELECT interface_id, max(main_address) AS host, max(CASE WHEN gateway = 1 THEN 1 ELSE 0 END) AS nat
FROM report_hosts GROUP BY interface_id ORDER BY interface_id
"""

RECORDS = """
SELECT t >= $since AS current, CAST(sum(flows) AS BIGINT) AS flows,
       CAST(sum(rejected) AS BIGINT) AS rejected, count(DISTINCT interface_id) AS interfaces
FROM report_hours WHERE t >= $before AND t < $until GROUP BY 1
"""

BYTES = """
SELECT t >= $since AS current, CAST(sum(packets) AS BIGINT) AS packets,
       CAST(sum(bytes) AS BIGINT) AS bytes,
       CAST(sum(refused_packets) AS BIGINT) AS refused_packets,
       CAST(sum(refused_bytes) AS BIGINT) AS refused_bytes
FROM report_bytes WHERE t >= $before AND t < $until GROUP BY 1
"""

PARTIES = """
WITH sides AS (
    SELECT DISTINCT client AS address, client_side AS side FROM report_pairs
    UNION SELECT DISTINCT server, server_side FROM report_pairs
)
SELECT count(*) FILTER (WHERE side = 'ours') AS local_addresses,
       count(*) FILTER (WHERE side = 'public') AS public_addresses
FROM (SELECT DISTINCT address, side FROM sides) AS a
"""

# Between ours and the internet, whoever called.
INTERNET = """
SELECT CAST(coalesce(sum(CASE WHEN client_side = 'ours' THEN bytes_out ELSE bytes_in END), 0)
           AS BIGINT) AS bytes_out,
       CAST(coalesce(sum(CASE WHEN client_side = 'ours' THEN bytes_in ELSE bytes_out END), 0)
           AS BIGINT) AS bytes_in
FROM report_pairs
WHERE outside AND (client_side = 'ours' OR server_side = 'ours')
"""

UNDECIDED = """
SELECT CAST(coalesce(sum(sessions), 0) AS BIGINT) AS sessions,
       CAST(coalesce(sum(bytes), 0) AS BIGINT) AS bytes
FROM report_undecided WHERE t >= $since AND t < $until
"""

TIMELINE = """
SELECT t - t % $step AS t, CAST(sum(accepted) AS BIGINT) AS accepted,
       CAST(sum(rejected) AS BIGINT) AS rejected, CAST(sum(bytes) AS BIGINT) AS bytes
FROM (
    SELECT t, flows - rejected AS accepted, rejected, 0 AS bytes FROM report_hours
    WHERE t >= $since AND t < $until
    UNION ALL SELECT t, 0, 0, bytes FROM report_bytes WHERE t >= $since AND t < $until
) AS a GROUP BY 1 ORDER BY 1
"""

HEAT = """
SELECT (t / 86400 + 3) % 7 AS weekday, t % 86400 / 3600 AS hour,
       count(DISTINCT t) AS hours, CAST(sum(flows) AS BIGINT) AS flows,
       CAST(sum(rejected) AS BIGINT) AS rejected
FROM report_hours WHERE t >= $since AND t < $until GROUP BY 1, 2 ORDER BY 1, 2
"""

REJECTED_PORTS = f"""
WITH top AS (
    SELECT protocol, port, CAST(sum(flows) AS BIGINT) AS flows,
           CAST(sum(packets) AS BIGINT) AS packets, min(first_seen) AS first_seen,
           max(last_seen) AS last_seen
    FROM (
        SELECT * FROM report_refused WHERE {WHOLE_DAYS}
        UNION ALL
        SELECT day, protocol, port, rejected, refused_packets, first_seen, last_seen
        FROM volumes WHERE rejected > 0 AND {OTHER_HOURS}
    ) AS a
    GROUP BY protocol, port ORDER BY flows DESC, protocol, port LIMIT $top
), ends AS (
    SELECT r.protocol, r.port, count(DISTINCT r.client) AS sources,
           count(DISTINCT r.server) AS targets
    FROM report_rejected AS r JOIN top AS t ON t.protocol = r.protocol AND t.port = r.port
    GROUP BY r.protocol, r.port
)
SELECT t.*, e.sources, e.targets
FROM top AS t JOIN ends AS e ON e.protocol = t.protocol AND e.port = t.port
ORDER BY t.flows DESC, t.protocol, t.port
"""

# The three busiest sources of each of these ports.
REJECTED_PORT_SOURCES = """
WITH top AS (
    SELECT protocol, port, sum(flows) AS flows FROM report_rejected GROUP BY protocol, port
    ORDER BY flows DESC, protocol, port LIMIT $top
), per_source AS (
    SELECT r.protocol, r.port, r.client, CAST(sum(r.flows) AS BIGINT) AS flows,
           row_number() OVER (
               PARTITION BY r.protocol, r.port ORDER BY sum(r.flows) DESC, r.client) AS place
    FROM report_rejected AS r JOIN top AS t ON t.protocol = r.protocol AND t.port = r.port
    GROUP BY r.protocol, r.port, r.client
)
SELECT protocol, port, client, flows FROM per_source
WHERE place <= 3 ORDER BY protocol, port, place
"""

REJECTED_SOURCES = """
WITH top AS (
    SELECT client, max(client_side) AS side, CAST(sum(flows) AS BIGINT) AS flows
    FROM report_rejected GROUP BY client ORDER BY flows DESC, client LIMIT $top
), busiest AS (
    SELECT r.client, max(t.side) AS side, max(t.flows) AS flows,
           count(DISTINCT (r.protocol, r.port)) AS ports, count(DISTINCT r.server) AS targets
    FROM report_rejected AS r JOIN top AS t ON t.client = r.client
    GROUP BY r.client
), through AS (
    SELECT p.client, sum(p.records - p.rejected) AS accepted
    FROM report_pairs AS p JOIN top AS t ON t.client = p.client GROUP BY p.client
)
SELECT b.client, b.side, b.flows, b.ports, b.targets,
       CAST(coalesce(p.accepted, 0) AS BIGINT) AS accepted
FROM busiest AS b LEFT JOIN through AS p ON p.client = b.client
ORDER BY b.flows DESC, b.client
"""

TALKER_PARTS: Final = 36
"""Rows of `report_pairs` that one direction can have: two callers, three sides each, in and out."""

# What one address sent another, whichever of the two called. The many need not be summed: of the
# largest `$top * $parts` rows at least `$top` are of different directions, so one of the busiest
# has a row that is the `$parts`th part of the least of these.
TALKERS = """
WITH sent AS (
    SELECT client AS source, server AS destination, sessions, records - rejected AS records,
           packets_out AS packets, bytes_out AS bytes FROM report_pairs
    UNION ALL
    SELECT server, client, sessions, records - rejected, packets_in, bytes_in FROM report_pairs
), busiest AS (
    SELECT bytes FROM sent ORDER BY bytes DESC LIMIT $rows
), candidates AS (
    SELECT DISTINCT source, destination FROM sent
    WHERE bytes > 0 AND bytes * $parts >= (SELECT min(bytes) FROM busiest)
)
SELECT s.source, s.destination, CAST(sum(s.sessions) AS BIGINT) AS sessions,
       CAST(sum(s.records) AS BIGINT) AS records, CAST(sum(s.packets) AS BIGINT) AS packets,
       CAST(sum(s.bytes) AS BIGINT) AS bytes
FROM sent AS s
JOIN candidates AS c ON c.source = s.source AND c.destination = s.destination
GROUP BY s.source, s.destination
ORDER BY bytes DESC, s.source, s.destination LIMIT $top
"""

# Only what answered with a handshake or payload is exposed; a NAT gateway drops what it accepts.
EXPOSURE = f"""
SELECT server, port, protocol, max(interface_id) AS interface_id,
       count(DISTINCT client) AS callers, CAST(sum(answered) AS BIGINT) AS sessions,
       CAST(sum(bytes_out) AS BIGINT) AS bytes, min(first_seen) AS first_seen,
       max(last_seen) AS last_seen
FROM report_reached
WHERE answered > 0 AND protocol IN (6, 17, 132)
  AND server NOT IN (SELECT address FROM report_hosts WHERE gateway = 1)
GROUP BY server, port, protocol
ORDER BY port IN {values(SENSITIVE)} DESC, callers DESC, sessions DESC, server, protocol, port
"""

PROBED = """
SELECT CAST(coalesce(sum(failed), 0) AS BIGINT) AS probed FROM report_reached
"""

# Our busiest hosts, and the rest in groups.
LINKS = """
WITH names AS (SELECT address, host FROM report_hosts WHERE turn = 1), once AS (
    SELECT coalesce(c.host, CASE WHEN p.client_side <> 'public' THEN $other
                                 WHEN p.outside THEN $public ELSE $endpoint END) AS caller,
           coalesce(s.host, CASE WHEN p.server_side <> 'public' THEN $other
                                 WHEN p.outside THEN $public ELSE $endpoint END) AS called,
           p.records, p.rejected, p.bytes_out, p.bytes_in
    FROM report_pairs AS p
    LEFT JOIN names AS c ON c.address = p.client
    LEFT JOIN names AS s ON s.address = p.server
), sent AS (
    SELECT caller AS source, called AS destination, records, rejected, bytes_out AS bytes FROM once
    UNION ALL SELECT called, caller, 0, 0, bytes_in FROM once WHERE bytes_in > 0
), links AS (
    SELECT source, destination, sum(records) AS flows, sum(bytes) AS bytes,
           sum(rejected) AS rejected
    FROM sent GROUP BY 1, 2
), shown AS (
    SELECT host FROM (
        SELECT source AS host, bytes + flows AS weight FROM links
        UNION ALL SELECT destination, bytes + flows FROM links) AS w
    WHERE host NOT IN ($other, $public, $endpoint)
    GROUP BY host ORDER BY sum(weight) DESC, host LIMIT $groups
), folded AS (
    SELECT CASE WHEN a.host IS NOT NULL OR l.source IN ($public, $endpoint) THEN l.source
                ELSE $other END AS source,
           CASE WHEN b.host IS NOT NULL OR l.destination IN ($public, $endpoint)
                THEN l.destination ELSE $other END AS destination,
           l.flows, l.bytes, l.rejected
    FROM links AS l
    LEFT JOIN shown AS a ON a.host = l.source
    LEFT JOIN shown AS b ON b.host = l.destination
)
SELECT source, destination, CAST(sum(flows) AS BIGINT) AS flows,
       CAST(sum(bytes) AS BIGINT) AS bytes, CAST(sum(rejected) AS BIGINT) AS rejected
FROM folded GROUP BY 1, 2
"""

PUBLIC = """
SELECT address, CAST(sum(records) AS BIGINT) AS flows, CAST(sum(rejected) AS BIGINT) AS rejected,
       CAST(sum(bytes) AS BIGINT) AS bytes
FROM (
    SELECT client AS address, records, rejected, bytes_out + bytes_in AS bytes
    FROM report_pairs WHERE client_side = 'public'
    UNION ALL SELECT server, records, rejected, bytes_out + bytes_in
    FROM report_pairs WHERE server_side = 'public'
) AS a GROUP BY address ORDER BY flows DESC, address LIMIT $top
"""

# Of the interfaces with most records; `interfaces` says how many there are.
COVERAGE = """
WITH words AS (
    SELECT interface_id, t, flows, 0 AS nodata, 0 AS skipdata, t AS first_seen, t AS last_seen
    FROM report_hours WHERE t >= $since AND t < $until
    UNION ALL
    SELECT interface_id, t, 0, nodata, skipdata, first_seen, last_seen
    FROM report_covered WHERE t >= $since AND t < $until
), busiest AS (
    SELECT interface_id, CAST(sum(flows) AS BIGINT) AS flows, count(*) OVER () AS interfaces
    FROM words GROUP BY interface_id ORDER BY flows DESC, interface_id LIMIT $top
), seen AS (
    SELECT b.interface_id, count(DISTINCT w.t) AS hours, (max(w.t) - min(w.t)) / 3600 + 1 AS span,
           CAST(sum(w.nodata) AS BIGINT) AS nodata, CAST(sum(w.skipdata) AS BIGINT) AS skipdata,
           min(w.first_seen) AS first_seen, max(w.last_seen) AS last_seen
    FROM words AS w
    JOIN busiest AS b ON b.interface_id IS NOT DISTINCT FROM w.interface_id
    GROUP BY b.interface_id
), told AS (
    SELECT interface_id, CAST(sum(bytes_out + bytes_in) AS BIGINT) AS bytes
    FROM volumes
    WHERE hour >= $since AND hour < $until AND interface_id IN (SELECT interface_id FROM busiest)
    GROUP BY interface_id
)
SELECT b.interface_id, b.flows, b.interfaces, s.hours, s.span, s.nodata, s.skipdata, s.first_seen,
       s.last_seen, coalesce(t.bytes, 0) AS bytes
FROM busiest AS b
JOIN seen AS s ON s.interface_id IS NOT DISTINCT FROM b.interface_id
LEFT JOIN told AS t ON t.interface_id = b.interface_id
ORDER BY b.flows DESC, b.interface_id
"""

# What the interface of a NAT gateway got, from clients and for them, is what it processed: each
# packet enters it once. The rest of its records repeat what is told under the clients' names.
PROCESSED = """
SELECT e.recorder AS interface_id, CAST(sum(e.bytes) AS BIGINT) AS bytes
FROM edges AS e
JOIN report_hosts AS h ON h.interface_id = e.recorder AND h.address = e.dstaddr
WHERE h.gateway = 1 AND e.day >= $days_since AND e.day < $days_until AND e.records > e.rejected
GROUP BY e.recorder
"""

MATCHES = """
SELECT * FROM (
    SELECT address, feed, max(category) AS category, max(indicator) AS indicator,
           max(confidence) AS confidence,
           CAST(coalesce(sum(flows) FILTER (WHERE action IS DISTINCT FROM 'REJECT'), 0) AS BIGINT)
               AS accepted,
           CAST(coalesce(sum(flows) FILTER (WHERE action = 'REJECT'), 0) AS BIGINT) AS refused,
           CAST(coalesce(sum(bytes) FILTER (WHERE action IS DISTINCT FROM 'REJECT'), 0) AS BIGINT)
               AS bytes,
           coalesce(min("rank"), 6) AS "rank",
           count(*) FILTER (WHERE "rank" <= $passed AND direction <> 'undecided') = 0 AS undecided,
           min(first_seen) AS first_seen, max(last_seen) AS last_seen
    FROM matches WHERE last_seen >= $since AND first_seen < $until
    GROUP BY address, feed
) AS m
ORDER BY "rank" <= $passed DESC, bytes DESC, refused DESC, address, feed
"""

MATCH_SIDES = """
SELECT DISTINCT address, feed, direction, local_address, port
FROM matches WHERE last_seen >= $since AND first_seen < $until
ORDER BY address, feed, direction, local_address, port
"""

REASONS = """
SELECT reason, count(*) AS n FROM rejects GROUP BY reason ORDER BY n DESC, reason LIMIT 20
"""
