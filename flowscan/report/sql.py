"""The SQL of the report: the flows are read a few times, each time only the columns needed.

Each constant is trusted text with parameters ($name); no value is ever spliced in. Invariant: the
text means the same to DuckDB and to Trino, so a report is made on either. The first ones, `FOLDS`,
become tables that fold the flows, everything else is asked of them. `report_hosts` says which
address an interface is, so that traffic between two interfaces, which AWS logs at both, counts
once in the talk matrix.
"""

from __future__ import annotations

from typing import Final

from flowscan.report.ports import SENSITIVE

_SENSITIVE: Final = ", ".join(str(port) for port in sorted(SENSITIVE))


def _local(address: str) -> str:
    """Whether an address is private, or an IPv6 address of ours; the cheap tests come first."""
    second = f"CAST(split_part({address}, '.', 2) AS INTEGER)"
    return f"""({address} LIKE '10.%' OR {address} LIKE '192.168.%'
        OR {address} LIKE '169.254.%' OR {address} LIKE '127.%'
        OR CASE WHEN {address} LIKE '172.%' THEN {second} BETWEEN 16 AND 31
            WHEN {address} LIKE '100.%' THEN {second} BETWEEN 64 AND 127 ELSE FALSE END
        OR ({address} LIKE '%:%' AND (substr(lower({address}), 1, 2) IN ('fc', 'fd')
            OR substr(lower({address}), 1, 3) IN ('fe8', 'fe9', 'fea', 'feb')
            OR {address} IN (SELECT address FROM report_own6))))"""


# IPv6 addresses of ours are public by their nature: ours is the one side of an interface's records
# that all of them share. Found by counting; a remote address is rarely in 90 % of the records.
OWN6 = """
WITH six AS (
    SELECT interface_id, srcaddr, dstaddr, count(*) AS n FROM flows
    WHERE srcaddr LIKE '%:%' AND "start" >= $since AND "start" < $until GROUP BY 1, 2, 3
), sides AS (
    SELECT interface_id, srcaddr AS address, n FROM six
    UNION ALL SELECT interface_id, dstaddr, n FROM six
)
SELECT address, max(interface_id) AS interface_id FROM (
    SELECT interface_id, address, sum(n) AS n,
           sum(sum(n)) OVER (PARTITION BY interface_id) AS both_sides
    FROM sides GROUP BY interface_id, address
) AS a WHERE n * 2 >= both_sides * 0.9 GROUP BY address
"""

HOURS = """
SELECT "start" - "start" % $base AS t, interface_id, coalesce(action, 'ACCEPT') AS action,
       count(*) AS flows, CAST(sum(packets) AS BIGINT) AS packets,
       CAST(sum(bytes) AS BIGINT) AS bytes
FROM flows WHERE "start" >= $before AND "start" < $until
GROUP BY 1, 2, 3
"""

PAIRS = f"""
WITH pairs AS (
    SELECT interface_id, srcaddr, dstaddr, count(*) AS flows,
           count(*) FILTER (WHERE action = 'REJECT') AS rejected,
           coalesce(CAST(sum(packets) FILTER (WHERE action IS DISTINCT FROM 'REJECT') AS BIGINT), 0)
               AS packets,
           coalesce(CAST(sum(bytes) FILTER (WHERE action IS DISTINCT FROM 'REJECT') AS BIGINT), 0)
               AS bytes
    FROM flows WHERE "start" >= $since AND "start" < $until AND srcaddr IS NOT NULL
    GROUP BY 1, 2, 3
)
SELECT *, {_local("srcaddr")} AS src_local, {_local("dstaddr")} AS dst_local FROM pairs
"""

REJECTED = """
SELECT protocol, dstport, srcaddr, dstaddr, count(*) AS flows,
       CAST(sum(packets) AS BIGINT) AS packets, min("start") AS first_seen, max("end") AS last_seen
FROM flows WHERE action = 'REJECT' AND "start" >= $since AND "start" < $until
GROUP BY 1, 2, 3, 4
"""

# The local address that most records of an interface have in common, IPv4 before IPv6; `host`
# is that address also for the IPv6 addresses of the interface.
HOSTS = """
WITH sides AS (
    SELECT interface_id, srcaddr AS address, flows FROM report_pairs WHERE src_local
    UNION ALL SELECT interface_id, dstaddr, flows FROM report_pairs WHERE dst_local
), ranked AS (
    SELECT interface_id, address, sum(flows) AS flows,
           row_number() OVER (PARTITION BY interface_id
               ORDER BY address LIKE '%:%', sum(flows) DESC, address) AS rank
    FROM sides WHERE interface_id IS NOT NULL GROUP BY interface_id, address
)
SELECT interface_id, address, address AS host FROM ranked WHERE rank = 1
UNION ALL
SELECT r.interface_id, o.address, r.address FROM ranked AS r
JOIN report_own6 AS o ON o.interface_id = r.interface_id
WHERE r.rank = 1 AND o.address <> r.address
"""

FOLDS: Final = {
    "report_own6": OWN6,
    "report_hours": HOURS,
    "report_pairs": PAIRS,
    "report_rejected": REJECTED,
    "report_hosts": HOSTS,
}
"""The tables to make, in order."""

SELECT_HOSTS = """
SELECT interface_id, address, host FROM report_hosts ORDER BY interface_id, address
"""

TOTALS = """
SELECT t >= $since AS current,
       CAST(sum(flows) AS BIGINT) AS flows,
       CAST(coalesce(sum(flows) FILTER (WHERE action = 'REJECT'), 0) AS BIGINT) AS rejected,
       CAST(coalesce(sum(packets) FILTER (WHERE action <> 'REJECT'), 0) AS BIGINT) AS packets,
       CAST(coalesce(sum(bytes) FILTER (WHERE action <> 'REJECT'), 0) AS BIGINT) AS bytes,
       count(DISTINCT interface_id) AS interfaces
FROM report_hours GROUP BY 1
"""

PARTIES = """
SELECT
    (SELECT count(DISTINCT a) FROM (
        SELECT srcaddr AS a FROM report_pairs WHERE src_local
        UNION SELECT dstaddr FROM report_pairs WHERE dst_local)) AS local_addresses,
    (SELECT count(DISTINCT a) FROM (
        SELECT srcaddr AS a FROM report_pairs WHERE NOT src_local
        UNION SELECT dstaddr FROM report_pairs WHERE NOT dst_local)) AS public_addresses,
    CAST(coalesce(sum(bytes) FILTER (WHERE NOT src_local AND dst_local), 0) AS BIGINT) AS bytes_in,
    CAST(coalesce(sum(bytes) FILTER (WHERE src_local AND NOT dst_local), 0) AS BIGINT) AS bytes_out
FROM report_pairs
"""

TIMELINE = """
SELECT t - t % $step AS t,
       CAST(coalesce(sum(flows) FILTER (WHERE action <> 'REJECT'), 0) AS BIGINT) AS accepted,
       CAST(coalesce(sum(flows) FILTER (WHERE action = 'REJECT'), 0) AS BIGINT) AS rejected,
       CAST(coalesce(sum(bytes) FILTER (WHERE action <> 'REJECT'), 0) AS BIGINT) AS bytes
FROM report_hours WHERE t >= $since GROUP BY 1 ORDER BY 1
"""

HEAT = """
SELECT (t / 86400 + 3) % 7 AS weekday, t % 86400 / 3600 AS hour,
       count(DISTINCT t / 3600) AS hours, CAST(sum(flows) AS BIGINT) AS flows,
       CAST(coalesce(sum(flows) FILTER (WHERE action = 'REJECT'), 0) AS BIGINT) AS rejected
FROM report_hours WHERE t >= $since GROUP BY 1, 2 ORDER BY 1, 2
"""

REJECTED_PORTS = """
SELECT protocol, dstport, CAST(sum(flows) AS BIGINT) AS flows,
       CAST(sum(packets) AS BIGINT) AS packets, count(DISTINCT srcaddr) AS sources,
       count(DISTINCT dstaddr) AS targets, min(first_seen) AS first_seen,
       max(last_seen) AS last_seen
FROM report_rejected GROUP BY protocol, dstport
ORDER BY flows DESC, protocol, dstport LIMIT $top
"""

# The three busiest sources of each of these ports.
REJECTED_PORT_SOURCES = """
WITH top AS (
    SELECT protocol, dstport, sum(flows) AS flows FROM report_rejected GROUP BY protocol, dstport
    ORDER BY flows DESC, protocol, dstport LIMIT $top
), per_source AS (
    SELECT protocol, dstport, srcaddr, CAST(sum(flows) AS BIGINT) AS flows,
           row_number() OVER (
               PARTITION BY protocol, dstport ORDER BY sum(flows) DESC, srcaddr) AS place
    FROM report_rejected GROUP BY protocol, dstport, srcaddr
)
SELECT s.protocol, s.dstport, s.srcaddr, s.flows
FROM per_source AS s
JOIN top AS t ON t.protocol IS NOT DISTINCT FROM s.protocol
    AND t.dstport IS NOT DISTINCT FROM s.dstport
WHERE s.place <= 3 ORDER BY s.protocol, s.dstport, s.place
"""

REJECTED_SOURCES = f"""
WITH busiest AS (
    SELECT srcaddr, CAST(sum(flows) AS BIGINT) AS flows,
           count(DISTINCT (protocol, dstport)) AS ports, count(DISTINCT dstaddr) AS targets
    FROM report_rejected GROUP BY srcaddr ORDER BY flows DESC, srcaddr LIMIT $top
), through AS (
    SELECT srcaddr, sum(flows - rejected) AS accepted FROM report_pairs GROUP BY srcaddr
)
SELECT s.srcaddr, s.flows, s.ports, s.targets, {_local("s.srcaddr")} AS own,
       CAST(coalesce(p.accepted, 0) AS BIGINT) AS accepted
FROM busiest AS s LEFT JOIN through AS p ON p.srcaddr = s.srcaddr
ORDER BY s.flows DESC, s.srcaddr
"""

# The larger of what the two ends logged: traffic between two interfaces is in the lake twice.
TALKERS = """
WITH once AS (
    SELECT srcaddr, dstaddr, max(flows - rejected) AS flows, max(packets) AS packets,
           max(bytes) AS bytes
    FROM report_pairs WHERE flows > rejected GROUP BY srcaddr, dstaddr
)
SELECT srcaddr, dstaddr, flows, packets, bytes FROM once
ORDER BY bytes DESC, srcaddr, dstaddr LIMIT $top
"""

# Towards a service of ours: opened by a SYN where flags are logged (2 without 16, the SYN-ACK),
# else lower port = server. Who is ours was judged pair by pair already: two sets of addresses
# cost less here than judging every flow again.
EXPOSURE = f"""
WITH reached AS (
    SELECT srcaddr, dstaddr FROM report_pairs
    WHERE dst_local AND NOT src_local AND flows > rejected
)
SELECT dstaddr, max(interface_id) AS interface_id, protocol, dstport,
       count(DISTINCT srcaddr) AS sources, count(*) AS flows,
       CAST(sum(bytes) AS BIGINT) AS bytes, min("start") AS first_seen, max("end") AS last_seen
FROM flows
WHERE action = 'ACCEPT' AND "start" >= $since AND "start" < $until
  AND dstaddr IN (SELECT dstaddr FROM reached) AND srcaddr IN (SELECT srcaddr FROM reached)
  AND protocol IN (6, 17) AND dstport < srcport AND dstport < 32768
  AND (tcp_flags IS NULL OR NOT (tcp_flags % 4 >= 2 AND tcp_flags % 32 >= 16))
GROUP BY dstaddr, protocol, dstport
ORDER BY dstport IN ({_SENSITIVE}) DESC, sources DESC, dstaddr, protocol, dstport
"""

LINKS = """
WITH names AS (SELECT address, min(host) AS host FROM report_hosts GROUP BY address), once AS (
    SELECT p.*, s.host AS own_src, d.host AS own_dst
    FROM report_pairs AS p
    LEFT JOIN names AS s ON s.address = p.srcaddr
    LEFT JOIN names AS d ON d.address = p.dstaddr
    LEFT JOIN report_hosts AS h ON h.interface_id = p.interface_id AND h.address = h.host
    WHERE s.address IS NULL OR d.address IS NULL OR h.host = s.host
)
SELECT coalesce(own_src, CASE WHEN src_local THEN $other ELSE $public END) AS source,
       coalesce(own_dst, CASE WHEN dst_local THEN $other ELSE $public END) AS destination,
       CAST(sum(flows) AS BIGINT) AS flows, CAST(sum(bytes) AS BIGINT) AS bytes,
       CAST(sum(rejected) AS BIGINT) AS rejected
FROM once GROUP BY 1, 2
"""

PUBLIC = """
WITH sides AS (
    SELECT srcaddr AS address, flows, rejected, bytes FROM report_pairs WHERE NOT src_local
    UNION ALL
    SELECT dstaddr, flows, rejected, bytes FROM report_pairs WHERE NOT dst_local
)
SELECT address, CAST(sum(flows) AS BIGINT) AS flows, CAST(sum(rejected) AS BIGINT) AS rejected,
       CAST(sum(bytes) AS BIGINT) AS bytes
FROM sides GROUP BY address ORDER BY flows DESC, address LIMIT $top
"""

COVERAGE = """
WITH words AS (
    SELECT interface_id, t / 3600 AS h, flows, bytes, 0 AS nodata, 0 AS skipdata, t AS seen
    FROM report_hours WHERE t >= $since
    UNION ALL
    SELECT interface_id, "start" / 3600, 0, 0, CAST(log_status = 'NODATA' AS INTEGER),
           CAST(log_status = 'SKIPDATA' AS INTEGER), "start"
    FROM coverage WHERE "start" >= $since AND "start" < $until
)
SELECT interface_id, CAST(sum(flows) AS BIGINT) AS flows, CAST(sum(bytes) AS BIGINT) AS bytes,
       count(DISTINCT h) AS hours, max(h) - min(h) + 1 AS span,
       CAST(sum(nodata) AS BIGINT) AS nodata, CAST(sum(skipdata) AS BIGINT) AS skipdata,
       min(seen) AS first_seen, max(seen) AS last_seen
FROM words GROUP BY interface_id ORDER BY flows DESC, interface_id
"""

MATCHES = """
SELECT address, feed, max(category) AS category, max(indicator) AS indicator,
       max(confidence) AS confidence,
       CAST(coalesce(sum(flows) FILTER (WHERE action IS DISTINCT FROM 'REJECT'), 0) AS BIGINT)
           AS accepted,
       CAST(coalesce(sum(flows) FILTER (WHERE action = 'REJECT'), 0) AS BIGINT) AS refused,
       CAST(coalesce(sum(bytes) FILTER (WHERE action IS DISTINCT FROM 'REJECT'), 0) AS BIGINT)
           AS bytes,
       min(first_seen) AS first_seen, max(last_seen) AS last_seen
FROM matches WHERE last_seen >= $since AND first_seen < $until
GROUP BY address, feed
ORDER BY accepted > 0 DESC, bytes DESC, refused DESC, address, feed
"""

MATCH_SIDES = """
SELECT DISTINCT address, feed, direction, local_address, port
FROM matches WHERE last_seen >= $since AND first_seen < $until
ORDER BY address, feed, direction, local_address, port
"""

REASONS = """
SELECT reason, count(*) AS n FROM rejects GROUP BY reason ORDER BY n DESC, reason LIMIT 20
"""
