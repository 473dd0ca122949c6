"""The SQL of the report: the flows are read a few times, each time only the columns needed.

Each constant is trusted text with parameters ($name); no value is ever spliced in. Invariant: the
text means the same to DuckDB and to Trino, so a report is made on either. The first ones, `FOLDS`,
become tables that fold the flows, everything else is asked of them. `report_hosts` says which
address an interface is, so that traffic between two interfaces, which AWS logs at both, counts
once in the talk matrix.
"""

from __future__ import annotations

from typing import Final

from flowscan.net.ports import FIRST_DYNAMIC, SENSITIVE
from flowscan.net.sql import private, values


def _local(address: str) -> str:
    """Whether an address is private, or an IPv6 address of ours; the cheap tests come first."""
    return f"({private(address)} OR {address} IN (SELECT address FROM report_own6))"


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

# What an address sent and what it was sent, and whether it is ours: judged once for an address.
SIDES = f"""
SELECT side, address, flows, rejected, bytes, {_local("address")} AS local FROM (
    SELECT CASE WHEN grouping(srcaddr) = 0 THEN 'source' ELSE 'destination' END AS side,
           coalesce(srcaddr, dstaddr) AS address, count(*) AS flows,
           count(*) FILTER (WHERE action = 'REJECT') AS rejected,
           coalesce(CAST(sum(bytes) FILTER (WHERE action IS DISTINCT FROM 'REJECT') AS BIGINT), 0)
               AS bytes
    FROM flows WHERE "start" >= $since AND "start" < $until AND srcaddr IS NOT NULL
    GROUP BY GROUPING SETS ((srcaddr), (dstaddr))
) AS a WHERE address IS NOT NULL
"""

# The least that one of the busiest sides has; with it, at most a few more than that many are kept.
BUSY = """
SELECT coalesce(min(bytes), 0) AS least FROM (
    SELECT bytes FROM report_sides ORDER BY bytes DESC LIMIT 1000) AS a
"""

# Who keeps a name in `report_pairs`. A pair has no more bytes than either of its ends, so pairs of
# at least $least bytes are all there. Grouping by numbers costs two thirds of grouping by texts.
KEPT = """
SELECT address, local, row_number() OVER (ORDER BY address) AS number FROM (
    SELECT DISTINCT address, local FROM report_sides WHERE local OR bytes >= $least) AS a
"""

# The many that were seen a few times, mostly strangers, are one end, '*': pairs of a local address
# and a stranger can be as many as the flows, and grouping all of them takes memory in proportion.
PAIRS = """
SELECT p.interface_id, coalesce(s.address, '*') AS srcaddr,
       CASE WHEN p.destination IS NOT NULL THEN coalesce(d.address, '*') END AS dstaddr,
       coalesce(s.local, FALSE) AS src_local,
       CASE WHEN p.destination IS NOT NULL THEN coalesce(d.local, FALSE) END AS dst_local,
       p.flows, p.rejected, p.packets, p.bytes
FROM (
    SELECT f.interface_id, coalesce(s.number, 0) AS source,
           CASE WHEN f.dstaddr IS NOT NULL THEN coalesce(d.number, 0) END AS destination,
           count(*) AS flows, count(*) FILTER (WHERE f.action = 'REJECT') AS rejected,
           coalesce(CAST(sum(f.packets) FILTER (WHERE f.action IS DISTINCT FROM 'REJECT')
               AS BIGINT), 0) AS packets,
           coalesce(CAST(sum(f.bytes) FILTER (WHERE f.action IS DISTINCT FROM 'REJECT')
               AS BIGINT), 0) AS bytes
    FROM flows AS f
    LEFT JOIN report_kept AS s ON s.address = f.srcaddr
    LEFT JOIN report_kept AS d ON d.address = f.dstaddr
    WHERE f."start" >= $since AND f."start" < $until AND f.srcaddr IS NOT NULL
    GROUP BY 1, 2, 3
) AS p
LEFT JOIN report_kept AS s ON s.number = p.source
LEFT JOIN report_kept AS d ON d.number = p.destination
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
    "report_sides": SIDES,
    "report_rejected": REJECTED,
}
"""The tables to make, in order; `report_kept`, `report_pairs` and `report_hosts` follow."""

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
    (SELECT count(DISTINCT address) FROM report_sides WHERE local) AS local_addresses,
    (SELECT count(DISTINCT address) FROM report_sides WHERE NOT local) AS public_addresses,
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

_REFUSED = """top AS (
    SELECT protocol, dstport, sum(flows) AS flows FROM report_rejected GROUP BY protocol, dstport
    ORDER BY flows DESC, protocol, dstport LIMIT $top
), refused AS (
    SELECT r.* FROM report_rejected AS r
    JOIN top AS t ON t.protocol IS NOT DISTINCT FROM r.protocol
        AND t.dstport IS NOT DISTINCT FROM r.dstport
)"""

REJECTED_PORTS = f"""
WITH {_REFUSED}
SELECT protocol, dstport, CAST(sum(flows) AS BIGINT) AS flows,
       CAST(sum(packets) AS BIGINT) AS packets, count(DISTINCT srcaddr) AS sources,
       count(DISTINCT dstaddr) AS targets, min(first_seen) AS first_seen,
       max(last_seen) AS last_seen
FROM refused GROUP BY protocol, dstport ORDER BY flows DESC, protocol, dstport
"""

# The three busiest sources of each of these ports.
REJECTED_PORT_SOURCES = f"""
WITH {_REFUSED}, per_source AS (
    SELECT protocol, dstport, srcaddr, CAST(sum(flows) AS BIGINT) AS flows,
           row_number() OVER (
               PARTITION BY protocol, dstport ORDER BY sum(flows) DESC, srcaddr) AS place
    FROM refused GROUP BY protocol, dstport, srcaddr
)
SELECT protocol, dstport, srcaddr, flows FROM per_source
WHERE place <= 3 ORDER BY protocol, dstport, place
"""

REJECTED_SOURCES = f"""
WITH top AS (
    SELECT srcaddr, CAST(sum(flows) AS BIGINT) AS flows FROM report_rejected GROUP BY srcaddr
    ORDER BY flows DESC, srcaddr LIMIT $top
), busiest AS (
    SELECT r.srcaddr, max(t.flows) AS flows, count(DISTINCT (r.protocol, r.dstport)) AS ports,
           count(DISTINCT r.dstaddr) AS targets
    FROM report_rejected AS r JOIN top AS t ON t.srcaddr IS NOT DISTINCT FROM r.srcaddr
    GROUP BY r.srcaddr
)
SELECT s.srcaddr, s.flows, s.ports, s.targets, {_local("s.srcaddr")} AS own,
       CAST(coalesce(p.flows - p.rejected, 0) AS BIGINT) AS accepted
FROM busiest AS s LEFT JOIN report_sides AS p ON p.side = 'source' AND p.address = s.srcaddr
ORDER BY s.flows DESC, s.srcaddr
"""

# The larger of what the two ends logged: traffic between two interfaces is in the lake twice.
TALKERS = """
WITH once AS (
    SELECT srcaddr, dstaddr, max(flows - rejected) AS flows, max(packets) AS packets,
           max(bytes) AS bytes
    FROM report_pairs
    WHERE flows > rejected AND srcaddr <> '*' AND dstaddr IS DISTINCT FROM '*'
    GROUP BY srcaddr, dstaddr
)
SELECT srcaddr, dstaddr, flows, packets, bytes FROM once
ORDER BY bytes DESC, srcaddr, dstaddr LIMIT $top
"""

# Towards a service of ours: opened by a SYN where flags are logged (2 without 16, the SYN-ACK),
# else lower port = server. Who is ours was judged before: two sets of addresses cost less here than
# judging every flow again.
EXPOSURE = f"""
WITH ours AS (SELECT address FROM report_kept WHERE local)
SELECT dstaddr, max(interface_id) AS interface_id, protocol, dstport,
       count(DISTINCT srcaddr) AS sources, count(*) AS flows,
       CAST(sum(bytes) AS BIGINT) AS bytes, min("start") AS first_seen, max("end") AS last_seen
FROM flows LEFT JOIN ours ON ours.address = srcaddr
WHERE ours.address IS NULL AND srcaddr IS NOT NULL AND action = 'ACCEPT'
  AND "start" >= $since AND "start" < $until AND dstaddr IN (SELECT address FROM ours)
  AND protocol IN (6, 17) AND dstport < srcport AND dstport < {FIRST_DYNAMIC}
  AND (tcp_flags IS NULL OR NOT (tcp_flags % 4 >= 2 AND tcp_flags % 32 >= 16))
GROUP BY dstaddr, protocol, dstport
ORDER BY dstport IN {values(SENSITIVE)} DESC, sources DESC, dstaddr, protocol, dstport
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
SELECT address, CAST(sum(flows) AS BIGINT) AS flows, CAST(sum(rejected) AS BIGINT) AS rejected,
       CAST(sum(bytes) AS BIGINT) AS bytes
FROM report_sides WHERE NOT local GROUP BY address ORDER BY flows DESC, address LIMIT $top
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
