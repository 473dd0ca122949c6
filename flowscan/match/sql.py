"""The SQL of a match, run by the engine over a snapshot with the tables `listed` and `owners`.

`listed`: text (as flows write it), address (canonical). `owners`: address, feed, category,
confidence, indicator. One scan of the flows keeps those that touch a listed address, rolled up;
everything behind works on the rolled-up rows. Nothing here is built from data.

Who began a connection: TCP flags where recorded (SYN without ACK from the initiator, SYN-ACK from
the other side), else ports (a registered service beats a dynamic port, then the lower port wins),
else who was seen first. A refused packet is always its sender's doing.
"""

from __future__ import annotations

from typing import Final

from flowscan.net.ports import FIRST_DYNAMIC, FIRST_USER, REGISTERED
from flowscan.net.sql import private, special, values

_TOUCHES: Final = "{0} IN (SELECT text FROM listed)"


def _served(port: str) -> str:
    return f"({port} < {FIRST_USER} OR {port} IN {values(REGISTERED)})"


_SEEN: Final = """
CREATE OR REPLACE TEMP TABLE seen AS
SELECT
  srcaddr, dstaddr, {packet_columns}, account_id, interface_id, protocol, action, {flow_direction},
  strftime(CAST("date" AS DATE), '%Y-%m-%d') AS "date",
  CASE
    WHEN action = 'REJECT' AND NOT coalesce({flags} & 18 = 18, false) THEN 'src'
    WHEN protocol = 6 AND {flags} & 18 = 18 THEN 'dst'
    WHEN protocol = 6 AND {flags} & 18 = 2 THEN 'src'
    WHEN protocol NOT IN (6, 17, 33, 132) OR srcport = dstport THEN NULL
    WHEN srcport >= {dynamic} AND dstport < {dynamic} THEN 'src'
    WHEN dstport >= {dynamic} AND srcport < {dynamic} THEN 'dst'
    WHEN {dst_served} AND NOT {src_served} THEN 'src'
    WHEN {src_served} AND NOT {dst_served} THEN 'dst'
    WHEN srcport > dstport THEN 'src'
    WHEN srcport < dstport THEN 'dst'
  END AS initiator,
  CASE WHEN protocol IN (6, 17, 33, 132)
    THEN CASE WHEN initiator = 'dst' THEN srcport ELSE dstport END END AS port,
  count(*) AS flows,
  sum(packets) AS packets,
  sum(bytes) AS bytes,
  min("start") AS first_seen,
  max("end") AS last_seen
FROM flows
WHERE {touches}
GROUP BY ALL
"""


def _inside(address: str) -> str:
    """Whether an address is not of the internet."""
    return f"({private(address)} OR {special(address)})"


# One row per listed address of a flow: the listed side may be seen as addr or as pkt_addr.
SIDES: Final = f"""
CREATE OR REPLACE TEMP TABLE sides AS
SELECT *,
  {_inside("local_address")} AS local_private,
  {_inside("address")} AS listed_private
FROM (
  SELECT l.address, true AS sent, coalesce(pkt_dstaddr, dstaddr) AS local_address,
    srcaddr AS listed_text, seen.*
  FROM seen JOIN listed l ON l.text = srcaddr
  UNION ALL
  SELECT l.address, true, coalesce(pkt_dstaddr, dstaddr), pkt_srcaddr, seen.*
  FROM seen JOIN listed l ON l.text = pkt_srcaddr WHERE pkt_srcaddr IS DISTINCT FROM srcaddr
  UNION ALL
  SELECT l.address, false, coalesce(pkt_srcaddr, srcaddr), dstaddr, seen.*
  FROM seen JOIN listed l ON l.text = dstaddr
  UNION ALL
  SELECT l.address, false, coalesce(pkt_srcaddr, srcaddr), pkt_dstaddr, seen.*
  FROM seen JOIN listed l ON l.text = pkt_dstaddr WHERE pkt_dstaddr IS DISTINCT FROM dstaddr
)
"""
"""SQL that gives every kept flow its listed and its local side."""

DOUBTFUL: Final = """
SELECT count(*) AS n FROM sides
WHERE local_private = listed_private AND flow_direction IS NULL
"""
"""Rows of which neither address nor direction says which side is ours."""

OWN: Final = """
CREATE OR REPLACE TEMP TABLE own AS
SELECT interface_id, arg_max(address, n) AS own_address
FROM (
  SELECT interface_id, address, count(*) AS n
  FROM (
    SELECT interface_id, srcaddr AS address FROM flows
    UNION ALL
    SELECT interface_id, dstaddr AS address FROM flows
  )
  WHERE interface_id IN (
    SELECT interface_id FROM sides
    WHERE local_private = listed_private AND flow_direction IS NULL)
  GROUP BY interface_id, address
)
GROUP BY interface_id
"""
"""An interface's own address: the one most of its flows have."""

NO_OWN: Final = """
CREATE OR REPLACE TEMP TABLE own AS
SELECT CAST(NULL AS VARCHAR) AS interface_id, CAST(NULL AS VARCHAR) AS own_address WHERE false
"""

MATCHES: Final = """
WITH placed AS (
  SELECT sides.* EXCLUDE (interface_id), sides.interface_id,
    CASE
      WHEN local_private AND NOT listed_private THEN false
      WHEN listed_private AND NOT local_private THEN true
      WHEN flow_direction = 'ingress' THEN NOT sent
      WHEN flow_direction = 'egress' THEN sent
      ELSE coalesce(own_address = listed_text, false)
    END AS ours,
    CASE initiator WHEN 'src' THEN sent WHEN 'dst' THEN NOT sent END AS began
  FROM sides LEFT JOIN own ON own.interface_id = sides.interface_id
), rolled AS (
  SELECT address, local_address, account_id, interface_id, protocol, port, action, "date", ours,
    began,
    CAST(sum(flows) AS BIGINT) AS flows,
    CAST(sum(packets) AS BIGINT) AS packets,
    CAST(sum(bytes) AS BIGINT) AS bytes,
    CAST(coalesce(sum(bytes) FILTER (sent = ours), 0) AS BIGINT) AS bytes_out,
    coalesce(sum(flows) FILTER (NOT sent), 0) > 0 AS answered,
    min(first_seen) FILTER (sent) AS theirs_first,
    min(first_seen) FILTER (NOT sent) AS local_first,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen
  FROM placed
  GROUP BY ALL
), directed AS (
  SELECT *,
    CASE
      WHEN ours THEN 'own'
      WHEN coalesce(began,
        local_first IS NULL OR theirs_first < local_first
        OR (theirs_first = local_first AND protocol IN (1, 58))) THEN 'inbound'
      ELSE 'outbound'
    END AS direction,
    coalesce(action, 'ACCEPT') = 'ACCEPT' AS accepted
  FROM rolled
)
SELECT
  CAST(CASE
    WHEN direction = 'outbound' AND accepted THEN 1
    WHEN direction = 'inbound' AND accepted AND answered THEN 2
    WHEN direction = 'inbound' AND accepted THEN 3
    WHEN direction = 'own' AND accepted THEN 4
    WHEN direction = 'outbound' THEN 5
    ELSE 6
  END AS INTEGER) AS rank,
  address, feed, category, confidence, indicator, direction, local_address, account_id,
  interface_id, protocol, port, action, "date",
  CAST(sum(flows) AS BIGINT) AS flows,
  CAST(sum(packets) AS BIGINT) AS packets,
  CAST(sum(bytes) AS BIGINT) AS bytes,
  CAST(sum(bytes_out) AS BIGINT) AS bytes_out,
  min(first_seen) AS first_seen,
  max(last_seen) AS last_seen
FROM directed JOIN owners USING (address)
GROUP BY ALL
ORDER BY rank, confidence DESC, bytes_out DESC, bytes DESC, flows DESC, address, feed,
  local_address, interface_id, protocol, port, action, "date", indicator, account_id
"""


def seen(columns: set[str]) -> str:
    """SQL that keeps the flows that touch a listed address, for flows that have `columns`."""
    packets = [name for name in ("pkt_srcaddr", "pkt_dstaddr") if name in columns]
    touches = [_TOUCHES.format(name) for name in ("srcaddr", "dstaddr", *packets)]
    return _SEEN.format(
        packet_columns=", ".join(
            name if name in packets else f"CAST(NULL AS VARCHAR) AS {name}"
            for name in ("pkt_srcaddr", "pkt_dstaddr")
        ),
        flow_direction=_column("flow_direction", "VARCHAR", columns),
        flags="tcp_flags" if "tcp_flags" in columns else "CAST(NULL AS INTEGER)",
        dynamic=FIRST_DYNAMIC,
        src_served=_served("srcport"),
        dst_served=_served("dstport"),
        touches=" OR ".join(touches),
    )


def _column(name: str, kind: str, columns: set[str]) -> str:
    return name if name in columns else f"CAST(NULL AS {kind}) AS {name}"
