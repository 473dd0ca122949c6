"""Analytics queries over hand-made tables of traffic: what they count, leave out and join."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from flowscan import queries, schema
from flowscan.engine import Engine

DAY = 1785715200
OURS, FAR, S3 = "10.0.1.5", "52.1.2.3", "52.216.10.10"


class Nothing:
    """A snapshot without files."""

    def uniform(self, table: str) -> bool:
        return True

    def uris(self, table: str) -> list[str]:
        return []

    def columns(self, table: str) -> list[str]:
        return []


def table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    kinds = schema.derived_schema(name)
    fields = [pa.field(f.name, pa.string() if "dict" in str(f.type) else f.type) for f in kinds]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))


def ask(query: str, name: str, rows: list[dict[str, Any]], **values: object) -> list[dict]:
    given = {n: table(n, rows if n == name else []) for n in schema.TRAFFIC_TABLES}
    with Engine(Nothing(), tables=given, derived=False) as engine:
        return engine.run(queries.load(query), values).to_pylist()


def volume(**values: Any) -> dict[str, Any]:
    return {
        "day": DAY, "hour": DAY + 7200, "interface_id": "eni-1", "client": OURS, "server": FAR,
        "client_side": "ours", "server_side": "public", "port": 443, "protocol": 6, "path": 8,
        "sessions": 1, "records": 2, "rejected": 0, "packets_out": 10, "packets_in": 20,
        "bytes_out": 1000, "bytes_in": 30_000, "refused_packets": 0, "refused_bytes": 0,
        "first_seen": DAY + 7300, "last_seen": DAY + 7400, **values,
    }  # fmt: skip


def session(**values: Any) -> dict[str, Any]:
    return {
        "client": OURS, "server": FAR, "client_side": "ours", "server_side": "public",
        "client_port": 40_000, "server_port": 22, "protocol": 6, "first_seen": DAY + 100,
        "last_seen": DAY + 200, "records": 2, "rejected": 0, "packets_out": 10, "packets_in": 10,
        "bytes_out": 500, "bytes_in": 700, "refused_out": 0, "refused_in": 0, "initiator": "syn",
        **values,
    }  # fmt: skip


def test_a_gateway_endpoint_is_no_internet() -> None:
    rows = [volume(), volume(server=S3, path=7, bytes_out=10**9)]
    found = ask("egress-by-destination", "volumes", rows)
    assert [(r["dstaddr"], r["bytes"]) for r in found] == [(FAR, 1000)]
    paths = {r["path"]: r["bytes"] for r in ask("traffic-paths", "volumes", rows)}
    assert paths == {"gateway endpoint": 10**9, "internet gateway": 1000}


def test_answers_to_visitors_leave_too() -> None:
    visit = volume(client=FAR, server=OURS, client_side="public", server_side="ours")
    (row,) = ask("egress-by-destination", "volumes", [visit])
    assert (row["dstaddr"], row["bytes"], row["packets"]) == (FAR, 30_000, 20)


def test_refused_bytes_stand_apart() -> None:
    refused = volume(packets_out=0, packets_in=0, bytes_out=0, bytes_in=0, rejected=3,
                     refused_packets=3, refused_bytes=180)  # fmt: skip
    for name in ("traffic-by-hour", "traffic-by-day", "traffic-by-port", "traffic-by-protocol"):
        (row,) = ask(name, "volumes", [volume(), refused])
        assert (row["bytes"], row["rejected"], row["refused_bytes"]) == (31_000, 3, 180)
    assert ask("top-pairs", "volumes", [refused]) == []
    assert ask("egress-by-destination", "volumes", [refused]) == []


def test_the_hours_that_a_window_touches() -> None:
    rows = [volume(hour=DAY + 3600 * i, bytes_out=10**i) for i in range(4)]
    window = {"since": DAY + 5400, "until": DAY + 7201}
    found = ask("traffic-by-hour", "volumes", rows, **window)
    assert [r["bytes"] - 30_000 for r in found] == [10, 100]


def test_a_connection_over_midnight_is_one() -> None:
    rows = [
        session(first_seen=DAY + 80_000, last_seen=DAY + 86_390),
        session(first_seen=DAY + 86_410, last_seen=DAY + 172_799),
        session(first_seen=DAY + 172_900, last_seen=DAY + 173_000),
        # Another of the same ports, later, and one of other ports at midnight.
        session(first_seen=DAY + 180_000, last_seen=DAY + 180_010),
        session(first_seen=DAY + 86_410, last_seen=DAY + 86_500, client_port=41_000),
    ]
    found = ask("longest-sessions", "sessions", rows)
    assert [(r["seconds"], r["bytes_out"], r["records"]) for r in found] == [
        (93_000, 1500, 6), (90, 500, 2), (10, 500, 2),
    ]  # fmt: skip


def test_getting_in_after_being_refused() -> None:
    stranger = {"client": FAR, "server": OURS, "client_side": "public", "server_side": "ours"}
    refused = session(**stranger, packets_out=0, packets_in=0, refused_out=4, rejected=4)
    inside = session(**stranger, first_seen=DAY + 500, last_seen=DAY + 600, server_port=80)
    # What we call ourselves, and what had been let in before, is nobody getting in.
    other = [session(first_seen=DAY + 700), session(**stranger, first_seen=DAY + 1)]
    (row,) = ask("accepted-after-rejected", "sessions", [refused, inside, *other])
    assert (row["srcaddr"], row["dstport"], row["rejected"]) == (FAR, 80, 4)
    assert (row["accepted"], row["answered"], row["bytes"]) == (1, 1, 500)
