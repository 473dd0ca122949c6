from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from estate import Bucket, Estate, Folder, lake_rows
from s3_server import Server

from flowscan.batch import Summary, run_cycle
from flowscan.batch.cycle import STAGES
from flowscan.config import Settings
from flowscan.detect import store
from flowscan.errors import ConfigError
from flowscan.export import formats, lines, ocsf
from flowscan.findings import Actor, Counts, Day, Finding, finding_id
from flowscan.ingest import ingest
from flowscan.lake import Lake
from flowscan.lake.lock import hold
from flowscan.sources import open_source

NUMBERS = count(1)
NOW = int(time.time()) // 300 * 300
HOUR, DAY = 3600, 86400


def settings(lake: object, *sources: object, **sections: dict[str, Any]) -> Settings:
    made = Settings()
    made = replace(made, lake=replace(made.lake, path=str(lake)))
    made = replace(made, ingest=replace(made.ingest, sources=tuple(map(str, sources))))
    for name, values in sections.items():
        made = replace(made, **{name: replace(getattr(made, name), **values)})
    return made


def figures(summary: Summary, stage: str = "ingest") -> dict[str, Any]:
    return summary.stages[stage].figures


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    return Estate(Folder(tmp_path / "logs"))


def test_cycles_read_what_is_new_and_say_so(tmp_path: Path, estate: Estate) -> None:
    chosen = settings(tmp_path / "lake", tmp_path / "logs")
    estate.add(NOW - HOUR)
    first = run_cycle(chosen)
    assert (first.status, first.exit_code) == ("ok", 0)
    assert figures(first)["flows"] == 5
    estate.add(NOW - 600)
    assert figures(run_cycle(chosen))["flows"] == 5
    third = run_cycle(chosen)
    assert third.stages["ingest"].status == "nothing"
    assert figures(third)["already"] == 2
    body = json.loads(third.to_json())
    assert set(body["stages"]) == set(STAGES)
    assert lake_rows(Lake.open(tmp_path / "lake")) == estate.rows()


def test_nothing_to_do_is_fine(tmp_path: Path) -> None:
    summary = run_cycle(settings(tmp_path / "lake"))
    assert summary.exit_code == 0
    assert "no sources" in summary.stages["ingest"].message
    assert "no feeds" in summary.stages["feeds"].message


def test_late_objects_are_caught_within_the_overlap(tmp_path: Path, estate: Estate) -> None:
    chosen = settings(tmp_path / "lake", tmp_path / "logs")
    estate.add(NOW - 300)
    run_cycle(chosen)
    estate.add(NOW - DAY)  # appears a day late, below a listing mark
    assert figures(run_cycle(chosen))["flows"] == 5
    estate.add(NOW - 9 * DAY)  # beyond the overlap: listed again only by an ingest by hand
    assert figures(run_cycle(chosen))["flows"] == 0


def test_failed_objects_come_again_however_long_it_takes(tmp_path: Path, estate: Estate) -> None:
    chosen = settings(tmp_path / "lake", tmp_path / "logs")
    name = estate.add(NOW - 300)
    path = tmp_path / "logs" / name
    path.unlink()
    path.symlink_to(tmp_path / "logs" / name.rsplit("/", 1)[0] / "away")
    summary = run_cycle(chosen)
    assert (summary.status, summary.exit_code) == ("failed", 3)
    path.unlink()
    estate.put(name)
    later = run_cycle(chosen, clock=lambda: time.time() + 30 * DAY)
    assert figures(later)["flows"] == 5


def test_one_bad_source_does_not_stop_the_others(tmp_path: Path, estate: Estate) -> None:
    estate.add(NOW - 300)
    chosen = settings(tmp_path / "lake", tmp_path / "absent", tmp_path / "logs")
    summary = run_cycle(chosen)
    assert summary.status == "partial"
    assert figures(summary)["flows"] == 5
    assert "absent" in figures(summary)["errors"][0]


def test_a_defect_in_a_stage_is_told_and_the_others_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("with AKIAIOSFODNN7EXAMPLE in it")

    monkeypatch.setitem(STAGES, "match", broken)
    summary = run_cycle(settings(tmp_path / "lake"))
    assert summary.status == "failed"
    assert summary.stages["upkeep"].status == "done"
    assert "RuntimeError" in summary.to_json()
    assert "AKIA" not in summary.to_json()


def test_unknown_stage(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="known:"):
        run_cycle(settings(tmp_path / "lake", run={"stages": ("ingset",)}))


def test_second_cycle_leaves_at_once(tmp_path: Path) -> None:
    chosen = settings(tmp_path / "lake", run={"heartbeat": str(tmp_path / "beat.json")})
    run_cycle(chosen)
    before = (tmp_path / "beat.json").read_text()
    with hold(Lake.open(tmp_path / "lake").store, 60):
        summary = run_cycle(chosen)
    assert (summary.status, summary.exit_code) == ("busy", 75)
    assert f"process {os.getpid()}" in summary.message
    assert (tmp_path / "beat.json").read_text() == before


def test_stopped_before_a_stage(tmp_path: Path, estate: Estate) -> None:
    estate.add(NOW - 300)
    stop = threading.Event()
    stop.set()
    summary = run_cycle(settings(tmp_path / "lake", tmp_path / "logs"), stop=stop)
    assert (summary.status, summary.exit_code) == ("stopped", 0)
    assert {s.status for s in summary.stages.values()} == {"skipped"}


def test_report_and_heartbeat(tmp_path: Path, estate: Estate) -> None:
    estate.add(NOW - 300)
    chosen = settings(
        tmp_path / "lake",
        tmp_path / "logs",
        report={"path": str(tmp_path / "out/report.html")},
        run={"heartbeat": str(tmp_path / "beat.json")},
    )
    assert run_cycle(chosen).status == "ok"
    report = tmp_path / "out/report.html"
    assert report.read_text().startswith("<!")
    assert report.stat().st_mode & 0o077 == 0
    assert json.loads((tmp_path / "beat.json").read_text())["status"] == "ok"
    assert [p.name for p in report.parent.iterdir()] == ["report.html"]


def finding(number: int) -> Finding:
    counts = Counts(NOW, NOW + 9, 3, 4, 500)
    day = Day(0, counts, 5.0, (Actor("81.0.0.1", counts),), 1, {"port": number})
    return Finding(
        id=finding_id("t", "eni-1", str(number)), detection="beacon", type="Backdoor:EC2/Beacon",
        title="t", description="d", resource="eni-1", resource_role="ACTOR",
        dedup_key=str(number), confidence="full", account_id=None, region=None, details={},
        days=(day,), created=0, updated=0,
    )  # fmt: skip


def outputs(tmp_path: Path) -> dict[str, dict[str, str]]:
    return {
        "report": {"path": str(tmp_path / "out/report.json"), "format": "json"},
        "export": {"path": str(tmp_path / "out/findings.ndjson"), "format": "ndjson"},
    }


def statuses(summary: Summary) -> tuple[str, str]:
    return summary.stages["report"].status, summary.stages["export"].status


def test_outputs_are_made_again_only_when_something_changed(tmp_path: Path, estate: Estate) -> None:
    for i in range(4):
        estate.add(NOW - 3 * DAY + i * 300)
    chosen = settings(tmp_path / "lake", tmp_path / "logs", **outputs(tmp_path))
    at = [float(NOW // HOUR * HOUR + 300)]
    run = lambda: run_cycle(chosen, clock=lambda: at[0])  # noqa: E731
    first = run()
    assert statuses(first) == ("done", "done"), first.to_json()
    report = tmp_path / "out/report.json"
    before = report.read_text()
    at[0] += 600
    second = run()
    assert statuses(second) == ("unchanged", "unchanged")
    assert figures(second, "report") == {"path": str(report)}
    assert report.read_text() == before

    report.unlink()
    assert statuses(run()) == ("done", "unchanged")
    assert json.loads(report.read_text())["overview"] == json.loads(before)["overview"]

    estate.add(NOW - 2 * DAY)  # late
    assert statuses(run()) == ("done", "unchanged")
    assert statuses(run()) == ("unchanged", "unchanged")
    at[0] += HOUR
    assert statuses(run()) == ("done", "unchanged")  # another window
    other = replace(chosen, export=replace(chosen.export, format="csv"))
    assert statuses(run_cycle(other, clock=lambda: at[0])) == ("unchanged", "done")


def test_compaction_makes_no_output_again(tmp_path: Path, estate: Estate) -> None:
    lake = Lake.open(tmp_path / "lake", create=True)
    for i in range(4):
        estate.add((NOW - 6 * DAY) // DAY * DAY + HOUR + i * 300)
        ingest(lake, [open_source(str(tmp_path / "logs"))])
    never = settings(tmp_path / "lake", **outputs(tmp_path), upkeep={"every": 0})
    assert statuses(run_cycle(never, clock=lambda: NOW)) == ("done", "done")
    files = lake.snapshot().files("flows")
    always = replace(never, upkeep=replace(never.upkeep, every=1))
    compacted = run_cycle(always, clock=lambda: NOW)
    assert figures(compacted, "upkeep")["compacted"] == 1
    assert lake.snapshot().files("flows") != files
    assert statuses(run_cycle(never, clock=lambda: NOW)) == ("unchanged", "unchanged")


def test_findings_that_people_changed_are_exported_again(tmp_path: Path, estate: Estate) -> None:
    estate.add(NOW - HOUR)
    chosen = settings(tmp_path / "lake", tmp_path / "logs", **outputs(tmp_path))
    run_cycle(chosen)
    lake = Lake.open(tmp_path / "lake")
    (one,) = store.merge(lake, [finding(1)], {}, (), NOW)
    assert statuses(run_cycle(chosen)) == ("done", "done")
    store.set_status(lake, [one.id], "archived", None, NOW)
    assert statuses(run_cycle(chosen)) == ("done", "done")
    assert statuses(run_cycle(chosen)) == ("unchanged", "unchanged")
    (line,) = (tmp_path / "out/findings.ndjson").read_text().splitlines()
    assert json.loads(line)["status"] == "archived"


def test_export_makes_only_the_lines_of_what_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake.open(tmp_path / "lake", create=True)
    where = tmp_path / "findings.out"
    made: list[str] = []
    whole = ocsf.detection_finding
    monkeypatch.setitem(formats._DOCUMENTS, "ocsf", lambda f: made.append(f.dedup_key) or whole(f))

    def exported(form: str = "ocsf") -> list[str]:
        made.clear()
        chosen = settings(tmp_path / "lake", export={"path": str(where), "format": form})
        assert run_cycle(chosen).stages["export"].status == "done"
        again = sorted(made)
        assert where.read_text() == "".join(f"{x}\n" for x in lines(store.load(lake), form))
        return again

    store.merge(lake, [finding(n) for n in range(5)], {}, (), 1)
    assert exported() == ["0", "1", "2", "3", "4"]
    store.merge(lake, [replace(finding(3), title="news"), finding(7)], {"beacon": {0}}, (), 2)
    assert exported() == ["3", "7"]
    store.set_status(lake, [finding(3).id], "archived", "why", 3)
    assert exported() == ["3"]

    where.write_text(where.read_text().replace("news", "lies"))
    store.set_status(lake, [finding(3).id], "active", None, 4)
    assert exported() == ["3", "7"]
    for form in ("ecs", "csv", "json", "ocsf"):
        exported(form)
    lake.put_blob("run", "export", b'{"state":[]}')
    store.set_status(lake, [finding(3).id], "archived", None, 5)
    assert exported() == ["3", "7"]


def test_upkeep_when_due(tmp_path: Path, estate: Estate) -> None:
    chosen = settings(tmp_path / "lake", tmp_path / "logs", upkeep={"expire": 5 * DAY})
    for i in range(4):
        estate.add(NOW - 3 * DAY + i * 300)
        run_cycle(chosen)
    estate.add(NOW - 8 * DAY)
    assert run_cycle(chosen).stages["upkeep"].status == "nothing"
    later = run_cycle(chosen, clock=lambda: time.time() + DAY + 1)
    assert later.stages["upkeep"].status == "done"
    assert lake_rows(Lake.open(tmp_path / "lake"))


# -- the program ---------------------------------------------------------------------------


def program(*arguments: str, **more: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "flowscan", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


def test_init_and_run(tmp_path: Path, estate: Estate) -> None:
    estate.add(NOW - 300)
    with program("init", "--source", "logs", "--lake", "lake", cwd=tmp_path) as made:
        assert made.wait() == 0, made.communicate()
    with program("init", cwd=tmp_path) as again:
        assert again.wait() == 2
    with program("run", cwd=tmp_path) as run:
        out, err = run.communicate()
        assert run.returncode == 0, err
    assert json.loads(out)["stages"]["ingest"]["flows"] == 5
    assert err == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_every_goes_on_until_told_to_stop(
    tmp_path: Path, estate: Estate, number: signal.Signals
) -> None:
    config = tmp_path / "flowscan.toml"
    config.write_text('[lake]\npath = "lake"\n[ingest]\nsources = ["logs"]\n')
    estate.add(NOW - 300)
    with program("run", "--config", str(config), "--every", "1s", cwd="/") as run:
        assert run.stdout
        assert json.loads(run.stdout.readline())["stages"]["ingest"]["flows"] == 5
        estate.add(NOW - 300)
        while json.loads(run.stdout.readline())["stages"]["ingest"]["flows"] != 5:
            pass
        run.send_signal(number)
        _, err = run.communicate(timeout=30)
        assert run.returncode == 0, err
    assert lake_rows(Lake.open(tmp_path / "lake")) == estate.rows()


def test_sigterm_finishes_the_commit(tmp_path: Path, estate: Estate) -> None:
    """Told to stop amid thousands of objects, what was begun is committed, and the rest later."""
    for i in range(2000):
        estate.add(NOW - HOUR - i % 20 * 300, flows=2)
    config = tmp_path / "flowscan.toml"
    config.write_text(
        '[lake]\npath = "lake"\n[ingest]\nsources = ["logs"]\nworkers = 1\n[upkeep]\nevery = "0s"'
    )
    with program("run", "--config", str(config)) as run:
        while not list((tmp_path / "lake/_flowscan").glob("staging/*Z-*")):
            assert run.poll() is None
            time.sleep(0.01)
        run.send_signal(signal.SIGTERM)
        out, err = run.communicate(timeout=60)
        assert run.returncode == 0, err
    body = json.loads(out)
    assert body["status"] == "stopped"
    lake = Lake.open(tmp_path / "lake")
    assert len(lake_rows(lake)) == body["stages"]["ingest"]["flows"] < estate.flows
    with program("run", "--config", str(config)) as run:
        assert run.wait(120) == 0
    assert lake_rows(lake) == estate.rows()


def test_two_runs_at_once(tmp_path: Path, estate: Estate) -> None:
    for i in range(300):
        estate.add(NOW - HOUR - i % 12 * 300)
    config = tmp_path / "flowscan.toml"
    config.write_text('[lake]\npath = "lake"\n[ingest]\nsources = ["logs"]\n')
    Lake.open(tmp_path / "lake", create=True)
    runs = [program("run", "--config", str(config)) for _ in range(3)]
    outs = [run.communicate()[0] for run in runs]
    codes = [run.returncode for run in runs]
    assert set(codes) <= {0, 75}
    assert 0 in codes
    for code, out in zip(codes, outs, strict=True):
        assert json.loads(out)["status"] == ("ok" if code == 0 else "busy")
    assert lake_rows(Lake.open(tmp_path / "lake")) == estate.rows()


@pytest.mark.s3
def test_lake_and_logs_in_buckets(s3: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in s3.env.items():
        monkeypatch.setenv(name, value)
    number = next(NUMBERS)
    logs, lake = s3.bucket(f"run-logs-{number}"), s3.bucket(f"run-lake-{number}")
    estate = Estate(Bucket(s3.client(), logs))
    report = f"s3://{lake}/reports/latest.html"
    chosen = settings(f"s3://{lake}/lake", f"s3://{logs}", report={"path": report})
    for i in range(3):
        estate.add(NOW - HOUR - 300 * i)
        summary = run_cycle(chosen)
        assert summary.status == "ok", summary.to_json()
        assert figures(summary)["flows"] == 5
    estate.add(NOW - DAY)  # late
    for name in list(estate.made)[:2]:
        estate.put(name)  # repeated: the same bytes, the same etag
    assert figures(run_cycle(chosen))["flows"] == 5
    assert lake_rows(Lake.open(f"s3://{lake}/lake")) == estate.rows()
    body = s3.client().get_object(Bucket=lake, Key="reports/latest.html")["Body"].read()
    assert body.startswith(b"<!")
    assert run_cycle(chosen).stages["report"].status == "unchanged"
    s3.client().delete_object(Bucket=lake, Key="reports/latest.html")
    assert run_cycle(chosen).stages["report"].status == "done"
    assert s3.client().head_object(Bucket=lake, Key="reports/latest.html")["ContentLength"] > 1000
