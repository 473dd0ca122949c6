"""A day that is folded piece by piece, as its flows come, has the tables of the day as a whole."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest
from simulator import simulate, write

import flowscan
from flowscan import lake as storage
from flowscan import schema, traffic
from flowscan.traffic import pieces, resume

HOUR = 3600


def records(folder, form, seed, hours):
    """Header and lines of a small estate's first hours, by start."""
    write(simulate(seed, 0.01), folder, form)
    lines = []
    for path in sorted((folder / "logs").rglob("*.log*")):
        text = subprocess.run(["zcat", "-f", path], check=True, stdout=subprocess.PIPE).stdout
        header, *rest = text.decode().splitlines()
        lines += rest
    column = header.split().index("start")
    timed = sorted((int(line.split()[column]), line) for line in lines)
    first = timed[0][0]
    return header, [(start, line) for start, line in timed if start < first + hours * HOUR]


def ingest(folder, lake, name, header, lines):
    path = folder / f"{name}.log"
    path.write_text("\n".join([header, *lines]) + "\n")
    flowscan.ingest(path, lake)


def tables(lake):
    with traffic.reading(lake) as engine:
        return {
            name: engine.execute(f"SELECT * FROM {name} ORDER BY ALL").to_pylist()
            for name in schema.TRAFFIC_TABLES
        }


@pytest.fixture
def resumed(monkeypatch):
    """What folds of open days were given to resume from, one after the other."""
    seen = []
    fold = pieces._fold

    def noting(lake, snapshot, day, before):
        seen.append(before)
        return fold(lake, snapshot, day, before)

    monkeypatch.setattr(pieces, "_fold", noting)
    return seen


def piecewise(folder, header, timed, seed, step, delay):
    """Each record arrives up to `delay` seconds after its start; a fold every `step` seconds."""
    rng = random.Random(seed)
    slots = {}
    for start, line in timed:
        slots.setdefault((start + rng.randrange(delay)) // step, []).append(line)
    lake = storage.Lake.open(folder / "lake", create=True)
    for slot in sorted(slots):
        ingest(folder, folder / "lake", slot, header, slots[slot])
        traffic.fold(lake)
    return lake


def whole(folder, header, timed):
    ingest(folder, folder / "whole", "whole", header, [line for _, line in timed])
    return tables(storage.Lake.open(folder / "whole"))


CASES = [("v5", 11, 6, 1500, 1500), ("v2", 12, 6, 1500, 1500)]
MORE = [
    ("v5", 21, 24, 1200, 1500),
    ("v2", 22, 24, 1200, 1500),
    ("v5", 23, 24, 3600, 4000),
    ("v2", 24, 24, 700, 1500),
]


def compare(folder, form, seed, hours, step, delay):
    header, timed = records(folder, form, seed, hours)
    lake = piecewise(folder, header, timed, seed, step, delay)
    assert tables(lake) == whole(folder, header, timed)
    assert list(traffic.differences(lake.snapshot())) == []


@pytest.mark.parametrize("case", CASES)
def test_a_day_in_pieces_is_the_day_as_a_whole(tmp_path, resumed, case):
    compare(tmp_path, *case)
    assert len([before for before in resumed if before]) > len(resumed) / 3


@pytest.mark.slow
@pytest.mark.parametrize("case", MORE)
def test_many_days_in_pieces_are_the_days_as_a_whole(tmp_path, resumed, case):
    """Also where most flows come so late that the day is derived anew."""
    compare(tmp_path, *case)
    assert any(resumed)


def test_what_comes_too_late_derives_the_day_anew(tmp_path, resumed):
    header, timed = records(tmp_path, "v5", 13, 6)
    late = timed[50:60]
    lake = piecewise(tmp_path, header, timed[:50] + timed[60:], 13, 2 * HOUR, 60)
    ingest(tmp_path, tmp_path / "lake", "late", header, [line for _, line in late])
    resumed.clear()
    traffic.fold(lake)
    assert resumed == [None]
    assert tables(lake) == whole(tmp_path, header, timed)


def test_pieces_are_joined_when_the_day_is_over(tmp_path, resumed):
    header, timed = records(tmp_path, "v5", 14, 30)
    lake = piecewise(tmp_path, header, [x for x in timed if x[0] % 3 == 0], 14, 3 * HOUR, 60)
    days = {entry.min_start for entry in lake.snapshot().files("flows")}
    assert len({start // 86400 for start in days}) == 2
    snapshot = lake.snapshot()
    for table in schema.RESUME_TABLES:
        assert {e.min_start for e in snapshot.files(table)} <= {max(days) // 86400 * 86400}
    first = min(days) // 86400 * 86400
    for table in schema.TRAFFIC_TABLES:
        assert len([e for e in snapshot.files(table) if e.min_start == first]) == 1
    chosen = [x for x in timed if x[0] % 3 == 0]
    assert tables(lake) == whole(tmp_path, header, chosen)


def test_a_fold_that_is_killed_leaves_what_was_there(tmp_path):
    header, timed = records(tmp_path, "v5", 15, 5)
    cut = len(timed) - 400
    lake = piecewise(tmp_path, header, timed[:cut], 15, 2 * HOUR, 60)
    for i, after in enumerate((0.5, 0.9, 1.3)):
        rows = [line for _, line in timed[cut + 100 * i : cut + 100 * (i + 1)]]
        ingest(tmp_path, tmp_path / "lake", f"more{i}", header, rows)
        code = (
            "from flowscan import traffic; from flowscan.lake import Lake; "
            f"traffic.fold(Lake.open({str(tmp_path / 'lake')!r}))"
        )
        process = subprocess.Popen([sys.executable, "-c", code], env={**os.environ})
        time.sleep(after)
        process.send_signal(signal.SIGKILL)
        process.wait()
    ingest(tmp_path, tmp_path / "lake", "last", header, [line for _, line in timed[cut + 300 :]])
    traffic.fold(lake)
    assert tables(lake) == whole(tmp_path, header, timed)


def test_flows_that_went_are_nobody_to_resume_from(tmp_path):
    header, timed = records(tmp_path, "v5", 16, 4)
    lake = piecewise(tmp_path, header, timed, 16, 2 * HOUR, 60)
    snapshot = lake.snapshot()
    day = timed[0][0] // 86400 * 86400
    found = resume.of(snapshot.narrowed(day, day + 86_400))
    assert found is not None
    assert found.settled % 900 == 0
    assert found.settled < timed[-1][0] - resume.BEHIND_S + 1
    fewer = [e for e in snapshot.files("flows") if e != snapshot.files("flows")[0]]
    others = [e for name in schema.DERIVED_TABLES for e in snapshot.files(name)]
    gone = storage.Snapshot(snapshot.store, snapshot.version, [*fewer, *others], snapshot.totals)
    assert resume.of(gone.narrowed(day, day + 86_400)) is None


def test_the_tables_to_resume_from_have_the_columns_of_what_they_stand_for():
    for name, columns in schema.RESUME_TABLES.items():
        table = name.removeprefix("resume_")
        if table in schema.TRAFFIC_TABLES:
            assert columns == schema.TRAFFIC_TABLES[table]
