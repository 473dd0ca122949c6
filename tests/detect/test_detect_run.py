"""The run: hourly and once over all agree; what is due; withdrawal, bounds, parameters, folders."""

from __future__ import annotations

import dataclasses
import itertools
import tomllib
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from detect.detect_kit import BEGIN, DAY, NOW, Calls, append, write

from flowscan.detect import Options, detect, store
from flowscan.detect.trusted import Trusted
from flowscan.errors import ConfigError, QueryError
from flowscan.ingest import ingest
from flowscan.lake import Lake
from flowscan.sources import SourceOptions, open_source

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "sample_logs"


def essence(lake):
    """Findings without the times of the runs that made them."""
    return [dataclasses.replace(f, created=0, updated=0) for f in store.load(lake)]


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    from typer.testing import CliRunner

    from flowscan.cli.main import program

    where = tmp_path_factory.mktemp("sample") / "lake"
    lake = Lake.open(where, create=True)
    ingest(lake, [open_source(str(SAMPLE / "logs"), SourceOptions())])
    for name, category in (("sample-blocklist", "c2"), ("sample-tor", "tor")):
        words = ["feeds", "add", str(SAMPLE / "feeds" / f"{name}.txt"), "--category", category]
        assert CliRunner().invoke(program(), [*words, "--lake", str(where)]).exit_code == 0
    detect(lake, Options(), now=NOW)
    return lake


def test_sample_everything_planted_is_found(sample):
    found = store.load(sample)
    for wanted in tomllib.loads((SAMPLE / "expected.toml").read_text())["finding"]:
        mine = [f for f in found if f.detection == wanted["detection"]]
        names = {wanted.get("actor"), wanted.get("target"), wanted.get("interface")} - {None}
        fits = [
            f for f in mine
            if names <= {f.resource, f.details["address"], *(a.address for a in f.actors)}
            and f.first_seen < wanted["until"].timestamp()
            and f.last_seen >= wanted["from"].timestamp()
        ]  # fmt: skip
        assert fits, wanted["what"]


def test_sample_nothing_else_is_medium(sample):
    wanted = {
        f["detection"] for f in tomllib.loads((SAMPLE / "expected.toml").read_text())["finding"]
    }
    loud = [f for f in store.load(sample) if f.severity >= 4]
    assert {f.detection for f in loud} <= wanted
    assert len(loud) == len({f.detection for f in loud})


def test_sample_hourly_is_the_same_as_once(sample, tmp_path):
    flows = pl.concat(
        [pl.read_parquet(u, hive_partitioning=False) for u in sample.snapshot().uris("flows")],
        how="diagonal_relaxed",
    )
    coverage = sample.read("coverage")
    hourly = Lake.open(tmp_path / "hourly", create=True)
    hourly.append("coverage", coverage)
    once = Lake.open(tmp_path / "once", create=True)
    once.append("coverage", coverage)
    append(once, flows, name="all")
    detect(once, Options(), now=NOW)
    first = int(flows["start"].min()) // 3600 * 3600
    # Every third hour keeps the test short; 12 runs, among them one that has nothing new.
    for n, begin in enumerate(range(first, int(flows["start"].max()) + 1, 3 * 3600)):
        part = flows.filter((pl.col("start") >= begin) & (pl.col("start") < begin + 3 * 3600))
        if len(part):
            append(hourly, part, name=f"hour-{n}")
        detect(hourly, Options(), now=NOW + n)
    assert detect(hourly, Options(), now=NOW + 999).days == ()
    assert essence(hourly) == essence(once)


def small(tmp_path, count=30, **more):
    calls = Calls()
    calls.add(BEGIN, client="10.0.0.5", server="81.20.30.40", port=1000, count=count, vary="port",
              closed=True, **more)  # fmt: skip
    return write(tmp_path / "lake", calls.flows(), v2=True)


ONE = Options(only=("portscan",))


def test_only_what_is_new_is_evaluated(tmp_path):
    lake = small(tmp_path)
    assert detect(lake, ONE, now=NOW).days == (BEGIN,)
    version = lake.state().version
    assert detect(lake, ONE, now=NOW + 1).days == ()
    assert lake.state().version == version
    more = dataclasses.replace(ONE, parameters={"portscan": {"min_ports": 31}})
    assert detect(lake, more, now=NOW + 2).days == (BEGIN,)
    assert store.load(lake) == []


def test_silence_of_an_idle_interface_is_judged_from_what_was_known(tmp_path):
    """What NODATA says later of an interface changes no day that is over."""
    blind = Options(only=("blind-spot",))

    def nodata(at):
        rows = {"interface_id": "eni-10-0-0-9", "log_status": "NODATA", "start": at, "end": at + 59}
        return pa.Table.from_pylist([rows])

    calls = Calls()
    for day, at in itertools.product((0, 1), (4000, 40_000)):
        calls.add(BEGIN, client="10.0.0.9", server="62.1.1.1", port=443, day=day, at=at)
    lake = write(tmp_path / "lake", calls.flows(), v2=True)
    detect(lake, blind, now=NOW)
    assert store.load(lake) == []
    lake.append("coverage", nodata(BEGIN + DAY + 3900))
    assert detect(lake, blind, now=NOW).days == (BEGIN + DAY,)
    (one,) = store.load(lake)
    assert [day.day for day in one.days] == [BEGIN + DAY]
    assert one.evidence["seconds"] >= 20_000
    lake.append("coverage", nodata(BEGIN + 3900))
    assert detect(lake, blind, now=NOW).days == (BEGIN, BEGIN + DAY)
    (one,) = store.load(lake)
    assert [day.day for day in one.days] == [BEGIN, BEGIN + DAY]


def test_late_data_changes_the_numbers_of_its_day(tmp_path):
    lake = small(tmp_path)
    detect(lake, ONE, now=NOW)
    (before,) = store.load(lake)
    calls = Calls()
    calls.add(BEGIN, client="10.0.0.5", server="81.20.30.40", port=3000, at=9000, count=10,
              vary="port", closed=True)  # fmt: skip
    append(lake, calls.flows(), v2=True, name="late")
    detect(lake, ONE, now=NOW + 5)
    (after,) = store.load(lake)
    assert (after.id, after.count, after.created) == (before.id, before.count + 10, NOW)
    assert after.updated == NOW + 5


def test_a_finding_comes_back_from_the_archive_with_news_only(tmp_path):
    lake = small(tmp_path)
    detect(lake, ONE, now=NOW)
    (one,) = store.load(lake)
    store.set_status(lake, [one.id[:8]], "archived", "ours", NOW)
    detect(lake, dataclasses.replace(ONE, again=True), now=NOW + 1)
    assert store.load(lake)[0].status == "archived"
    calls = Calls()
    calls.add(BEGIN + DAY, client="10.0.0.5", server="81.20.30.40", port=1000, count=30,
              vary="port", closed=True)  # fmt: skip
    append(lake, calls.flows(), v2=True, name="next")
    detect(lake, ONE, now=NOW + 2)
    (one,) = store.load(lake)
    assert (one.status, len(one.days), one.count) == ("active", 2, 60)


@dataclasses.dataclass(frozen=True)
class Rule:
    reason: str = "a hired test"
    type: str = "Recon:*"
    actor: str = ""
    resource: str = ""
    port: int | None = None
    until: int | None = None


def test_suppressions_have_conditions_and_an_end(tmp_path):
    lake = small(tmp_path)
    rule = Rule(actor="81.20.0.0/16", until=NOW + 10)
    options = dataclasses.replace(ONE, suppress=(Rule(actor="9.9.9.9"), rule))
    detect(lake, options, now=NOW)
    (one,) = store.load(lake)
    assert (one.status, one.status_reason) == ("suppressed", "flowscan.toml: a hired test")
    detect(lake, options, now=NOW + 10)
    assert store.load(lake)[0].status == "active"


def test_trusted_actors_are_never_accused(tmp_path):
    lake = small(tmp_path)
    trusted = tmp_path / "trusted.txt"
    trusted.write_text("# ours\n81.20.30.0/24\n")
    detect(lake, dataclasses.replace(ONE, trusted=(str(trusted),)), now=NOW)
    assert store.load(lake) == []
    with pytest.raises(ConfigError):
        Trusted.read(["81.20.30"])


def test_many_pairs_give_bounded_findings(tmp_path):
    calls = Calls()
    for i in range(4):
        calls.add(BEGIN, client="10.0.0.5", server=f"81.{i}.0.1", port=2323, count=600,
                  every=0.1, vary="server", silent=True)  # fmt: skip
    lake = write(tmp_path / "lake", calls.flows(), v2=True)
    detect(lake, Options(only=("port-sweep",)), now=NOW)
    (one,) = store.load(lake)
    assert (len(one.actors), one.actors_total, one.count) == (1000, 2400, 2400)


def test_own_folder_replaces_and_adds(tmp_path):
    lake = small(tmp_path)
    folder = tmp_path / "mine"
    folder.mkdir()
    text = (ROOT / "queries/detections/portscan.sql").read_text()
    (folder / "my-scan.sql").write_text(
        text.replace('"portscan"', '"my-scan"').replace("EC2/Portscan", "EC2/MyScan")
    )
    detect(lake, Options(only=("my-scan",), folder=folder), now=NOW)
    assert [f.type for f in store.load(lake)] == ["Recon:EC2/MyScan"]


def test_names_and_parameters_are_checked(tmp_path):
    lake = small(tmp_path)
    with pytest.raises(QueryError, match="no detection 'nonsense'"):
        detect(lake, Options(only=("nonsense",)), now=NOW)
    with pytest.raises(QueryError, match="unknown detections: nonsense"):
        detect(lake, Options(parameters={"nonsense": {}}), now=NOW)
    with pytest.raises(QueryError, match="no parameter 'nonsense'"):
        detect(lake, dataclasses.replace(ONE, parameters={"portscan": {"nonsense": 1}}), now=NOW)


def test_default_format_runs_with_reduced_confidence(tmp_path):
    lake = small(tmp_path)
    result = detect(lake, Options(), now=NOW)
    assert "portscan" in result.reduced
    assert "tcp_flags" in result.reduced["portscan"]
    assert "c2-activity" in result.skipped
    assert store.load(lake)[0].confidence == "reduced"


def test_evidence_sql_shows_the_rows(tmp_path):
    from flowscan.engine import Engine

    lake = small(tmp_path)
    detect(lake, ONE, now=NOW)
    (one,) = store.load(lake)
    with Engine(lake.snapshot()) as engine:
        assert engine.query(one.evidence["sql"]).num_rows == 60


def test_labelled_capture(tmp_path, request):
    import os

    corpus = Path(os.environ.get("FLOWSCAN_CORPUS", ROOT.parent / "shared" / "corpus"))
    path = corpus / "labelled" / "iot23_34-1_mirai.v2.log.gz"
    if not path.exists():
        pytest.skip("the corpus is not here")
    lake = Lake.open(tmp_path / "lake", create=True)
    ingest(lake, [open_source(str(path), SourceOptions())])
    detect(lake, Options(), now=NOW)
    loud = {(f.detection, a.address) for f in store.load(lake) if f.severity >= 4 for a in f.actors}
    controller, scanned = "185.244.25.235", "66.67.61.168"
    assert {("beacon", controller), ("long-connection", controller)} <= loud
    assert ("rejected-egress", controller) in loud
    # 121 connections with invented source ports to one port of one host: labelled a horizontal
    # scan, in shape a flood.
    assert {("dos-tcp", scanned), ("dos-udp", "74.91.117.248")} <= loud
    assert {address for _, address in loud} == {
        controller, scanned, "71.61.66.148", "74.91.117.248", "50.50.50.53"}  # fmt: skip


def test_shipped_files_mean_the_same_in_both_dialects(sample):
    """The run gives the shipped text to DuckDB as it stands; read as Trino's it says the same."""
    from flowscan import queries
    from flowscan.detect import catalogue, tables
    from flowscan.engine import Engine
    from flowscan.traffic import derive

    days = [f.days[0].day for f in store.load(sample)]
    with Engine(sample.snapshot(), derived=False) as engine:
        derive.make(engine, min(days), max(days) + DAY)
        addresses = tables.strangers(engine)
        tables.make_places(engine, addresses, aws_services=True)
        tables.make_matches(engine, addresses, None)
        tables.make_geo(engine, addresses, ())
        seen = 0
        for d in catalogue():
            text = queries.inline(d.query, {})
            plain = engine.execute(text).to_pylist()
            read = engine.execute(engine.translate(text)).to_pylist()
            key = lambda row: sorted((k, str(v)) for k, v in row.items())  # noqa: E731
            assert sorted(map(key, plain)) == sorted(map(key, read)), d.id
            seen += len(plain)
        assert seen > 100


@pytest.mark.parametrize(("chunk_rows", "limit"), [(12_000_000, "1400MB"), (100, None)])
def test_a_day_larger_than_a_chunk_may_take_more_memory(sample, monkeypatch, chunk_rows, limit):
    from flowscan.detect import run

    given = []
    reading = run.reading

    def noted(*args, **options):
        given.append(options["memory_limit"])
        return reading(*args, **options)

    monkeypatch.setattr(run, "reading", noted)
    before = essence(sample)
    detect(sample, Options(again=True, chunk_rows=chunk_rows), now=NOW)
    assert set(given) == {limit}
    assert essence(sample) == before
