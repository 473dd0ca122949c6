"""Lakes that the cycle is measured on: made once per scratch folder, and copied for what changes.

A lake NAME has its objects in NAME-src, the newest object, not yet delivered, in NAME-next, one of
long ago in NAME-late, and what describes it in NAME.json. Its last day came in one commit an
object, the days before in one ingest; a cycle has run over it. Invariant: NAME itself is never
changed once it is there, and the sources are as they were when a `delivered` ends.
"""

from __future__ import annotations

import fcntl
import json
import multiprocessing
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.measure import Spent, spend

DAY = 86_400
LATE_DAYS, LATE_FLOWS = 25, 49
SETTINGS = """\
[ingest]
sources = [{source}]
[report]
path = {report}
[export]
path = {export}
[upkeep]
every = "0s"  # compaction is measured apart
"""


@dataclass(frozen=True)
class Kind:
    """`days` of about `flows` each, in objects of `slot` seconds; see `Estate` for `turnover`."""

    days: int
    flows: int
    slot: int
    turnover: float = 0.02


KINDS = {
    "week": Kind(7, 8_300_000, 600),
    "year": Kind(365, 57_000, 3600),
    "busy": Kind(1, 50_000_000, 600),
    "small": Kind(7, 400_000, 600),
    "strangers": Kind(7, 8_300_000, 600, turnover=1.0),
}


@dataclass(frozen=True)
class Made:
    """A lake that was made. Times are epoch seconds; `busy` is one of its busiest addresses."""

    kind: str
    scratch: str
    name: str
    scale: float
    form: str
    begin: int
    end: int
    slot: int
    flows: int
    next_flows: int
    busy: str

    def path(self, ending: str = "") -> Path:
        return Path(self.scratch) / f"{self.name}{ending}"

    @property
    def idle(self) -> int:
        """A time when nothing new is there."""
        return self.end - 420

    @property
    def evening(self) -> int:
        """A time when the newest object is there, on the same day."""
        return self.end - 180

    def flowscan(self, what: str, at: int, *arguments: str | Path) -> Spent:
        """One command as a process of its own that begins at the time `at`."""
        return python(what, "benchmarks.cycle.at", at, *arguments)

    def run(self, lake: Path, at: int) -> Spent:
        """One cycle over a lake."""
        return self.flowscan("run", at, "run", "--config", self.path(".toml"), "--lake", lake)

    def objects(self, ending: str = "-src") -> list[Path]:
        """Objects, oldest first."""
        return sorted(self.path(ending).rglob("*.gz"))

    @contextmanager
    def copied(self, of: Path | None = None, name: str = "copy") -> Iterator[Path]:
        """A copy of the lake, or of another; Parquet files are shared, as nothing changes them."""
        target = self.path(f".{name}")
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(of or self.path(), target, copy_function=_link_or_copy)
        try:
            yield target
        finally:
            shutil.rmtree(target)

    @contextmanager
    def delivered(self, ending: str = "-next") -> Iterator[None]:
        """Puts the objects of another folder among those of the source for a while."""
        self.take_back(ending)
        for path in self.objects(ending):
            os.link(path, self._in_source(path, ending))
        try:
            yield
        finally:
            self.take_back(ending)

    def take_back(self, ending: str) -> None:
        """Also what an interrupted run left there."""
        for path in self.objects(ending):
            self._in_source(path, ending).unlink(missing_ok=True)

    def _in_source(self, path: Path, ending: str) -> Path:
        return self.path("-src") / path.relative_to(self.path(ending))


def _link_or_copy(source: str, target: str) -> None:
    if source.endswith(".parquet"):
        os.link(source, target)
    else:
        shutil.copy2(source, target)


@contextmanager
def alone(scratch: Path) -> Iterator[None]:
    """Keeps others from measuring in the same folder: they would see each other's objects."""
    scratch.mkdir(parents=True, exist_ok=True)
    with (scratch / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting: another run measures in {scratch}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def prepare(
    kind: str, scratch: Path, *, scale: float, end: int | None, form: str, again: bool = False
) -> Made:
    """The lake of that kind, made unless the folder has it. `end` is its last midnight.

    `again` keeps the objects and has this flowscan ingest them.
    """
    name = kind + (f"-{scale:g}" if scale != 1 else "") + (f"-{form}" if form != "v2" else "")
    scratch = scratch.absolute()
    described = scratch / f"{name}.json"
    if described.exists():
        made = Made(**json.loads(described.read_text()))
        if end in (None, made.end):
            if again or not made.path().exists():
                _fill(made)
            return made
    plan = KINDS[kind]
    end = end or int(time.time()) // DAY * DAY
    draft = Made(
        kind, str(scratch), name, scale, form, end - plan.days * DAY, end, plan.slot, 0, 0, ""
    )
    described.unlink(missing_ok=True)
    for ending in ("", "-src", "-next", "-late", "-out"):
        shutil.rmtree(draft.path(ending), ignore_errors=True)
    say(f"{name}: objects of {plan.days} days × {plan.flows * scale:,.0f} flows")
    apart(_generate, draft)
    made = Made(**json.loads(described.read_text()))
    _fill(made)
    return made


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def python(what: str, module: str, *arguments: object) -> Spent:
    """A module as a process of its own."""
    return spend(what, [sys.executable, "-m", module, *map(str, arguments)])


def apart(work: Callable[..., None], *arguments: object) -> None:
    """Work in a process of its own: its memory must not count as that of what is measured."""
    child = multiprocessing.get_context("spawn").Process(target=work, args=arguments)
    child.start()
    child.join()
    if child.exitcode:
        sys.exit(f"{work.__name__} failed")


def _generate(draft: Made) -> None:
    from dataclasses import replace

    from benchmarks.cycle.estate import estate, scanners
    from benchmarks.cycle.objects import Writer, late
    from benchmarks.generate import key

    kind = KINDS[draft.kind]
    e = estate(round(kind.flows * draft.scale), kind.turnover)
    writer = Writer(e, draft.path("-src"), draft.slot, draft.form)
    total = 0
    for put in writer.write(draft.begin, draft.end):
        path, last = put
        total += last
    kept = draft.path("-next") / path.relative_to(draft.path("-src"))
    kept.parent.mkdir(parents=True)
    path.rename(kept)
    if draft.end - draft.begin > LATE_DAYS * DAY:
        where = draft.path("-late") / key(draft.end - draft.slot, 1)
        late(writer, where, draft.end - LATE_DAYS * DAY, LATE_FLOWS)
    listed = scanners(e, draft.end - 1)[1][: e.size // 200 + 1]
    strangers = [*listed, *(f"203.0.113.{n}" for n in range(1, 250))]
    draft.path("-feed.txt").write_text("".join(f"{address}\n" for address in strangers))
    made = replace(draft, flows=total - last, next_flows=last, busy=e.address[0])
    made.path(".json").write_text(json.dumps(asdict(made), indent=1))


def _fill(made: Made) -> None:
    """Ingest, a feed, and a cycle; the folder has its name when all is done."""
    lake = made.path(".new")
    shutil.rmtree(lake, ignore_errors=True)
    texts = {"source": made.path("-src"), "report": made.path("-out") / "report.html",
             "export": made.path("-out") / "findings.json"}  # fmt: skip
    quoted = {name: json.dumps(str(path)) for name, path in texts.items()}
    made.path(".toml").write_text(SETTINGS.format(**quoted))
    for ending in ("-next", "-late"):
        made.take_back(ending)
    days = sorted({path.parent for path in made.objects()})
    if days[:-1]:
        spent = made.flowscan("ingest", made.idle, "ingest", *days[:-1], "--lake", lake)
        say(f"{made.name}: the days before today, {spent.cpu:.1f} CPU s")
    apart(_pieces, lake, sorted(days[-1].glob("*.gz")))
    made.flowscan("feeds", made.idle, "feeds", "add", made.path("-feed.txt"), "--lake", lake)
    spent = made.run(lake, made.idle - 60)
    say(f"{made.name}: its first cycle, {spent.cpu:.1f} CPU s, peak {spent.rss / 1e6:,.0f} MB")
    shutil.rmtree(made.path(), ignore_errors=True)
    lake.rename(made.path())


def _pieces(where: Path, objects: list[Path]) -> None:
    """Each object in a commit of its own, as cycles do it."""
    from flowscan.ingest import ingest
    from flowscan.lake import Lake
    from flowscan.sources import SourceOptions, open_source

    began = time.process_time()
    lake = Lake.open(where, create=True)
    for path in objects:
        ingest(lake, [open_source(str(path), SourceOptions())])
    say(f"today by {len(objects)} objects, {time.process_time() - began:.1f} CPU s")
