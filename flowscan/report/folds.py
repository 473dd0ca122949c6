"""The SQL of the tables that a report makes of the tables of traffic, for all its sections.

The rules are those of `sql`: trusted text with parameters, the same to DuckDB and to Trino. `SUMS`
serve any period within a window, `FOLDS` and what was reached are of one period.

A period is of whole hours. What contacts know, which are by UTC day and much fewer, they answer for
the days that lie in the period (`$days_since` to `$days_until`), volumes and sessions for the rest
of it. Invariant: a contact's figures are the sums of that day's volumes, so it is the same answer.
"""

from __future__ import annotations

from typing import Final

GATEWAY_ENDPOINT: Final = 7
"""AWS's traffic-path to S3 or DynamoDB through a gateway endpoint: public, not the internet."""

_HOURS: Final = """
SELECT hour AS t, interface_id, records AS flows, rejected
FROM tallies WHERE hour >= $begin AND hour < $end
"""

_BYTES: Final = """
SELECT hour AS t, CAST(sum(packets_out + packets_in) AS BIGINT) AS packets,
       CAST(sum(bytes_out + bytes_in) AS BIGINT) AS bytes,
       CAST(sum(refused_packets) AS BIGINT) AS refused_packets,
       CAST(sum(refused_bytes) AS BIGINT) AS refused_bytes
FROM volumes WHERE hour >= $begin AND hour < $end
GROUP BY hour
"""

_REFUSED: Final = """
SELECT day, protocol, port, CAST(sum(rejected) AS BIGINT) AS flows,
       CAST(sum(refused_packets) AS BIGINT) AS packets, min(first_seen) AS first_seen,
       max(last_seen) AS last_seen
FROM volumes WHERE rejected > 0 AND hour >= $first AND hour < $end
GROUP BY day, protocol, port
"""

_UNDECIDED: Final = """
SELECT first_seen - first_seen % 3600 AS t, count(*) AS sessions,
       CAST(sum(bytes_out + bytes_in) AS BIGINT) AS bytes
FROM sessions
WHERE initiator = 'undecided' AND first_seen >= $first AND first_seen < $end
GROUP BY 1
"""

_COVERED: Final = """
SELECT interface_id, "start" - "start" % 3600 AS t,
       count(*) FILTER (WHERE log_status = 'NODATA') AS nodata,
       count(*) FILTER (WHERE log_status = 'SKIPDATA') AS skipdata, min("start") AS first_seen,
       max("start") AS last_seen
FROM coverage WHERE "start" >= $first AND "start" < $end
GROUP BY 1, 2
"""

# Calls of public addresses at ours; of those that were not answered only their number counts.
_CALLED: Final = "client_side = 'public' AND server_side = 'ours'"
_ANSWERED: Final = """
SELECT {day} client, server, port, protocol, interface_id, "empty" + "open" AS answered, failed,
       bytes_out, first_seen, last_seen
FROM {contacts} WHERE "empty" + "open" > 0 AND {when}
UNION ALL
SELECT {day} NULL, NULL, NULL, NULL, NULL, 0, CAST(sum(failed) AS BIGINT), NULL, NULL, NULL
FROM {contacts} WHERE "empty" + "open" = 0 AND {when} GROUP BY {by}
"""

SUMS: Final = {
    "report_hours": _HOURS,
    "report_bytes": _BYTES,
    "report_refused": _REFUSED,
    "report_undecided": _UNDECIDED,
    "report_covered": _COVERED,
    "report_answered": _ANSWERED.format(
        contacts="contacts",
        day="day,",
        when=f"day > $first - 86400 AND day < $end AND {_CALLED}",
        by="day",
    ),
}
"""Tables by hour or day, of a window in which the period lies (`$first` to `$end`), the period
before it being in `$begin` to `$end`."""

WHOLE_DAYS: Final = "day >= $days_since AND day < $days_until"
OTHER_HOURS: Final = (
    "hour >= $since AND hour < $until AND (hour < $days_since OR hour >= $days_until)"
)
_ENDS: Final = "client, server, client_side, server_side"
_SUMS: Final = ("sessions", "records", "rejected", "packets_out", "packets_in", "bytes_out",
                "bytes_in")  # fmt: skip
_PUBLIC: Final = "(client_side = 'public' OR server_side = 'public')"

# One row per client and server, which called each other or not: `outside` where what they sent
# crossed the edge to the internet. contacts do not say the path, so what took that of a gateway
# endpoint is put from one to the other.
_PAIRS: Final = f"""
SELECT {_ENDS}, outside, {", ".join(f"CAST(sum({n}) AS BIGINT) AS {n}" for n in _SUMS)}
FROM (
    SELECT {_ENDS}, {_PUBLIC} AS outside, {", ".join(_SUMS)} FROM contacts WHERE {WHOLE_DAYS}
    UNION ALL
    SELECT {_ENDS}, w.outside, {", ".join(f"w.weight * {n}" for n in _SUMS)}
    FROM volumes CROSS JOIN (VALUES (TRUE, -1), (FALSE, 1)) AS w (outside, weight)
    WHERE path = {GATEWAY_ENDPOINT} AND {_PUBLIC}
      AND hour >= $days_since AND hour < $days_until
    UNION ALL
    SELECT {_ENDS}, {_PUBLIC} AND coalesce(path, 0) <> {GATEWAY_ENDPOINT}, {", ".join(_SUMS)}
    FROM volumes WHERE {OTHER_HOURS}
) AS a
GROUP BY {_ENDS}, outside HAVING sum(records) > 0
"""

_REJECTED: Final = f"""
SELECT protocol, port, client, server, max(client_side) AS client_side,
       CAST(sum(rejected) AS BIGINT) AS flows
FROM (
    SELECT protocol, port, {_ENDS}, rejected FROM contacts WHERE rejected > 0 AND {WHOLE_DAYS}
    UNION ALL
    SELECT protocol, port, {_ENDS}, rejected FROM volumes WHERE rejected > 0 AND {OTHER_HOURS}
) AS a
GROUP BY protocol, port, client, server
"""

# An interface goes by one address: that of a gateway or node before those it stands for, IPv4
# before IPv6, the busier first. An interface that recorded a whole network is no host: there each
# address goes by its own name.
_HOST_NAMES: Final = """
WITH used AS (
    SELECT address, sum(records) AS records FROM (
        SELECT client AS address, records FROM report_pairs
        UNION ALL SELECT server, records FROM report_pairs) AS a
    GROUP BY address
), owned AS (
    SELECT interface_id, address, max(gateway) AS gateway, max(day) AS day FROM hosts
    WHERE day > $since - 86400 AND day < $until GROUP BY interface_id, address
), ranked AS (
    SELECT o.interface_id, o.address, o.gateway, o.day,
           count(*) OVER (PARTITION BY o.interface_id) AS addresses,
           first_value(o.address) OVER (PARTITION BY o.interface_id
               ORDER BY o.address LIKE '%:%', o.gateway DESC, coalesce(u.records, 0) DESC,
                        o.address) AS main_address
    FROM owned AS o LEFT JOIN used AS u ON u.address = o.address
), latest AS (
    SELECT *, row_number() OVER (PARTITION BY address ORDER BY day DESC, interface_id) AS turn
    FROM ranked
)
SELECT interface_id, address, gateway, main_address, turn,
       CASE WHEN addresses <= 256 THEN main_address ELSE address END AS host
FROM latest
"""

FOLDS: Final = {
    "report_pairs": _PAIRS,
    "report_rejected": _REJECTED,
    "report_hosts": _HOST_NAMES,
}
"""Tables of the period, in order."""

REACHED: Final = f"""
SELECT client, server, port, protocol, interface_id, answered, failed, bytes_out, first_seen,
       last_seen
FROM report_answered WHERE {WHOLE_DAYS}
"""
"""Calls of public addresses at ours: of whole days."""

REACHED_PARTLY: Final = _ANSWERED.format(contacts="report_partly", day="", when="TRUE", by="()")
"""Of the rest of the period."""

# What stands for `sessions` is what the text of contacts, which goes in here, is asked of.
PARTLY: Final = f"""
WITH rest AS (
    SELECT * FROM sessions
    WHERE first_seen >= $since AND first_seen < $until
      AND (first_seen < $days_since OR first_seen >= $days_until) AND {_CALLED}
)
SELECT client, server, port, protocol, interface_id, "empty", "open", failed, bytes_out,
       first_seen, last_seen
FROM (WITH sessions AS (SELECT * FROM rest) SELECT * FROM ({{contacts}}) AS q) AS c
"""
"""contacts of the rest of the period."""
