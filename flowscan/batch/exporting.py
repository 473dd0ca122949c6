"""The export stage: findings for another system, of which only the changed ones are made again.

Invariant: the file is what a whole export writes. A line is taken over only when its finding is
the same to the last byte, from a file that is as the last cycle left it, made with the same
settings by the same version; else it is made.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from flowscan.batch.made import name_of, remember, stands
from flowscan.batch.model import Context, StageResult
from flowscan.batch.output import publish
from flowscan.batch.reading import source_options

__all__ = ["export_stage"]

_BLOB: Final = ("run", "export")


def export_stage(context: Context) -> StageResult:
    """Writes the findings for another system, when they have changed."""
    from flowscan.export import ALONE, lines
    from flowscan.findings.stored import LONG, SHORT, choose

    settings = context.settings.export
    where, form = settings.path, settings.format
    if not where:
        return StageResult("nothing", message="no export asked for: see [export]")
    snapshot = context.lake.snapshot()
    name = name_of(snapshot, ("findings",), settings)
    if stands(context, "export", where, name):
        return StageResult("unchanged", {"path": where})
    found = choose(context.lake)
    if form not in ALONE or where.startswith("s3://"):
        text = (f"{line}\n" for line in lines(found.findings(), form))
        publish(where, text, source_options(context.settings))
    else:
        made = name_of(snapshot, (), settings)
        with _last(context, made) as last:
            new = _Index(made)
            publish(where, _lines(found.rows((*SHORT, *LONG)), form, last, new))
        new.keep(context)
    remember(context, "export", name)
    return StageResult("done", {"path": where, "findings": len(found)})


@dataclass(slots=True)
class _Index:
    """Where the lines of a file are: mark of a finding → first byte and length.

    `made` names what they were made with, `state` the file as it was left.
    """

    made: str
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    state: tuple[int, ...] = ()
    end: int = 0

    def add(self, mark: str, length: int) -> None:
        """Note the next line."""
        self.places[mark] = (self.end, length)
        self.end += length

    def keep(self, context: Context) -> None:
        """Put it into the lake for the next cycle."""
        self.state = _state(context.settings.export.path)
        body = {"made": self.made, "state": self.state, "places": self.places}
        context.lake.put_blob(*_BLOB, json.dumps(body, separators=(",", ":")).encode())


@dataclass(frozen=True, slots=True)
class _Last:
    """The last file, if its lines may be taken over."""

    file: IO[bytes] | None = None
    places: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def line(self, mark: str) -> str | None:
        """The line of a finding that has not changed."""
        place = self.places.get(mark)
        if self.file is None or place is None:
            return None
        self.file.seek(place[0])
        return self.file.read(place[1]).decode()


@contextmanager
def _last(context: Context, made: str) -> Iterator[_Last]:
    where = Path(context.settings.export.path)
    places = _recall(context, made)
    if not places:
        yield _Last()
        return
    with where.open("rb") as file:
        yield _Last(file, places)


def _recall(context: Context, made: str) -> dict[str, tuple[int, int]]:
    """Where the lines of the last file are; nowhere if it is not to be trusted."""
    data = context.lake.get_blob(*_BLOB)
    try:
        body = json.loads(data) if data else {}
        same = tuple(body["state"]) == _state(context.settings.export.path)
        return dict(body["places"]) if same and body["made"] == made else {}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def _state(where: str) -> tuple[int, ...]:
    seen = Path(where).stat()
    return seen.st_ino, seen.st_size, seen.st_mtime_ns


def _lines(rows: Iterator[Mapping[str, Any]], form: str, last: _Last, new: _Index) -> Iterator[str]:
    from flowscan.export import lines
    from flowscan.findings import from_row

    for row in rows:
        text = "\x1f".join(map(str, row.values()))
        mark = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
        line = last.line(mark)
        if line is None:
            line = f"{next(lines([from_row(row)], form))}\n"
        new.add(mark, len(line.encode()))
        yield line
