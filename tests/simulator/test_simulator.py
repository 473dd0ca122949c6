"""The simulator itself: repeatable, complete, and its records add up to its truth."""

from __future__ import annotations

import gzip
from collections import defaultdict

import pytest

from .catalogue import HOSTILE, ORDINARY
from .model import BACK, OUT
from .play import BEGIN, END, simulate
from .score import exposure, internet, score
from .truth import Truth, truth
from .writer import FORMATS, TGW, line, write


@pytest.fixture(scope="module")
def day():
    return simulate(5, 0.02, tgw=True)


def test_the_same_seed_gives_the_same_records(day):
    def texts(simulation):
        return [line(r, "v5", simulation.estate) for r in simulation.records]

    again = simulate(5, 0.02, tgw=True)
    assert texts(day) == texts(again)
    assert truth(day).connections.equals(truth(again).connections)
    assert texts(day) != texts(simulate(6, 0.02, tgw=True))


def test_every_kind_is_there(day):
    assert {t.kind for t in day.talks} == {*ORDINARY, *HOSTILE}
    assert {t.kind for t in day.talks if t.hostile} == set(HOSTILE)


def test_a_kind_alone_is_what_it_is_among_others(day):
    alone = simulate(5, 0.02, kinds=("guessing",))
    shown = [(t.client.address, t.client_port, t.bursts) for t in alone.talks]
    among = [(t.client.address, t.client_port, t.bursts) for t in day.talks if t.kind == "guessing"]
    assert shown == among


def test_records_of_each_interface_add_up_to_the_truth(day):
    sums = defaultdict(lambda: [0, 0, 0, 0])
    for view, start, end, packets, size, _, refused, number in day.records:
        assert BEGIN <= start <= end < END
        assert packets > 0
        assert size >= 28 * packets
        each = sums[number, view.hop.name, view.hop.interface.id, view.way]
        each[2 if refused else 0] += packets
        each[3 if refused else 1] += size
    talks = {t.number: t for t in day.talks}
    assert sums
    most = defaultdict(list)
    for (number, _, _, way), found in sums.items():
        true = talks[number].sums[way]
        if talks[number].kind == "lossy":  # what is lost, its receiver did not log
            assert found[0] <= true[0]
            most[number, way] = max(most[number, way], found)
        elif not true[2]:
            assert found == true
        else:  # refused on the way: accepted at the sender's
            assert found[0] + found[2] in (true[0], true[0] + true[2])
    assert most
    assert all(found == talks[number].sums[way] for (number, way), found in most.items())


def test_what_is_refused_is_refused_by_an_interface_that_logs(day):
    refused = {r[7] for r in day.records if r[6]}
    assert refused == {t.number for t in day.talks if t.sums[OUT][2] or t.sums[BACK][2]}


def test_a_window_is_not_longer_than_the_interface_has(day):
    for view, start, end, *_ in day.records:
        assert end - start < view.hop.interface.window


def test_the_four_legs_of_a_nat_gateway(day):
    seen = defaultdict(set)
    for view, *_, number in day.records:
        if view.hop.name.startswith("nat"):
            seen[number].add((view.hop.name, view.way))
            if view.hop.name == "nat-inner":
                nat = view.hop.interface.primary
                assert nat == (view.dstaddr if view.way == OUT else view.srcaddr)
                assert nat not in (view.pkt_src, view.pkt_dst)
    legs = {(name, way) for name in ("nat-inner", "nat-outer") for way in (OUT, BACK)}
    assert any(found == legs for found in seen.values())


def test_objects_have_the_fields_of_their_format(day, tmp_path):
    counts = write(day, tmp_path, "v5")
    assert counts["logs"] > 10_000
    assert counts["tgw"] > 100
    for folder, header in (("logs", FORMATS["v5"]), ("tgw", TGW)):
        for path in (tmp_path / folder).rglob("*.log.gz"):
            first, *lines = gzip.decompress(path.read_bytes()).decode().splitlines()
            assert first == header
            assert {len(text.split()) for text in lines} == {len(header.split())}
    assert Truth.load(tmp_path / "truth").connections.equals(truth(day, "v5").connections)


def test_exposed_is_what_answered_with_payload(day):
    known = truth(day)
    rows = [tuple(row[:3]) for row in known.summary["exposed"]]
    assert {port for _, port, _ in rows} >= {22, 25, 80, 443, 5060, 8888}
    never = (known.summary["nat"][0], 22, 6)
    found = exposure(known, [*rows[1:], never])
    assert (len(found["found"]), len(found["missed"])) == (len(rows) - 1, 1)
    assert found["never_answered"] == [never]


def test_internet_pairs_are_compared_to_the_byte(day):
    known = truth(day)
    rows = [tuple(row[:4]) for row in known.summary["internet_pairs"]]
    assert internet(known, rows) == []
    ours, theirs, out, back = rows[0]
    (off,) = internet(known, [*rows, (ours, theirs, 1, 0)])
    assert off == (ours, theirs, (out + 1, back), (out, back))
    assert sum(row[2] for row in rows) == known.summary["internet_out"]


def perfect(known: Truth) -> list[dict]:
    names = ("out", "in")
    return [
        {
            **c,
            **{f"bytes_{n}": c[f"bytes_{n}"] + c[f"refused_bytes_{n}"] for n in names},
            "refused_bytes_out": None,
            "refused_bytes_in": None,
            "decided_by": "truth",
        }
        for c in known.connections.to_pylist()
    ]


def test_the_truth_scores_full_marks(day):
    known = truth(day)
    found = score(known, perfect(known))
    assert found.everything.share == found.hostile.share == 1.0
    assert found.bytes_ratio == 1.0
    assert not found.pairs
    assert all(got == true for got, true in found.internet.values())
    assert all(true == told for true, told in found.outcomes)
    assert "callers right   100.0000%" in found.text()


def test_wrong_answers_are_counted(day):
    known = truth(day)
    rows = perfect(known)
    for row in rows:
        if row["kind"] == "guessing":
            row["client"], row["server"] = row["server"], row["client"]
            row["client_port"], row["server_port"] = row["server_port"], row["client_port"]
        elif row["kind"] == "cache-calls" or row["undecidable"]:
            row["decided_by"] = "undecided"
    rows = [row for row in rows if row["kind"] != "gossip"]
    found = score(known, rows)
    assert found.kinds["guessing"].turned == found.kinds["guessing"].total
    assert found.kinds["cache-calls"].undecided == found.kinds["cache-calls"].total
    assert found.kinds["gossip"].missing == found.kinds["gossip"].total
    assert found.everything.excused > 0
    assert found.kinds["visitors"].share == 1.0
    assert found.kinds["guessing"].share == 0.0


def test_what_nobody_can_tell_is_little(day):
    for fmt, most in (("v2", 0.01), ("v5", 0.005)):
        marks = [c for c in truth(day, fmt).connections.to_pylist() if c["undecidable"]]
        assert 0 < len(marks) < most * len(day.talks)
    assert {c["protocol"] for c in marks} <= {1, 17, 58}
