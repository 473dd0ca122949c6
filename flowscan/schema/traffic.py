"""The derived tables: what is known of the traffic of a UTC day, kept by that day in the lake.

Table → column → type name. Types: those of the small tables, `time` (epoch seconds) and
`address`; files keep statistics on columns of these two.
"""

from __future__ import annotations

TRAFFIC_TABLES: dict[str, dict[str, str]] = {
    "sessions": {
        "start": "time",
        "end": "time",
        "srcaddr": "address",
        "dstaddr": "address",
        "srcport": "int32",
        "dstport": "int32",
        "protocol": "int32",
        "packets": "int64",
        "bytes": "int64",
        "action": "string",
    },
}
