"""What a fold resumes an open day from: the day as it was at the end of its settled part.

Table → column → type name, as in `schema.traffic`. Sums of tables that readers see have the columns
of these; `resume_connections` and `resume_endpoints` have those of the query files `carried` and
`remembered`, which a test holds.
"""

from __future__ import annotations

from flowscan.schema.traffic import TRAFFIC_TABLES

_SUMS = ("packets_ab", "packets_ba", "bytes_ab", "bytes_ba", "refused_ab", "refused_ba",
         "refused_bytes_ab", "refused_bytes_ba")  # fmt: skip

RESUME_TABLES: dict[str, dict[str, str]] = {
    **{
        f"resume_{name}": TRAFFIC_TABLES[name]
        for name in ("edges", "contacts", "tallies", "volumes")
    },
    "resume_connections": {
        "day": "time",
        "a": "address",
        "b": "address",
        **dict.fromkeys(("ap", "bp", "protocol"), "int32"),
        **dict.fromkeys(("t", "last", "s", "e", "records", "rejected"), "int64"),
        **dict.fromkeys(_SUMS, "float64"),
        "flags": "int64",
        "path": "int32",
        "kept": "int32",
        "given_score": "float64",
        "given_by": "string",
        "run_score": "float64",
    },
    "resume_endpoints": {
        "day": "time",
        "address": "address",
        **dict.fromkeys(("port", "protocol", "first_port", "last_port"), "int32"),
        **dict.fromkeys(("open", "served"), "float64"),
        **dict.fromkeys(("first_peer", "last_peer"), "string"),
        **dict.fromkeys(("tried", "hit", "equal", "low"), "float64"),
        **dict.fromkeys(("first_tried", "last_tried"), "int32"),
        "hit_low": "float64",
        **dict.fromkeys(("first_hit", "last_hit"), "int32"),
    },
}
