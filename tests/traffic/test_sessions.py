"""Sessions against hand-made records and, by Hypothesis, against a slow obvious reference."""

from __future__ import annotations

from collections import defaultdict

import polars as pl
import pytest
from detect.detect_kit import BEGIN, flow, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowscan.engine import Engine

A, B = "10.0.0.5", "203.0.113.9"


def sessions(tmp_path, rows):
    lake = write(tmp_path / "lake", pl.DataFrame(rows, infer_schema_length=None))
    with Engine(lake.snapshot()) as engine:
        found = engine.execute("SELECT * FROM sessions ORDER BY first_seen, client, server")
        return found.to_pylist()


def pair(start, *, sport=40000, dport=443, eni="eni-1", a=A, b=B, packets=5, **more):
    return [
        flow(start, a, sport, b, dport, eni=eni, packets=packets, **more),
        flow(start, b, dport, a, sport, eni=eni, packets=packets - 1, size=900, **more),
    ]


def test_windows_and_directions_become_one_connection(tmp_path):
    rows = [r for i in range(30) for r in pair(BEGIN + 60 * i)]
    (one,) = sessions(tmp_path, rows)
    assert (one["client"], one["server"], one["client_port"], one["server_port"]) == (
        A, B, 40000, 443)  # fmt: skip
    assert (one["records"], one["packets_out"], one["packets_in"]) == (60, 150, 120)
    assert (one["bytes_out"], one["bytes_in"]) == (15000, 27000)
    assert (one["first_seen"], one["last_seen"]) == (BEGIN, BEGIN + 29 * 60)


def test_a_reused_five_tuple_is_two_connections(tmp_path):
    rows = pair(BEGIN) + pair(BEGIN + 351) + pair(BEGIN + 351 + 350)
    assert [s["records"] for s in sessions(tmp_path, rows)] == [2, 4]


def test_udp_connections_end_sooner(tmp_path):
    rows = pair(BEGIN, protocol=17, dport=5000) + pair(BEGIN + 181, protocol=17, dport=5000)
    assert len(sessions(tmp_path, rows)) == 2


def test_what_two_interfaces_saw_counts_once(tmp_path):
    inside = "10.0.0.9"
    rows = pair(BEGIN, b=inside) + pair(BEGIN, b=inside, eni="eni-2")
    (one,) = sessions(tmp_path, rows)
    assert (one["records"], one["packets_out"], one["packets_in"]) == (2, 5, 4)


def test_the_outer_leg_of_a_nat_gateway_is_dropped(tmp_path):
    nat = "10.0.0.220"
    rows = [
        flow(BEGIN, A, 40000, B, 443, eni="eni-host", pkt_srcaddr=A, pkt_dstaddr=B),
        flow(BEGIN, B, 443, A, 40000, eni="eni-host", pkt_srcaddr=B, pkt_dstaddr=A),
        flow(BEGIN, A, 40000, nat, 443, eni="eni-nat", pkt_srcaddr=A, pkt_dstaddr=B),
        flow(BEGIN, nat, 51000, B, 443, eni="eni-nat", pkt_srcaddr=nat, pkt_dstaddr=B),
        flow(BEGIN, B, 443, nat, 51000, eni="eni-nat", pkt_srcaddr=B, pkt_dstaddr=nat),
        flow(BEGIN, nat, 443, A, 40000, eni="eni-nat", pkt_srcaddr=B, pkt_dstaddr=A),
    ]
    (one,) = sessions(tmp_path, rows)
    assert (one["client"], one["server"], one["packets_out"]) == (A, B, 5)


def test_pods_behind_an_interface_are_no_nat_gateway(tmp_path):
    node, pod = "10.0.0.10", "10.0.0.77"
    rows = [
        flow(BEGIN, node, 41000, B, 443, pkt_srcaddr=pod, pkt_dstaddr=B),
        flow(BEGIN, B, 443, node, 41000, pkt_srcaddr=B, pkt_dstaddr=pod),
        flow(BEGIN, node, 42000, B, 443, pkt_srcaddr=node, pkt_dstaddr=B),
        flow(BEGIN, B, 443, node, 42000, pkt_srcaddr=B, pkt_dstaddr=node),
    ]
    assert {s["client"] for s in sessions(tmp_path, rows)} == {node, pod}


@pytest.mark.parametrize(
    ("rows", "client", "sign"),
    [
        # SYN without ACK beats the ports.
        ([flow(BEGIN, A, 80, B, 40000, tcp_flags=2), flow(BEGIN, B, 40000, A, 80, tcp_flags=18)],
         A, "syn"),
        ([flow(BEGIN, B, 50000, A, 3389, packets=1, action="REJECT")], B, "only"),
        (pair(BEGIN, dport=22), A, "port"),
        ([flow(BEGIN, B, 55000, A, 60000, packets=1, size=60),
          flow(BEGIN, A, 60000, B, 55000, packets=1, size=40)], B, "size"),
        (pair(BEGIN, sport=1500, dport=8080), A, "port"),
        ([flow(BEGIN + 3, A, 1500, B, 1600), flow(BEGIN, B, 1600, A, 1500)], B, "time"),
        (pair(BEGIN, sport=40000, dport=9999), A, "dynamic"),
        # Refused packets of a stranger's well-known port: a late answer only where payload went
        # over before; anybody can scan from such a port.
        ([flow(BEGIN, B, 443, A, 45000, packets=1, size=40, action="REJECT")], B, "only"),
    ],
)  # fmt: skip
def test_who_called(tmp_path, rows, client, sign):
    (one,) = sessions(tmp_path, rows)
    assert (one["client"], one["initiator"]) == (client, sign)


def test_an_endpoint_that_many_share_serves(tmp_path):
    # An old client port range lies below the server's port.
    rows = [r for i in range(5) for r in pair(BEGIN + 400 * i, sport=1037 + i, dport=16000)]
    found = sessions(tmp_path, rows)
    assert {(s["client"], s["initiator"]) for s in found} == {(A, "endpoint")}


def test_counts_that_no_interface_can_pass_are_capped(tmp_path):
    most = 2**63 - 1
    rows = [flow(BEGIN + i, A, 40000 + i, B, 443, packets=most, size=most) for i in range(50)]
    found = sessions(tmp_path, rows)
    assert {(s["packets_out"], s["bytes_out"]) for s in found} == {(2**45, 2**45)}


def test_a_flood_of_ours_is_ours_and_answers_to_a_scan_are_not(tmp_path):
    flood = [flow(BEGIN, A, 1024 + 611 * i, B, 6000, packets=1, size=40) for i in range(105)]
    assert {s["client"] for s in sessions(tmp_path / "a", flood)} == {A}
    answers = [flow(BEGIN + i, A, 20 + 7 * i, B, 1254, packets=1, size=40) for i in range(60)]
    assert {s["client"] for s in sessions(tmp_path / "b", answers)} == {B}


def test_a_strangers_port_is_no_service_because_he_calls_many_from_it(tmp_path):
    rows = [
        r
        for i in range(12)
        for r in pair(BEGIN + i, a=B, b=f"10.0.0.{20 + i}", sport=50321, eni=f"eni-{i}")
    ]
    assert {s["client"] for s in sessions(tmp_path, rows)} == {B}


def test_a_connection_ends_at_midnight(tmp_path):
    assert len(sessions(tmp_path / "a", pair(BEGIN - 30) + pair(BEGIN + 30))) == 2


def reference(rows):
    """Islands of one key: sort, walk, split where the gap is too long."""
    keys = defaultdict(list)
    for r in rows:
        ends = tuple(sorted([(r["srcaddr"], r["srcport"]), (r["dstaddr"], r["dstport"])]))
        keys[(*ends, r["protocol"])].append(r)
    found = []
    for key, mine in keys.items():
        gap = {6: 350, 17: 180}.get(key[2], 60)
        mine.sort(key=lambda r: r["start"])
        until = None
        for r in mine:
            if until is None or r["start"] > until + gap:
                found.append([0, 0, 0])
                until = r["end"]
            until = max(until, r["end"])
            found[-1][0] += 1
            found[-1][1] += r["packets"]
            found[-1][2] += r["bytes"]
    return sorted(found)


rows_strategy = st.lists(
    st.builds(
        lambda t, d, ap, bp, up, p, n: flow(
            BEGIN + t, *((A, ap, B, bp) if up else (B, bp, A, ap)),
            protocol=p, packets=n, size=60 * n, end=BEGIN + t + d,
        ),
        st.integers(0, 4000), st.integers(0, 700), st.sampled_from([1, 40000, 40001]),
        st.sampled_from([53, 443, 50000]), st.booleans(), st.sampled_from([6, 17, 1]),
        st.integers(1, 9),
    ),
    min_size=1, max_size=40,
)  # fmt: skip


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=rows_strategy)
def test_stitching_is_the_reference(tmp_path_factory, rows):
    found = sessions(tmp_path_factory.mktemp("s"), rows)
    counts = sorted(
        [s["records"], s["packets_out"] + s["packets_in"], s["bytes_out"] + s["bytes_in"]]
        for s in found
    )
    assert counts == reference(rows)
