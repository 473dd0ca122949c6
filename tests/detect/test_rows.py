"""Rows to findings: the shaping as columns against one group, one day and one row at a time."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal

import duckdb
import pyarrow as pa
import pytest

from flowscan.detect import catalogue, rows, shape
from flowscan.detect.trusted import Trusted
from flowscan.findings import Actor, Actors, Counts, finding_id

DAY = 86_400
ADDRESSES = ("10.0.0.1", "10.0.0.2", "10.0.0.3", None, "")
ACTORS = ("81.0.0.1", "81.0.0.2", "2001:db8::1", 'a"b\\c\n', "ü", None)
HOSTS = [
    {"day": day * DAY, "address": f"10.0.0.{n}", "interface_id": eni, "account_id": "1",
     "region": None, "vpc_id": f"vpc-{day}"}
    for day in range(3)
    for n, eni in ((1, "eni-1"), (2, "eni-1" if day else None))
]  # fmt: skip


def made(rng, *, function):
    """Rows as a function gives them, or as a query does, which knows the totals of a day."""
    found = []
    for n in range(rng.choice([0, 1, 40, 300])):
        day = rng.randrange(3) * DAY
        row = {
            "day": day, "resource": rng.choice(ADDRESSES), "dedup": rng.choice(["a", "b", None]),
            "actor": rng.choice(ACTORS), "first_seen": day + rng.randrange(99),
            "last_seen": day + 99 + rng.randrange(99), "flows": rng.randrange(3),
            "packets": rng.choice([None, 7]), "bytes": Decimal(rng.randrange(10**6)),
            "port": n, "share": rng.random(), "ports": [n, n + 1], "nothing": None,
        }  # fmt: skip
        if function:
            row |= {"severity": rng.choice([None, 1.0, 4.5, 8.0])}
            row |= {"role": rng.choice([None, "ACTOR"]), "direction": rng.choice([None, "inbound"])}
        if rng.random() < 0.9:
            row |= {"feed": rng.choice([None, "f"]), "category": rng.choice([None, 'c"2'])}
        found.append(row)
    names = dict.fromkeys(name for row in found for name in row)
    return [{name: row.get(name) for name in names} for row in found]


def slow_bounded(found, most):
    """What `rows.bounded` adds in SQL."""
    groups = defaultdict(list)
    for row in found:
        groups[row["day"], row["resource"], row["dedup"]].append(row)
    kept = []
    for mine in groups.values():
        sums = {f"day_{n}": sum(r[n] or 0 for r in mine) for n in ("flows", "packets", "bytes")}
        sums |= {"day_first": min(r["first_seen"] for r in mine), "day_actors": len(mine)}
        sums |= {"day_last": max(r["last_seen"] for r in mine)}
        order = sorted(mine, key=lambda r: (-r["flows"], r["actor"] is None, r["actor"] or ""))
        kept += [row | sums for row in order[:most]]
    return kept


def slow_findings(detection, found, most_actors, most):
    hosts = {(h["day"], h["address"]): h for h in HOSTS}
    groups = defaultdict(lambda: defaultdict(list))
    for row in found:
        address = row["resource"] or "unknown"
        resource = hosts.get((row["day"], address), {}).get("interface_id") or address
        days = groups[resource, row["dedup"] or ""]
        days[row["day"]].append({**row, "resource": address})
    made = []
    for (resource, dedup), days in groups.items():
        said = [slow_day(detection, day, mine, most_actors) for day, mine in sorted(days.items())]
        latest = detection.judged_by == "latest day"
        severity = said[-1]["severity"] if latest else max(d["severity"] for d in said)
        top = days[max(days)][0]
        host = hosts.get((max(days), top["resource"]), {})
        made.append({
            "id": finding_id(detection.type, resource, dedup), "resource": resource,
            "dedup_key": dedup, "days": said, "severity": severity, "address": top["resource"],
            "resource_role": top.get("role") or detection.role, "vpc_id": host.get("vpc_id"),
            "direction": top.get("direction") or detection.direction,
            "count": sum(d["counts"].flows for d in said),
        })  # fmt: skip
    made.sort(key=lambda f: (-f["severity"], -f["count"], f["id"]))
    return made[:most], max(0, len(made) - most)


def slow_counts(row, first="first_seen", last="last_seen", prefix=""):
    sums = (int(row[f"{prefix}{n}"] or 0) for n in ("flows", "packets", "bytes"))
    return Counts(row[first], row[last], *sums)


def slow_day(detection, day, mine, most):
    def grade(row):
        value = row.get("severity")
        return float(detection.severity if value is None else value)

    mine.sort(key=lambda r: (-grade(r), -r["flows"], str(r["actor"])))
    top = mine[0]
    if "day_flows" in top:
        counts = slow_counts(top, "day_first", "day_last", "day_")
    else:
        counts = slow_counts(top)
        for row in mine[1:]:
            counts = counts + slow_counts(row)
    actors = [
        Actor(r["actor"], slow_counts(r), {n: r[n] for n in ("feed", "category") if r.get(n)})
        for r in mine
        if r["actor"] is not None
    ]
    actors.sort(key=lambda a: (-a.counts.flows, a.address))
    total = max(len(actors), top.get("day_actors", 0)) if actors else 0
    names = [n for n in ("port", "share", "ports") if n in top]
    plain = lambda r: {n: round(r[n], 4) if n == "share" else r[n] for n in names}  # noqa: E731
    samples = [
        {"actor": r["actor"], **plain(r), "flows": r["flows"], "bytes": int(r["bytes"])}
        for r in mine[:5]
    ]
    return {
        "day": day, "counts": counts, "severity": grade(top), "actors": tuple(actors[:most]),
        "actors_total": total, "facts": plain(top), "samples": samples,
        "named": [r["actor"] for r in mine[:20] if r["actor"] is not None],
        "said": top.get("day_actors", len(mine)),
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_findings_of_columns_are_those_of_loops(monkeypatch, seed):
    rng = random.Random(seed)
    monkeypatch.setattr(shape, "MAX_ACTORS", 5)
    monkeypatch.setattr(rows, "MAX_FINDINGS", most := rng.choice([2, 1000]))
    detection = replace(
        catalogue(only=("portscan",))[0],
        evidence=("port", "share", "ports"),
        summary="{actors} and {port} of {resource}",
        judged_by=rng.choice(["latest day", "worst day"]),
    )
    function = rng.random() < 0.5
    found = made(rng, function=function)
    found = found if function else slow_bounded(found, 5)
    expected, expected_left = slow_findings(detection, found, 5, most)
    table = pa.Table.from_pylist(found)
    got, left = rows.findings(
        detection, table, shape.Hosts(lambda: pa.Table.from_pylist(HOSTS)), "full", 9
    )
    assert left == expected_left
    assert [f.id for f in got] == [f["id"] for f in expected]
    for one, wanted in zip(got, expected, strict=True):
        assert (one.created, one.confidence, one.account_id) == (
            9,
            "full",
            one.details.get("account_id"),
        )
        for name in ("resource", "dedup_key", "resource_role", "severity", "count"):
            assert getattr(one, name) == wanted[name], name
        for name in ("address", "direction", "vpc_id"):
            assert one.details.get(name) == wanted[name], name
        for day, said in zip(one.days, wanted["days"], strict=True):
            for name in ("day", "counts", "severity", "actors_total"):
                assert getattr(day, name) == said[name], name
            assert tuple(day.actors) == said["actors"]
            assert day.actors.text == Actors.of(said["actors"]).text
            assert not day.actors.distinct or len({a.address for a in day.actors}) == len(
                day.actors
            )
            evidence = dict(day.evidence)
            sql = evidence.pop("sql")
            assert all(a.replace("'", "''") in sql for a in said["named"])
            assert evidence.pop("samples") == said["samples"]
            what = f"{said['said']} and {said['facts'].get('port')} of "
            assert evidence.pop("what").startswith(what)
            assert evidence == said["facts"]


def test_sql_bounds_rows_as_the_loop_does(monkeypatch):
    monkeypatch.setattr(rows, "MAX_ACTORS", 5)
    found = made(random.Random(3), function=False)
    with duckdb.connect() as database:
        database.register("found", pa.Table.from_pylist(found))
        got = database.sql(rows.bounded("SELECT * FROM found")).to_arrow_table().to_pylist()
    key = lambda r: tuple(str(r[n]) for n in ("day", "resource", "dedup", "flows", "actor"))  # noqa: E731
    expected = slow_bounded(found, 5)
    assert sorted(map(key, got)) == sorted(map(key, expected))


def test_days_and_trusted_actors_are_chosen():
    actors = ["81.0.0.1", "81.0.1.1", None, "no address"]
    found = [{"day": day, "actor": a} for day in (0, DAY) for a in actors]
    table = pa.Table.from_pylist(found)
    trusted = Trusted.read(["81.0.0.0/24"])
    kept = rows.chosen(table, {DAY}, trusted)
    assert kept.to_pylist() == [{"day": DAY, "actor": a} for a in actors[1:]]
    assert rows.chosen(table, {0}, Trusted.read([])).num_rows == len(actors)


def test_no_rows_no_findings():
    assert rows.findings(catalogue()[0], pa.table({"day": []}), None, "full", 1) == ([], 0)
