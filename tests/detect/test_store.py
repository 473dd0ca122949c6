"""The table of findings: merged by row against a merge of objects; lists in order and in parts."""

from __future__ import annotations

import dataclasses
import random
import types

import pyarrow as pa
import pytest

from flowscan.detect import store, suppress
from flowscan.findings import (
    Actor,
    Counts,
    Day,
    Finding,
    finding_id,
    stored,
    to_row,
    update,
    withdraw,
)
from flowscan.lake import Lake
from flowscan.schema import small_schema

DAY = 86_400
NAMES = ("portscan", "beacon", "blind-spot")


def finding(rng: random.Random, number: int, days: set[int]) -> Finding:
    name = NAMES[number % 3]
    made = []
    for day in sorted(days):
        at = day * DAY + rng.randrange(DAY)
        counts = Counts(at, at + rng.randrange(2 * DAY), rng.randrange(9), 1, rng.randrange(99))
        actors = tuple(Actor(f"81.0.{rng.randrange(3)}.{i}", counts) for i in range(3))
        evidence = {"port": rng.choice([22, 23]), "what": f'{number} "day":{day * DAY},'}
        made.append(Day(day * DAY, counts, float(rng.randrange(1, 9)), actors, 3, evidence))
    return Finding(
        id=finding_id(name, "eni-1", str(number)), detection=name, type=f"Recon:EC2/{name}",
        title="t", description=str(days), resource=f"eni-{number}", resource_role="TARGET",
        dedup_key=str(number), confidence="full", account_id=None, region=None,
        details={"address": f"10.0.0.{number}"}, days=tuple(made), created=0, updated=0,
    )  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Rule:
    reason: str = "expected"
    type: str = "*"
    actor: str = ""
    resource: str = ""
    port: int | None = None
    until: int | None = None


RULES = (
    Rule("a", type="Recon:EC2/port*", port=22),
    Rule("b", resource="10.0.0.2/31", until=1000),
    Rule("c", actor="81.0.0.0/24"),
)


def slow_merge(known, fresh, evaluated, rules, now):
    """Every finding as an object, whether something was said about it or not."""
    result, new = {}, {f.id: f for f in fresh}
    for id_, one in known.items():
        days = evaluated.get(one.detection, set())
        if id_ in new:
            result[id_] = update(one, new[id_], days, now)
        elif (left := withdraw(one, days, now)) is not None:
            result[id_] = left
    for id_ in new.keys() - known.keys():
        result[id_] = update(None, new[id_], (), now)
    live = [r for r in rules if r.until is None or now < r.until]
    return {id_: suppress.apply(one, live) for id_, one in result.items()}


@pytest.mark.parametrize("seed", range(5))
def test_rows_merge_as_objects_do(tmp_path, seed):
    rng = random.Random(seed)
    lake = Lake.open(tmp_path / "lake", create=True)
    known: dict[str, Finding] = {}
    for now in range(990, 1010):
        every = {name: {d * DAY for d in rng.sample(range(6), rng.randrange(4))} for name in NAMES}
        every = {} if rng.random() < 0.2 else every
        fresh = []
        for number in range(12):
            days = {d // DAY for d in every.get(NAMES[number % 3], ())}
            if days and rng.random() < 0.5:
                fresh.append(finding(rng, number, set(rng.sample(sorted(days), 1)) | days))
        rules = rng.sample(RULES, rng.randrange(4))
        before, known = known, slow_merge(known, fresh, every, rules, now)
        news = store.merge(lake, fresh, every, rules, now)
        assert {f.id: f for f in store.load(lake)} == known
        assert {f.id: f for f in news} == {i: f for i, f in known.items() if before.get(i) != f}
        rows = lake.read("findings").to_pylist()
        assert rows == [to_row(dataclasses.replace(known[r["id"]], merged=None)) for r in rows]
        assert rows == sorted(rows, key=lambda r: (-r["severity"], -r["last_seen"], r["id"]))
        if known and rng.random() < 0.3:
            (changed,) = store.set_status(lake, [rng.choice(sorted(known))], "archived", "x", now)
            expected = {"status": "archived", "status_reason": "x", "updated": now}
            known[changed.id] = dataclasses.replace(known[changed.id], **expected)
            assert changed == known[changed.id]


def filled(lake, count=40):
    rng = random.Random(1)
    store.merge(lake, [finding(rng, n, {n % 5}) for n in range(count)], {}, (), 1)
    return {f.id: f for f in store.load(lake)}


def test_untouched_rows_are_not_read(tmp_path, monkeypatch):
    lake = Lake.open(tmp_path / "lake", create=True)
    filled(lake)
    read = []
    whole = store.from_row
    monkeypatch.setattr(store, "from_row", lambda row: read.append(row["id"]) or whole(row))
    one = finding(random.Random(2), 7, {2})
    assert [f.id for f in store.merge(lake, [one], {"beacon": {2 * DAY}}, (), 2)]
    of_that_day = {finding(random.Random(2), n, {2}).id for n in range(40) if n % 15 == 7}
    assert set(read) == of_that_day


def test_an_idle_merge_reads_nothing_twice(tmp_path, monkeypatch):
    lake = Lake.open(tmp_path / "lake", create=True)
    filled(lake)
    version = lake.state().version
    rules = (Rule(type="Recon:EC2/portscan", port=1),)
    assert store.merge(lake, [], {"beacon": set()}, rules, 2) == []
    monkeypatch.setattr(store, "read", None)
    monkeypatch.setattr(lake, "replace", None)
    assert store.merge(lake, [], {}, rules, 3) == []
    assert lake.state().version == version


def test_a_rule_speaks_again_of_what_people_reopened(tmp_path):
    lake = Lake.open(tmp_path / "lake", create=True)
    filled(lake)
    rules = (Rule(resource="eni-3"),)
    (one,) = store.merge(lake, [], {}, rules, 2)
    assert (store.merge(lake, [], {}, rules, 3), one.status) == ([], "suppressed")
    store.set_status(lake, [one.id], "active", None, 4)
    assert [f.id for f in store.merge(lake, [], {}, rules, 5)] == [one.id]


@pytest.mark.parametrize("shuffled", [False, True])
def test_chosen_findings_come_in_order_and_in_parts(tmp_path, monkeypatch, shuffled):
    lake = Lake.open(tmp_path / "lake", create=True)
    known = filled(lake)
    if shuffled:  # as a lake may be that an earlier version wrote
        rows = sorted(lake.read("findings").to_pylist(), key=lambda r: r["id"])
        table = pa.Table.from_pylist(rows, schema=small_schema("findings"))
        lake.replace("findings", lambda _: table.slice(0, 20))
        lake.append("findings", table.slice(20))
    monkeypatch.setattr(stored, "_AT_ONCE", 7)
    monkeypatch.setattr(stored, "_GATHERED", 5)
    choice = stored.Choice("active", 3.0, frozenset({"beacon", "portscan"}), DAY, 3 * DAY)
    fits = [
        f for f in known.values()
        if f.severity >= 3 and f.detection != "blind-spot"
        and f.last_seen >= DAY and f.first_seen < 3 * DAY
    ]  # fmt: skip
    fits.sort(key=lambda f: (-f.severity, -f.last_seen, f.id))
    chosen = stored.choose(lake, choice)
    assert list(chosen.findings()) == fits
    assert chosen.table["id"].to_pylist() == [f.id for f in fits]
    assert 3 < len(chosen) < 40
    some = chosen.take([2, 0])
    assert [r["id"] for r in some.rows(["id", "days"])] == [fits[2].id, fits[0].id]
    assert list(chosen.take([]).findings()) == []
    assert isinstance(chosen.findings(), (types.GeneratorType, map))


def test_no_findings_are_no_error(tmp_path):
    lake = Lake.open(tmp_path / "lake", create=True)
    assert store.load(lake) == []
    assert store.merge(lake, [], {"beacon": {DAY}}, (Rule(),), 1) == []
    assert lake.state().version == 0
