"""Lakes that the cycle is measured on: made once per scratch folder, and copied for what changes.

A lake NAME has its objects in NAME-src, the newest object, not yet delivered, in NAME-next, one of
long ago in NAME-late, and what describes it in NAME.json. Its last day came in one commit an
object, the days before in one ingest; a cycle has run over it. Invariant: NAME itself is never
changed once NAME.json is there, and the sources are as they were when a `delivered` ends.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.measure import Spent, spend

DAY = 86_400
LATE_DAYS, LATE_FLOWS = 25, 49
SETTINGS = """\
[lake]
path = {lake}
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
    """`days` of about `flows` each, in objects of `slot` seconds."""

    days: int
    flows: int
    slot: int


KINDS = {
    "week": Kind(7, 8_300_000, 600),
    "year": Kind(365, 57_000, 3600),
    "busy": Kind(1, 50_000_000, 600),
    "small": Kind(7, 400_000, 600),
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
        command = [sys.executable, "-m", "benchmarks.cycle.at", str(at), *map(str, arguments)]
        return spend(what, command)

    def run(self, lake: Path, at: int) -> Spent:
        """One cycle over a lake."""
        return self.flowscan("run", at, "run", "--config", self.path(".toml"), "--lake", lake)

    def objects(self, ending: str = "-src") -> list[Path]:
        """Objects, oldest first."""
        return sorted(self.path(ending).rglob("*.gz"))

    @contextmanager
    def copied(self, of: Path | None = None) -> Iterator[Path]:
        """A copy of the lake, or of another; Parquet files are shared, as nothing changes them."""
        source = of or self.path()
        target = source.with_name(f"{source.name}.copy")
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, copy_function=_link_or_copy)
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


def prepare(kind: str, scratch: Path, *, scale: float, end: int | None, form: str) -> Made:
    """The lake of that kind; made anew unless the folder has it. `end` is its last midnight."""
    plan = KINDS[kind]
    name = kind + (f"-{scale:g}" if scale != 1 else "") + (f"-{form}" if form != "v2" else "")
    scratch.mkdir(parents=True, exist_ok=True)
    described = scratch.absolute() / f"{name}.json"
    if described.exists():
        made = Made(**json.loads(described.read_text()))
        if end in (None, made.end):
            return made
    end = end or _midnight()
    draft = Made(
        kind, str(scratch.absolute()), name, scale, form, end - plan.days * DAY, end, plan.slot,
        0, 0, "",
    )  # fmt: skip
    described.unlink(missing_ok=True)
    for ending in ("", "-src", "-next", "-late", "-out"):
        shutil.rmtree(draft.path(ending), ignore_errors=True)
    _say(f"{name}: objects of {plan.days} days × {plan.flows * scale:,.0f} flows")
    _apart(_generate, draft, described)
    made = Made(**json.loads(described.with_suffix(".draft").read_text()))
    _fill(made)
    described.with_suffix(".draft").replace(described)
    return made


def _midnight() -> int:
    import time

    return int(time.time()) // DAY * DAY


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _apart(work: Callable[..., None], *arguments: object) -> None:
    """Work in a process of its own: its memory must not count as that of what is measured."""
    child = multiprocessing.get_context("spawn").Process(target=work, args=arguments)
    child.start()
    child.join()
    if child.exitcode:
        sys.exit(f"{work.__name__} failed")


def _generate(draft: Made, described: Path) -> None:
    from dataclasses import replace

    from benchmarks.cycle.estate import estate
    from benchmarks.cycle.objects import Writer, late

    e = estate(round(KINDS[draft.kind].flows * draft.scale))
    writer = Writer(e, draft.path("-src"), draft.slot, draft.form)
    total = 0
    for put in writer.write(draft.begin, draft.end):
        path, last = put
        total += last
    kept = draft.path("-next") / path.relative_to(draft.path("-src"))
    kept.parent.mkdir(parents=True)
    path.rename(kept)
    if draft.end - draft.begin > LATE_DAYS * DAY:
        old = draft.end - LATE_DAYS * DAY
        late(writer, draft.path("-late") / path.relative_to(draft.path("-src")), old, LATE_FLOWS)
    strangers = [*e.regulars[: e.size // 200 + 1], *(f"203.0.113.{n}" for n in range(1, 250))]
    draft.path("-feed.txt").write_text("".join(f"{address}\n" for address in strangers))
    made = replace(draft, flows=total - last, next_flows=last, busy=e.address[0])
    described.with_suffix(".draft").write_text(json.dumps(asdict(made), indent=1))


def _fill(made: Made) -> None:
    """Ingest, a feed, and a cycle."""
    texts = {"lake": made.path(), "source": made.path("-src"),
             "report": made.path("-out") / "report.html",
             "export": made.path("-out") / "findings.json"}  # fmt: skip
    quoted = {name: json.dumps(str(path)) for name, path in texts.items()}
    made.path(".toml").write_text(SETTINGS.format(**quoted))
    days = sorted({path.parent for path in made.objects()})
    lake = ("--lake", made.path())
    if days[:-1]:
        spent = made.flowscan("ingest", made.idle, "ingest", *days[:-1], *lake)
        _say(f"{made.name}: the days before today, {spent.cpu:.1f} CPU s")
    _apart(_pieces, made, sorted(days[-1].glob("*.gz")))
    made.flowscan("feeds", made.idle, "feeds", "add", made.path("-feed.txt"), *lake)
    spent = made.run(made.path(), made.idle - 60)
    _say(f"{made.name}: its first cycle, {spent.cpu:.1f} CPU s, peak {spent.rss / 1e6:,.0f} MB")


def _pieces(made: Made, objects: list[Path]) -> None:
    """Each object in a commit of its own, as cycles do it."""
    import time

    from flowscan.ingest import ingest
    from flowscan.lake import Lake
    from flowscan.sources import SourceOptions, open_source

    began = time.process_time()
    lake = Lake.open(made.path(), create=True)
    for path in objects:
        ingest(lake, [open_source(str(path), SourceOptions())])
    _say(f"{made.name}: today by {len(objects)} objects, {time.process_time() - began:.1f} CPU s")
