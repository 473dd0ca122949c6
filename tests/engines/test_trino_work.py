"""`detect` and `report` on Trino, through the product's own Athena code: as on DuckDB."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from athena_on_trino import BUCKET, Shelf, TrinoAsAthena
from conftest import create

from flowscan.detect import Options, detect, store
from flowscan.engine import athena
from flowscan.engine.athena_work import PREFIX, OnAthena
from flowscan.errors import EngineError
from flowscan.lake import Lake
from flowscan.report import Options as ReportOptions
from flowscan.report import build, render_json

pytestmark = pytest.mark.engines
NOW, DAY = 1785900000, 86_400
FIRST = 1785715200
FEEDS = Path(__file__).parents[2] / "sample_logs" / "feeds"


@dataclass
class Place:
    """A lake that Trino reads as database `work`, and a copy of it for DuckDB."""

    trino: object
    files: Path
    theirs: Lake
    mine: Lake

    def opener(self, root: str = f"{BUCKET}/work", **more) -> OnAthena:
        client = TrinoAsAthena(self.trino, **more)
        target = athena.Target("work")
        return OnAthena(client, target, Shelf(self.files / "results"), root, poll=0)

    def left(self) -> list[str]:
        """Databases and files of runs that are still there."""
        schemas = [row[0] for row in self.trino.run("SHOW SCHEMAS").rows]
        files = [str(p) for p in (self.files / "results").rglob("*") if p.is_file()]
        return [s for s in schemas if s.startswith(PREFIX)] + files


def flowscan(*arguments: str, lake: Path) -> None:
    subprocess.run([sys.executable, "-m", "flowscan", *arguments, "--lake", str(lake)], check=True)


@pytest.fixture(scope="module")
def place(both, tmp_path_factory) -> Place:
    files = Path(str(both.lake.snapshot().root)).parent
    theirs, mine = files / "work", tmp_path_factory.mktemp("mine") / "lake"
    shutil.copytree(files / "lake", theirs)
    flowscan("feeds", "add", str(FEEDS / "sample-blocklist.txt"), "--category", "c2", lake=theirs)
    flowscan("feeds", "add", str(FEEDS / "sample-tor.txt"), "--category", "tor", lake=theirs)
    flowscan("match", lake=theirs)
    shutil.copytree(theirs, mine)
    create(both.trino, "work", f"{BUCKET}/work")
    return Place(both.trino, files, Lake.open(theirs), Lake.open(mine))


def shown(lake: Lake) -> dict[str, tuple]:
    return {
        f.id: (f.detection, f.severity, f.count, f.counts, f.resource, f.description, f.actors)
        for f in store.load(lake)
    }


def test_findings_are_the_same(place: Place) -> None:
    on = place.opener()
    result = detect(place.theirs, Options(opener=on), now=NOW)
    local = detect(place.mine, now=NOW)
    assert len(local.findings) > 10
    assert (result.ran, result.days, result.left_out) == (local.ran, local.days, local.left_out)
    assert shown(place.theirs) == shown(place.mine)
    assert place.left() == []
    assert on.spent.statements == len(on.client.sent) > 60
    assert on.spent.scanned == 20_000_000 * on.spent.statements


def test_one_engine_goes_on_from_the_other(place: Place) -> None:
    """A day evaluated again on Athena looks back as DuckDB does, on what it derives itself."""
    before = shown(place.mine)
    only = ("exfiltration", "volume-unusual", "port-unusual")
    again = Options(since=FIRST + DAY, again=True, only=only)
    on = place.opener()
    detect(place.theirs, replace(again, opener=on), now=NOW)
    detect(place.mine, again, now=NOW)
    assert shown(place.theirs) == shown(place.mine) == before


def test_the_report_is_the_same(place: Place) -> None:
    for since, until in ((None, None), (FIRST + 40_000, FIRST + 100_000)):
        on = place.opener()
        theirs = build(place.theirs, since, until, now=NOW, options=ReportOptions(opener=on))
        mine = build(place.mine, since, until, now=NOW)
        assert mine.rejected_ports
        assert mine.matches
        left, right = json.loads(render_json(theirs)), json.loads(render_json(mine))
        assert left.pop("lake") != right.pop("lake")
        assert left == right
        assert place.left() == []


@pytest.mark.parametrize(
    ("at", "error", "raised"),
    [
        ("CREATE TABLE contacts ", None, EngineError),
        ("CREATE TABLE slices ", KeyboardInterrupt(), KeyboardInterrupt),
        ("CREATE SCHEMA", KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_nothing_is_left_after_an_error(place: Place, at, error, raised) -> None:
    on = place.opener(stop_at=at, stop_with=error)
    with pytest.raises(raised):
        detect(place.theirs, Options(again=True, opener=on, only=("beacon",)), now=NOW)
    assert on.client.sent[-1][1].startswith("DROP SCHEMA IF EXISTS flowscan_tmp_")
    assert place.left() == []


def test_tables_of_another_lake_are_refused(place: Place) -> None:
    on = place.opener(f"{BUCKET}/other")
    with pytest.raises(EngineError, match="show another lake"):
        detect(place.theirs, Options(again=True, opener=on, only=("beacon",)), now=NOW)
    assert place.left() == []
